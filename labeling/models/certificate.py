"""Statements about how many labels are wrong, each with the audit that proves it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.append_only import AppendOnlyModel, AppendOnlyQuerySet
from labeling.models.learned import Classifier
from labeling.models.project import Project


class PromiseChoice(models.TextChoices):
    """What is said to be wrong at most so often."""

    DATASET = "dataset", "Of all labels in the dataset"
    PRECISION = "precision", "Of the labels accepted by machine"


class Certificate(AppendOnlyModel):
    """One look at the audit: the threshold from which on labels keep the budget, or that none could be proven to.

    Never changed. Whether it still holds is computed (`certification.ended_reason`), so that an ended one stays seen.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="certificates")
    promise = models.CharField(max_length=10, choices=PromiseChoice)
    budget = models.FloatField(help_text="Share of the labels that may be wrong.")
    delta = models.FloatField(help_text="The chance that any certificate from this audit is false.")
    look = models.PositiveIntegerField(help_text="The audit has been looked at so many times, this one included.")
    level = models.FloatField(help_text="The part of delta that this look spends.")
    threshold = models.FloatField(null=True, blank=True, help_text="Accepted from here on. Empty: nothing is proven.")
    labels = models.PositiveIntegerField(help_text="Labels that the promise speaks of.")
    population = models.PositiveIntegerField(help_text="N: texts that the audit was drawn from.")
    audited = models.PositiveIntegerField(help_text="n: of these, audited.")
    wrong = models.PositiveIntegerField(help_text="k: of the audited, labels from the threshold on that are wrong.")
    upper_bound = models.FloatField(help_text="Exact upper limit for the share that is wrong.")
    coverage = models.FloatField(help_text="Share of the texts at or above the threshold.")
    left_for_people = models.PositiveIntegerField(help_text="Texts below the threshold that nobody has decided.")
    classifier = models.ForeignKey(
        Classifier, null=True, blank=True, on_delete=models.PROTECT, related_name="certificates", db_index=False
    )
    category_hash = models.CharField(max_length=32)
    pool_size = models.PositiveIntegerField(help_text="Texts that a model had labeled.")
    newest_label_id = models.BigIntegerField(help_text="The newest label of a model then.")
    audit_hash = models.CharField(max_length=32, help_text="Of all that the result depends on.")
    steps = models.JSONField(default=list, help_text="The thresholds that were tested, strict ones first.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "certificates"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint("project", "category_hash", "look", name="each_look_at_an_audit_is_counted"),
            models.CheckConstraint(
                condition=Q(budget__gt=0, budget__lt=1, delta__gt=0, delta__lt=1),
                name="certificate_budget_and_delta_are_within_0_and_1",
            ),
        ]

    def __str__(self) -> str:
        return f"Certificate {self.pk} of {self.project}"

    @property
    def is_granted(self) -> bool:
        return self.threshold is not None

    @property
    def sentence(self) -> str:
        """The promise in plain words; or that there is none."""
        at_most = f"at most {100 * self.budget:.4g} % are wrong, with {100 * (1 - self.delta):.4g} % confidence"
        if self.threshold is None:
            return f"Not proven by {self.audited:,} audited texts: {at_most}."
        if self.promise == PromiseChoice.PRECISION:
            return (
                f"Of the {self.labels:,} labels that nobody has looked at, with a confidence of {self.threshold:.3f} "
                f"or more, {at_most}."
            )
        promised = f"Of the {self.labels:,} labels of this dataset, {at_most}"
        if not self.left_for_people:
            return f"{promised}."
        return (
            f"{promised}, once people have decided the {self.left_for_people:,} texts below a confidence of "
            f"{self.threshold:.3f}."
        )


class CertificateUse(models.Model):
    """That a project's threshold was taken from a certificate, and what to put back when it is not any more."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="uses")
    previous_threshold = models.FloatField()
    accepted_ids = models.JSONField(default=list, help_text="Texts that needed review and were accepted.")
    held_back_ids = models.JSONField(default=list, help_text="Texts that were accepted and need review.")
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    applied_at = models.DateTimeField(default=timezone.now, editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "certificate_uses"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "certificate", name="a_certificate_is_in_use_once", condition=Q(undone_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"Use {self.pk} of certificate {self.certificate_id}"
