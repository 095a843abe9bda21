"""The same decision about many texts, and its undo."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from labeling.models import Text
from reviews.blind import BLIND
from reviews.decisions import Decision, record
from reviews.models import Action, Review, Reviewer
from reviews.refusals import AlreadyDecided, Conflict, NothingToUndo, WrongDecision
from reviews.undoing import undo

MOST_TEXTS = 500  # in one batch: about five seconds on a small machine
AT_ONCE = 25  # texts in one transaction, so that other people's decisions need not wait for the whole batch


@dataclass(frozen=True)
class Batch:
    """What a batch did. Texts are left out when somebody else had them, decided them, or their label was replaced."""

    id: uuid.UUID
    done: int
    left_out: int


def record_all(
    reviewer: Reviewer,
    labels: Mapping[int, int],
    *,
    category_id: int | None = None,
    comment: str = "",
    batch: uuid.UUID | None = None,
) -> Batch:
    """Approve the label of each text, or give all of them one category.

    `labels` holds for each text's id the label that was shown. The same `batch` sent again finishes what was begun and
    changes nothing else. Raises NotYourProject or WrongDecision.
    """
    batch = batch or uuid.uuid4()
    approve = Decision(Action.APPROVE, comment=comment, batch=batch)
    done = 0
    # In one order for all: two batches that lock the same texts in different orders would wait for each other.
    for some in _chunks(sorted(labels)):
        with transaction.atomic():
            right = set(_texts_with(some, category_id)) if category_id else set()
            for text_id in some:
                wrong = replace(approve, action=Action.REJECT, category_id=category_id)
                decision = approve if category_id is None or text_id in right else wrong
                done += _record_one(reviewer, text_id, replace(decision, label_id=labels[text_id]))
    return Batch(batch, done, len(labels) - done)


def undo_batch(reviewer: Reviewer, batch: uuid.UUID) -> Batch:
    """Revert the decisions that were made together. Those that somebody decided anew since are left as they are."""
    made = Review.objects.filter(batch=batch, reviewer=reviewer, reverted_by__isnull=True)
    keys = list(made.order_by("text_id").values_list("pk", flat=True))
    if not keys:
        raise NothingToUndo("There is no such batch of yours, or it is undone already.")
    done = 0
    for some in _chunks(keys):
        with transaction.atomic():
            done += sum(_undo_one(reviewer, key) for key in some)
    return Batch(batch, done, len(keys) - done)


def _record_one(reviewer: Reviewer, text_id: int, decision: Decision) -> bool:
    try:
        record(reviewer, text_id, replace(decision, idempotency_key=f"{decision.batch}-{text_id}"))
    except Conflict:
        return False
    except WrongDecision:
        if Text.objects.filter(BLIND, pk=text_id).exists():
            return False  # it was drawn for the blind audit since it was listed
        raise
    return True


def _undo_one(reviewer: Reviewer, review_id: int) -> bool:
    try:
        undo(reviewer, review_id)
    except (AlreadyDecided, NothingToUndo):
        return False
    return True


def _texts_with(text_ids: Sequence[int], category_id: int) -> Iterator[int]:
    """Those that have this category already: to give it to them is to approve."""
    texts = Text.objects.filter(pk__in=text_ids, current_label__category_id=category_id)
    return iter(texts.values_list("pk", flat=True))


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
