"""Reads of one model that several callers need."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
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

    def in_batches(self, size: int, *, limit: int | None = None) -> Iterator[list[int]]:
        """The keys of these texts as they are now, or of the first `limit`, by id, so many at a time.

        All keys are read at once, in 8 bytes each. Asked for the next thousand by id again and again, SQLite would sort
        the whole project each time.
        """
        keys = self.order_by("pk").values_list("pk", flat=True)[:limit]
        ids = np.fromiter(keys.iterator(chunk_size=10_000), dtype=np.int64)
        yield from (ids[start : start + size].tolist() for start in range(0, len(ids), size))
