"""Taking decisions back. History stays: a new Review says that an earlier one no longer counts."""

from django.db import IntegrityError, transaction

from labeling import annotations, priorities
from labeling.choices import LABELABLE, TextStatus
from labeling.models import Text
from reviews.models import DECISIONS, OF_REVIEWERS, Action, Assignment, QueueReason, Review, Reviewer
from reviews.refusals import AlreadyDecided, NothingToUndo
from reviews.writing import lock, write


@transaction.atomic
def undo(reviewer: Reviewer, review_id: int | None = None) -> Review:
    """Revert one of the reviewer's own decisions, the last one by default.

    Raises NothingToUndo, or AlreadyDecided when somebody decided the text again since.
    """
    mine = Review.objects.filter(reviewer=reviewer, reverted_by__isnull=True).exclude(action=Action.UNDO)
    if review_id is not None:
        mine = mine.filter(pk=review_id)
    review = mine.order_by("-pk").first()
    if review is None:
        raise NothingToUndo("There is no decision of yours to undo.")
    text = lock(Text.objects.all(), review.text_id)
    if Review.objects.filter(reverts=review).exists():  # between our look and the lock
        raise NothingToUndo("This decision is undone already.")
    _refuse_out_of_order(text, review)
    reverting = write(
        reviewer=reviewer,
        text=text,
        action=Action.UNDO,
        reverts=review,
        queue_reason=review.queue_reason,
        is_blind=review.is_blind,
        status_before=text.status,
        category_before_id=review.category_after_id,
        category_after_id=review.category_before_id,
    )
    _take_back(text, review)
    return reverting


@transaction.atomic
def take_back(reviewer: Reviewer, review_id: int | None) -> tuple[Review, Assignment | None]:
    """Undo a decision and claim its text again; no claim when the text went to another desk meanwhile.

    The claim keeps why and with what probability the text was drawn: a second look must not change what an audit says.
    """
    undone = undo(reviewer, review_id)
    assert undone.reverts is not None
    return undone, _claim_again(reviewer, undone.reverts)


def _refuse_out_of_order(text: Text, review: Review) -> None:
    """Decisions of one text are taken back from the last one on; while it is open, or gold, those of others do not
    hang on each other."""
    later = Review.objects.filter(text=text, pk__gt=review.pk, reverted_by__isnull=True).exclude(action=Action.UNDO)
    if later.filter(reviewer=review.reviewer).exists():
        raise NothingToUndo("You have reviewed this text again since. Undo that first.")
    if text.status in LABELABLE or _is_answer_to_gold(review):
        return
    other = later.filter(action__in=[*DECISIONS, Action.FLAG]).select_related("reviewer__user").first()
    if other is not None:
        raise AlreadyDecided(f"{other.reviewer} decided this text after you.", other)


def _take_back(text: Text, review: Review) -> None:
    """Let hold what held before the review. A text that it did not settle keeps the label it has now: a run may have
    given it a newer one."""
    if _is_answer_to_gold(review):
        return
    if review.action == Action.RETURN:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
    elif text.status in (TextStatus.REVIEWED, TextStatus.FLAGGED):
        annotations.restore(text, label_id=review.label_id, status=review.status_before)
    elif review.action == Action.SKIP and not _still_made(text, Action.SKIP):
        label = text.current_label
        priority = priorities.of_label(label, text.project.sampling) if label else priorities.LEAST
        Text.objects.filter(pk=text.pk).update(priority=priority)
    _keep_the_word_of_others(text)


def _keep_the_word_of_others(text: Text) -> None:
    """Whose decision holds, or waits for more people's, once another was taken back."""
    made = Review.objects.effective().filter(text=text)
    last = made.exclude(queue_reason__in=[QueueReason.GOLD, QueueReason.SECOND_LOOK])  # those settle nothing
    review = last.select_related("reviewer__user").order_by("-pk").first()
    text.refresh_from_db(fields=["status"])
    if review is not None and text.status == TextStatus.REVIEWED:
        annotations.hold(text, label_id=text.current_label_id, reviewed_by=review.reviewer.user, when=review.created_at)
    elif text.status in LABELABLE:
        annotations.note_review(text, review.created_at if review else None)


def _still_made(text: Text, action: Action) -> bool:
    return Review.objects.filter(text=text, action=action, reverted_by__isnull=True).exists()


def _is_answer_to_gold(review: Review) -> bool:
    """Such a review changed nothing about the text."""
    return review.queue_reason == QueueReason.GOLD and review.action in (*DECISIONS, Action.SKIP)


def _claim_again(reviewer: Reviewer, review: Review) -> Assignment | None:
    is_open = Text.objects.filter(pk=review.text_id, status__in=LABELABLE).exists()
    if not (is_open or _is_answer_to_gold(review)) or review.action not in OF_REVIEWERS:
        return None
    if held := Assignment.objects.filter(reviewer=reviewer, text_id=review.text_id).first():
        return held
    try:
        with transaction.atomic():
            return Assignment.objects.create(
                text_id=review.text_id,
                reviewer=reviewer,
                slot=review.slot,
                reason=review.queue_reason,
                selection_probability=review.selection_probability,
            )
    except IntegrityError:  # a_text_is_on_one_desk_for_each_review_asked_for: it was skipped, and somebody took it
        return None
