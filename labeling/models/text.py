"""Texts and where they came from."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.choices import TextStatus
from labeling.models.label import Label
from labeling.models.project import Project
from labeling.querysets import TextQuerySet


class ImportRecord(models.Model):
    """What one import did: how many rows it added, and why it left out others."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=255, blank=True)
    file_format = models.CharField(max_length=20)
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

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.file_name or self.file_format}"


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
