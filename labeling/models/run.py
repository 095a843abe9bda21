"""One pass of a provider over a project's texts."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.choices import UNFINISHED_RUNS, RunOrigin, RunPhase, RunStatus
from labeling.models.learned import Classifier
from labeling.models.project import Project


class LabelingRun(models.Model):
    """Settings as they were when the run started, and how far it came.

    Progress is counted from rows, so that work delivered twice is not counted twice.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="runs")
    provider = models.CharField(max_length=40)
    model_name = models.CharField(max_length=200, blank=True)
    classifier = models.ForeignKey(Classifier, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=30, choices=RunStatus, default=RunStatus.QUEUED)
    relabel = models.BooleanField(default=False, help_text="Labels texts again that a model labeled before.")
    origin = models.CharField(max_length=20, choices=RunOrigin, default=RunOrigin.REQUESTED)
    limit = models.PositiveIntegerField(null=True, blank=True, help_text="Most texts to label.")
    text_ids = models.JSONField(
        null=True, blank=True, help_text="Texts that somebody picked; empty for the whole project."
    )
    last_text_id = models.BigIntegerField(default=0, help_text="Texts that arrived later belong to the next run.")
    phase = models.CharField(max_length=20, choices=RunPhase, default=RunPhase.PREPARE)
    cursor = models.BigIntegerField(default=0, help_text="Up to here the phase has been handed out to processes.")
    sample_size = models.PositiveIntegerField(default=0, help_text="Texts to fit a classifier to; 0: one is there.")
    total = models.PositiveIntegerField(default=0, help_text="Texts to label when the run started.")
    threshold = models.FloatField()
    audit_share = models.FloatField()
    categories = models.JSONField(
        default=list, help_text="The categories as they were: [{id, name, description, examples}]."
    )
    prompt = models.JSONField(null=True, blank=True, help_text="How models that follow instructions are asked.")
    drift = models.JSONField(
        null=True, blank=True, help_text="Whether the texts that were new then differ from those before."
    )
    error = models.TextField(blank=True, help_text="Why the run stopped, and what to do.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a process was last brought to it."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When who started it was told that it has ended."
    )

    class Meta:
        db_table = "labeling_runs"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "project",
                name="one_unfinished_run_per_project",
                condition=Q(status__in=[status.value for status in UNFINISHED_RUNS]),
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.project}"

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED_RUNS

    @property
    def done(self) -> int:
        """Texts this run has labeled."""
        return self.labels.count()
