"""Texts and where they came from."""

from secrets import token_hex

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.choices import UNFINISHED_IMPORTS, ImportStatus, TextStatus
from labeling.models.label import Label
from labeling.models.project import Project
from labeling.querysets import TextQuerySet


def kept_upload(record: "ImportRecord", file_name: str) -> str:
    """Where an uploaded file is kept: under a name that nobody can guess and no file name can bend."""
    return f"imports/{token_hex(16)}"


class ImportRecord(models.Model):
    """What one import did: how many rows it added, and why it left out others.

    `rows_read` is written with the texts, in one transaction: whoever goes on with an uploaded file begins after them.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=255, blank=True)
    file_format = models.CharField(max_length=20)
    status = models.CharField(max_length=20, choices=ImportStatus, default=ImportStatus.RUNNING)
    upload = models.FileField(upload_to=kept_upload, blank=True, help_text="The file, until it is imported.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the uploaded file.")
    options = models.JSONField(default=dict, blank=True, help_text="What its columns mean.")
    rows_read = models.PositiveBigIntegerField(default=0)
    share = models.FloatField(null=True, blank=True, help_text="Of the file that is read; empty while unknown.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="To come farther than `rows_read`.")
    moved_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Its last sign of life.")
    added = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    empty = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    rejections = models.JSONField(default=list, help_text="The first rejected rows: line number and reason.")
    error = models.TextField(blank=True, help_text="Why the import stopped before its end.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "imports"
        verbose_name = "import"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="import_status_is_known"),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.file_name or self.file_format}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED_IMPORTS


class RejectedRow(models.Model):
    """A row that became no text, as it was in the file, so that it can be put right and imported again."""

    import_record = models.ForeignKey(
        ImportRecord, on_delete=models.CASCADE, related_name="rejected_rows", db_index=False
    )
    line = models.PositiveBigIntegerField()
    reason = models.TextField()
    values = models.JSONField(default=dict, help_text="By column; nothing where the row could not be read.")

    class Meta:
        db_table = "rejected_rows"
        ordering = ["import_record", "line"]
        constraints = [models.UniqueConstraint("import_record", "line", name="a_row_is_rejected_once")]

    def __str__(self) -> str:
        return f"Line {self.line} of import {self.import_record_id}"


class Text(models.Model):
    """One piece of raw content, unique by content hash within its project."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="texts", db_index=False)
    content = models.TextField()
    content_hash = models.CharField(max_length=32, editable=False)
    external_id = models.CharField(max_length=200, blank=True, help_text="The text's name in the system it came from.")
    source = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=20, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=TextStatus, default=TextStatus.UNLABELED)
    # No index: nothing looks a text up by its label, and labels are never deleted.
    current_label = models.ForeignKey(
        Label, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    priority = models.FloatField(default=0.0, help_text="Texts with more come first in the review queue.")
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    is_audit = models.BooleanField(default=False, help_text="Drawn at random for the blind audit.")
    is_gold = models.BooleanField(default=False, help_text="Its label is known to be right: it scores the reviewers.")
    error = models.TextField(blank=True, help_text="Why the last run could not label this text.")
    import_record = models.ForeignKey(
        ImportRecord, null=True, blank=True, on_delete=models.PROTECT, related_name="texts", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TextQuerySet.as_manager()

    class Meta:
        db_table = "text_data"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("project", "content_hash", name="a_text_is_unique_within_a_project"),
            models.CheckConstraint(condition=Q(status__in=TextStatus.values), name="text_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["needs_review", "accepted", "reviewed"]) | Q(current_label__isnull=False),
                name="a_labeled_text_has_a_current_label",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "status", "-priority", "id"], name="text_by_priority"),
            models.Index(fields=["project", "id"], name="text_by_project"),
            models.Index("project", "external_id", name="text_by_external_id", condition=~Q(external_id="")),
            # With the status, so that texts which are decided are passed over without reading their rows.
            models.Index("project", "content_hash", "status", name="text_by_audit", condition=Q(is_audit=True)),
            models.Index("project", "id", name="text_by_gold", condition=Q(is_gold=True)),
            models.Index("project", "reviewed_at", name="text_by_review_time", condition=Q(reviewed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.content[:80]
