"""Decisions that look like mistakes, looked at again by a manager who does not see what was decided."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from labeling import suspects
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import refusals, reviewers
from reviews.models import Action, QueueReason, Review
from reviews.writing import before, lock, write

MOST_SUSPECTS = 1_000  # confirmed ones stay among them


@dataclass(frozen=True)
class Waiting:
    """The text to look at next and how many are left with it, or a note why there is none."""

    text: Text | None
    left: int
    note: str


def waiting(project: Project) -> Waiting:
    """What waits for a second look: the decision first that fits the others least."""
    found = suspects.possible_mistakes(project, limit=MOST_SUSPECTS)
    keys = [row.text_id for row in found.rows]
    looked_at = Review.objects.effective().filter(queue_reason=QueueReason.SECOND_LOOK, text__in=keys)
    decided = Text.objects.filter(pk__in=keys, status=TextStatus.REVIEWED)
    left = set(decided.values_list("pk", flat=True)) - set(looked_at.values_list("text_id", flat=True))
    first = next((key for key in keys if key in left), None)
    if first is None:
        return Waiting(None, 0, found.note or "Every decision that looked like a mistake was looked at again.")
    return Waiting(Text.objects.get(pk=first), len(left), "")


@transaction.atomic
def look_again(manager: User, text_id: int, *, category_id: int, comment: str = "") -> Review:
    """A blind answer to a text that is decided. The same answer confirms it; another makes it a case to adjudicate.

    Raises AlreadyDecided when the text is not decided any more, or this manager has answered already.
    """
    text = lock(Text.objects.select_related("project"), text_id)
    reviewer = reviewers.profile_of_manager(manager)
    again = Review.objects.effective().filter(queue_reason=QueueReason.SECOND_LOOK)
    mine = again.filter(text=text, reviewer=reviewer).first()
    if mine or text.status != TextStatus.REVIEWED:
        raise refusals.AlreadyDecided("This text does not wait for your second look any more.", mine)
    review = write(
        reviewer=reviewer,
        text=text,
        action=Action.DECIDE,
        **before(text),
        category_after=refusals.active_category(text, category_id),
        comment=comment,
        is_blind=True,
        queue_reason=QueueReason.SECOND_LOOK,
    )
    if review.category_after_id != review.category_before_id:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
    return review
