"""Reads of one model that several callers need."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef

from labeling.choices import LABELABLE, UNDONE

if TYPE_CHECKING:
    from labeling.models import LabelingRun, Text  # noqa: F401  named in a string


class TextQuerySet(models.QuerySet["Text"]):
    def of_run(self, run: "LabelingRun") -> "TextQuerySet":
        """The texts that `run` still has to label, by id."""
        from labeling.models import Label

        statuses = LABELABLE if run.relabel else UNDONE
        waiting = self.filter(project_id=run.project_id, status__in=statuses, id__lte=run.last_text_id).order_by("id")
        if run.text_ids is not None:
            waiting = waiting.filter(pk__in=run.text_ids)
        if run.relabel and run.pk:  # a run that is not written yet has no labels
            return waiting.exclude(Exists(Label.objects.filter(run_id=run.pk, text_id=OuterRef("pk"))))
        return waiting
