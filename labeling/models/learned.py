"""What the program computed from texts and categories: vectors and fitted heads."""

from django.db import models
from django.utils import timezone

from labeling.append_only import AppendOnlyModel, AppendOnlyQuerySet
from labeling.choices import ClassifierKind
from labeling.models.project import Project


class Embedding(models.Model):
    """What one model made of a text, shared by all projects: the same words are never sent to it twice.

    An encoder's vector; or, of a model that only answers, the logarithms of its probabilities for some categories.
    """

    content_hash = models.CharField(max_length=32)
    model_fingerprint = models.CharField(max_length=32)
    vector = models.BinaryField(help_text="float16, little-endian: a vector of unit length, or log-probabilities")
    is_truncated = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="", help_text="Why it answered so, in the model's own words.")
    confidence_source = models.CharField(
        max_length=20, blank=True, default="", help_text="What the probabilities of an answer were computed from."
    )

    class Meta:
        db_table = "embeddings"
        constraints = [
            models.UniqueConstraint("model_fingerprint", "content_hash", name="one_embedding_per_model_and_content"),
        ]

    def __str__(self) -> str:
        return f"Embedding {self.content_hash} by {self.model_fingerprint}"


class Classifier(AppendOnlyModel):
    """One fitted head of a project: P = softmax((E W + b) / T). Versioned, never changed.

    A row of E is a text's vector, or a model's answer before it: `learning.stacked`.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="classifiers", db_index=False)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=ClassifierKind)
    model_name = models.CharField(max_length=200)
    model_fingerprint = models.CharField(max_length=32, help_text="Of the model whose vectors it reads.")
    answers_fingerprint = models.CharField(
        max_length=32, blank=True, default="", help_text="Of the answers that it reads before the vectors, if any."
    )
    category_ids = models.JSONField(help_text="The categories its columns stand for, in order.")
    category_hash = models.CharField(max_length=32, help_text="Changes with any name, description or example.")
    weights = models.BinaryField(help_text="npz of plain arrays: weights, bias, temperature")
    fitted_on = models.JSONField(default=dict, help_text="How many texts and reviews it was fitted on.")
    quality = models.JSONField(default=dict, help_text="Its measured quality and the fit's own diagnostics.")
    is_active = models.BooleanField(default=True, help_text="It was no worse than the one before, and labels texts.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "classifiers"
        ordering = ["project", "-version"]
        constraints = [
            models.UniqueConstraint("project", "version", name="one_classifier_version_number_per_project"),
        ]

    def __str__(self) -> str:
        return f"Classifier {self.version} of {self.project}"
