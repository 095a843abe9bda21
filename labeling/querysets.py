"""Reads of one model that several callers need."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from django.db import models
from django.db.models import F

from labeling.choices import LABELABLE, UNDONE, RunOrigin, TextStatus

if TYPE_CHECKING:
    from labeling.models import LabelingRun, Text  # noqa: F401  named in a string


class TextQuerySet(models.QuerySet["Text"]):
    def in_reach(self, run: "LabelingRun", *, last: int | None = None) -> "TextQuerySet":
        """The texts that `run` may label, also those that it has labeled, where these are labeled again.

        `last`: up to this id, instead of where the run ends.
        """
        end = run.last_text_id if last is None else last
        reach = self.filter(project_id=run.project_id, status__in=_statuses(run), id__lte=end)
        return reach if run.text_ids is None else reach.filter(pk__in=run.text_ids)

    def of_chunk(self, run: "LabelingRun", *, after: int, last: int) -> "TextQuerySet":
        """Those of them whose ids lie above `after`, up to `last`.

        They are found by id alone: by project and status SQLite would go through all texts that wait, for every chunk.
        What a process that was killed has labeled may be among them; written again, it changes nothing.
        """
        texts = self.filter(id__gt=after, id__lte=min(last, run.last_text_id))
        own = texts.annotate(own_project=F("project_id") + 0).filter(own_project=run.project_id)
        others = [status for status in TextStatus if status not in _statuses(run)]
        own = own.exclude(status__in=others).order_by("id")
        return own if run.text_ids is None else own.filter(pk__in=run.text_ids)

    def in_batches(self, size: Callable[[], int]) -> Iterator[list[int]]:
        """The keys of these texts as they are now, by id, as many at a time as `size` says by then.

        All keys are read at once, in 8 bytes each. Asked for the next thousand by id again and again, SQLite would sort
        the whole project each time.
        """
        keys = self.order_by("pk").values_list("pk", flat=True)
        ids = np.fromiter(keys.iterator(chunk_size=10_000), dtype=np.int64)
        while len(ids):
            batch, ids = np.split(ids, [size()])
            yield batch.tolist()


def _statuses(run: "LabelingRun") -> Sequence[TextStatus]:
    if run.origin == RunOrigin.RETRY:
        return (TextStatus.FAILED,)
    if run.origin == RunOrigin.SCHEDULE:  # what failed would fail again with every new text
        return (TextStatus.UNLABELED,)
    return LABELABLE if run.relabel else UNDONE
