"""Taking a decision back at the desk: the text returns to the desk it came from, as it lay there."""

from django.db import IntegrityError, transaction

from reviews import decisions
from reviews.models import Assignment, Review, Reviewer


def take_back(reviewer: Reviewer, review_id: int | None) -> tuple[Review, Assignment | None]:
    """Undo a decision and claim its text again; no claim when the text went to another desk meanwhile.

    The claim keeps why and with what probability the text was drawn: a second look must not change what an audit says.
    """
    with transaction.atomic():
        undone = decisions.undo(reviewer, review_id)
        assert undone.reverts is not None
        return undone, _claim_again(reviewer, undone.reverts)


def _claim_again(reviewer: Reviewer, review: Review) -> Assignment | None:
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
