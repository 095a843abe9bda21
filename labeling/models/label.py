"""Labels: what a model said or a person decided about one text, version by version."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.append_only import AppendOnlyModel, AppendOnlyQuerySet
from labeling.choices import LabelOrigin
from labeling.models.learned import Classifier
from labeling.models.project import Category, CategoryMerge
from labeling.models.run import LabelingRun


class Label(AppendOnlyModel):
    """One version of a text's label, never changed after insert.

    A model's label always has a confidence and never an annotator; a person's label has the annotator or the source it
    was imported from, and no confidence unless the person stated one.
    """

    text = models.ForeignKey("labeling.Text", on_delete=models.PROTECT, related_name="labels", db_index=False)
    version = models.PositiveIntegerField()
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="labels")
    origin = models.CharField(max_length=10, choices=LabelOrigin)
    confidence = models.FloatField(null=True, blank=True)
    raw_score = models.FloatField(null=True, blank=True, help_text="What the model gave, before temperature.")
    margin = models.FloatField(null=True, blank=True, help_text="Confidence less that of the next category.")
    is_calibrated = models.BooleanField(default=False, help_text="Confidence was fitted to reviews.")
    confidence_source = models.CharField(
        max_length=20, blank=True, default="", help_text="What a model's confidence was computed from."
    )
    scores = models.JSONField(default=list, help_text="The best 20 categories: [[category id, probability], ...].")
    explanation = models.TextField(blank=True)
    evidence = models.JSONField(
        default=list, help_text="Words that made the label: [[start, end, weight], ...] in characters of the text."
    )
    is_truncated = models.BooleanField(default=False, help_text="The model read only the beginning of the text.")
    run = models.ForeignKey(
        LabelingRun, null=True, blank=True, on_delete=models.PROTECT, related_name="labels", db_index=False
    )
    provider = models.CharField(max_length=40, blank=True)
    model_name = models.CharField(max_length=200, blank=True)
    classifier = models.ForeignKey(
        Classifier, null=True, blank=True, on_delete=models.PROTECT, related_name="labels", db_index=False
    )
    prompt_version = models.PositiveIntegerField(null=True, blank=True)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="labels"
    )
    source = models.CharField(max_length=200, blank=True, help_text="Where an imported label came from.")
    merge = models.ForeignKey(
        CategoryMerge,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="labels",
        db_index=False,
        help_text="It repeats the version before, whose category was merged into this one.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "labels"
        ordering = ["text", "version"]
        constraints = [
            models.UniqueConstraint("text", "version", name="one_label_version_number_per_text"),
            models.UniqueConstraint(
                "run", "text", name="one_model_label_per_run_and_text", condition=Q(run__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__range=(0, 1)),
                name="label_confidence_is_within_0_and_1",
            ),
            models.CheckConstraint(
                condition=Q(origin="model", confidence__isnull=False, annotator__isnull=True)
                | Q(origin="human", run__isnull=True, classifier__isnull=True),
                name="a_label_is_of_a_model_or_of_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"Label {self.pk} (version {self.version} of text {self.text_id})"
