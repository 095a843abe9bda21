"""Labeling again what a model labeled before: a new version only where it says something new.

A whole project is read, scored and compared as arrays, batch by batch, from the vectors that were kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling import annotations, embeddings, priorities
from labeling.annotations import Prediction
from labeling.choices import UNDECIDED, LabelOrigin, TextStatus
from labeling.embeddings import TextRow
from labeling.labelers import HeadLabeler, draw_audit
from labeling.models import Embedding, LabelingRun, Text
from labeling.querysets import TextQuerySet

CONFIDENCE_MOVE = 0.05  # smaller moves change no decision, and a version for each would bury the history
PRIORITY_MOVE = 0.01  # smaller ones change hardly any order, and most texts move a little each time
BATCH = 4_000  # texts between two writes: a few MB of vectors, a fraction of a second
AT_ONCE = 1_000  # labels in one transaction, so that people who decide meanwhile hardly wait

COLUMNS = (
    "pk",
    "content_hash",
    "status",
    "priority",
    "current_label__origin",
    "current_label__category_id",
    "current_label__confidence",
)


@dataclass(frozen=True, eq=False)
class Held:
    """What holds for n texts, by id. `confidence` is nan where no model's label holds, and then `category_ids` is 0.

    `ids`, `category_ids`, `confidence`, `is_accepted` and `priority` have shape (n,), `vectors` (n, dim).
    `without_vector` are the ids of other texts that were read on the way, `last_id` is the last of all.
    """

    ids: NDArray[np.int64]
    content_hashes: list[str]
    vectors: NDArray[np.float32]
    category_ids: NDArray[np.int64]
    confidence: NDArray[np.float64]
    is_accepted: NDArray[np.bool_]
    priority: NDArray[np.float64]
    without_vector: list[int]
    last_id: int


def batches(texts: TextQuerySet, *, fingerprint: str) -> Iterator[Held]:
    """What holds for the texts, by id, with their cached vectors of this model.

    Texts that some of several people have decided are left as they saw them.
    """
    with_vector = Text.objects.annotate(vector=embeddings.vector_of("content_hash", fingerprint=fingerprint))
    for ids in texts.filter(reviewed_at__isnull=True).in_batches(lambda: BATCH):
        rows = with_vector.filter(pk__in=ids).order_by("pk").values_list(*COLUMNS[:4], "vector", *COLUMNS[4:])
        yield _held(rows, last_id=ids[-1])


def _held(found: Iterable[tuple[int, str, str, float, bytes | None, str, int, float]], *, last_id: int) -> Held:
    rows, without_vector = [], []
    for row in found:
        if row[4] is None:
            without_vector.append(row[0])
        else:
            rows.append(row)
    columns = list(zip(*rows, strict=True)) or [()] * 8
    ids, hashes, statuses, priority, vectors, origins, category_ids, confidence = columns
    by_model = np.array(origins) == LabelOrigin.MODEL.value
    by_model &= np.isin(np.array(statuses), [status.value for status in UNDECIDED])
    return Held(
        ids=np.array(ids, dtype=np.int64),
        content_hashes=list(hashes),
        vectors=embeddings.stacked(vectors).astype(np.float32),
        category_ids=np.where(by_model, np.array([pk or 0 for pk in category_ids], dtype=np.int64), 0),
        confidence=np.where(by_model, np.array(confidence, dtype=np.float64), np.nan),
        is_accepted=np.array(statuses) == TextStatus.ACCEPTED.value,
        priority=np.array(priority, dtype=np.float64),
        without_vector=without_vector,
        last_id=last_id,
    )


def rescore(run: LabelingRun, labeler: HeadLabeler, held: Held) -> int:
    """Label the texts by the labeler's head; returns how many hold a new label.

    The others only take their new place in the review queue, where it is another one.
    """
    if not len(held.ids):
        return 0
    probabilities, raw = labeler.answers(held.vectors)
    best = probabilities.argmax(axis=1)
    confidence = np.minimum(probabilities.max(axis=1).astype(np.float64), 1.0)
    category_ids = np.array([category.pk for category in labeler.categories], dtype=np.int64)[best]
    is_new = says_something_new(held, category_ids, confidence, run.threshold)
    changed = 0
    for rows in _slices(np.flatnonzero(is_new)):
        texts = [TextRow(int(held.ids[row]), "", held.content_hashes[row]) for row in rows]
        changed += annotations.record_predictions(
            run,
            labeler.predictions(
                texts,
                probabilities[rows],
                raw=raw[rows],
                audit=draw_audit(len(rows), run.audit_share),
                truncated=_truncated(texts, labeler.encoder.provider.fingerprint),
            ),
        )
    urgency = priorities.urgency(probabilities, labeler.strategy).astype(np.float64)
    moved = ~is_new & (held.priority >= priorities.LEAST) & (np.abs(urgency - held.priority) >= PRIORITY_MOVE)
    annotations.place_in_queue(list(zip(urgency[moved].tolist(), held.ids[moved].tolist(), strict=True)))
    return changed


def says_something_new(
    held: Held, category_ids: NDArray[np.int64], confidence: NDArray[np.float64], threshold: float
) -> NDArray[np.bool_]:
    """Whether category or route are not what holds, or confidence moved by 0.05, for each text (n,)."""
    return np.asarray(
        np.isnan(held.confidence)
        | (category_ids != held.category_ids)
        | ((confidence >= threshold) != held.is_accepted)
        | (np.abs(confidence - held.confidence) >= CONFIDENCE_MOVE)
    )


def _slices(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    yield from (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _truncated(texts: Sequence[TextRow], fingerprint: str) -> list[bool]:
    cached = Embedding.objects.filter(model_fingerprint=fingerprint, is_truncated=True)
    cut = set(
        cached.filter(content_hash__in=[text.content_hash for text in texts]).values_list("content_hash", flat=True)
    )
    return [text.content_hash in cut for text in texts]


# --- Texts that a model read just now ---------------------------------------------------------------------------------


def split(predictions: Sequence[Prediction], threshold: float) -> tuple[list[Prediction], list[Prediction]]:
    """The predictions that say something new, and the others. Texts are accepted from the threshold on."""
    texts = Text.objects.filter(pk__in=[p.text_id for p in predictions]).order_by("pk")
    held = _held([(*row[:4], b"", *row[4:]) for row in texts.values_list(*COLUMNS)], last_id=0)
    by_id = {p.text_id: p for p in predictions}
    ordered = [by_id[pk] for pk in held.ids.tolist()]
    is_new = says_something_new(
        held,
        np.array([p.category_id for p in ordered], dtype=np.int64),
        np.array([p.confidence for p in ordered]),
        threshold,
    )
    parts: tuple[list[Prediction], list[Prediction]] = ([], [])
    for prediction, new in zip(ordered, is_new, strict=True):
        parts[0 if new else 1].append(prediction)
    return parts


def move_in_queue(predictions: Sequence[Prediction]) -> int:
    """Let texts whose label stays take their new place in the review queue; returns how many."""
    return annotations.place_in_queue([(p.priority, p.text_id) for p in predictions])
