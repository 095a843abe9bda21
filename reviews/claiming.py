"""The conditional write that puts a text on one desk: a unique constraint decides, not a look beforehand."""

from collections.abc import Callable, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import Text
from reviews import policy
from reviews.models import Assignment, QueueReason, Review, Reviewer

LOOKED_AT = 30  # candidates among which the guard against near-duplicates chooses
CANDIDATES = 10  # of these so many are tried: others may claim the first ones between our look and our write
WITH_TEXT = ("project", "current_label__category")  # what is read with a claimed text, since its page shows it
ATTEMPTS = 50  # when others are always first

Order = Callable[[Sequence[Text]], list[Text]]


def claim(reviewer: Reviewer, texts: QuerySet[Text], reason: QueueReason, *, order: Order = list) -> Assignment | None:
    """A claim on the first of these texts that nobody claimed meanwhile. `order` may move some of the first back.

    Looking happens outside the transaction, so that the one writer of SQLite does not wait for it.
    """
    for _ in range(ATTEMPTS):
        first = list(texts.only("pk", "content_hash")[:LOOKED_AT])
        if not first:
            return None
        for text in order(first)[:CANDIDATES]:
            if claimed := _claim_or_tidy(reviewer, texts.filter(pk=text.pk), reason):
                return claimed
        _wait_for_the_first(texts)
    return None


@transaction.atomic
def _wait_for_the_first(texts: QuerySet[Text]) -> None:
    """Others hold locks on all that were tried; the first may still be free when its lock is given up.

    One text only, since waiting for a second while holding a first can be waiting for each other.
    """
    if connection.features.has_select_for_update_skip_locked:
        texts.select_for_update(of=("self",), no_key=True).first()


def _claim_or_tidy(reviewer: Reviewer, text: QuerySet[Text], reason: QueueReason) -> Assignment | None:
    """A claim on this text; a claim that has ended but is still there gives its place."""
    for _ in range(2):
        try:
            return _claim_this(reviewer, text, reason)
        except IntegrityError:  # a_text_is_on_one_desk_for_each_review_asked_for: somebody was first
            ended = Assignment.objects.filter(text__in=text.values("pk").order_by(), expires_at__lte=timezone.now())
            if not ended.delete()[0]:
                return None
    return None


@transaction.atomic
def _claim_this(reviewer: Reviewer, texts: QuerySet[Text], reason: QueueReason) -> Assignment | None:
    """A claim on the one text among these, unless it is not free any more."""
    free = texts.select_related(*WITH_TEXT)
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True, of=("self",), no_key=True)
    text = free.first()
    if text is None:
        return None
    return _insert(reviewer, text, reason)


def _insert(reviewer: Reviewer, text: Text, reason: QueueReason) -> Assignment | None:
    probability = text.project.audit_share if reason == QueueReason.AUDIT else None
    slot = free_slot(text, reason)
    if slot is None:
        return None
    return Assignment.objects.create(
        text=text, reviewer=reviewer, slot=slot, reason=reason, selection_probability=probability
    )


def free_slot(text: Text, reason: QueueReason) -> int | None:
    """The first of the text's asked-for reviews that nobody made or holds. Gold texts have room for everybody."""
    if reason != QueueReason.GOLD and policy.reviews_needed(text) == 1:
        return 0
    used = set(text.assignments.filter(expires_at__gt=timezone.now()).values_list("slot", flat=True))
    if reason == QueueReason.GOLD:
        return next(slot for slot in range(len(used) + 1) if slot not in used)
    used |= set(Review.objects.effective().filter(text=text).values_list("slot", flat=True))
    return next((slot for slot in range(policy.reviews_needed(text)) if slot not in used), None)
