"""What people decided is read by a run's model, too: unread it could neither teach nor judge."""

import logging
from collections.abc import Iterator

from labeling import features, spending
from labeling.asking import TextsFailed
from labeling.choices import CLOSED
from labeling.embeddings import TextRow
from labeling.labelers import Reader
from labeling.models import LabelingRun, Text
from labeling.providers.base import ProviderError
from labeling.querysets import TextQuerySet

logger = logging.getLogger(__name__)

AT_ONCE = 32
MOST = 5_000  # texts, the newest


def read(run: LabelingRun, reader: Reader, *, after: int) -> Iterator[tuple[int, int]]:
    """Let the model read what it has not read of them. They get no label. After each batch: its last id, and how many
    texts it had.

    A run begins `after` the last id that it was told, so that what a model refuses is asked once and not for ever. When
    the model fails for a while or the means run out, the rest is left to a later run: the labels are made. Raises
    ProviderError when going on is useless.
    """
    unread = features.lacking(_newest(run), reader.fingerprints).filter(pk__gt=after)
    try:
        for ids in unread.in_batches(lambda: AT_ONCE):
            spending.require_means(run, len(ids))
            _read(run, reader, ids)
            yield ids[-1], len(ids)
    except ProviderError as error:
        if error.permanent and not isinstance(error, spending.UsedUp):
            raise
        logger.warning("Run %s: not all decided texts were read: %s", run.pk, error)
        yield Text.objects.latest("pk").pk, 0  # past all of the rest; what was asked before it failed has its cost


def _newest(run: LabelingRun) -> TextQuerySet:
    closed = run.project.texts.filter(status__in=CLOSED).order_by("-pk")
    return Text.objects.filter(pk__in=closed.values("pk")[:MOST]).order_by("pk")


def _read(run: LabelingRun, reader: Reader, ids: list[int]) -> None:
    rows = [TextRow(*values) for values in Text.objects.filter(pk__in=ids).values_list("pk", "content", "content_hash")]
    try:
        reader.read(rows)
    except TextsFailed as failed:
        logger.warning("Run %s: %s decided texts were not read", run.pk, len(failed.errors))
        if answered := failed.answered(rows):  # what comes after the answer is made for them, too
            reader.read(answered)
