"""Why a decision is refused: one exception for each reason, and the checks that raise them."""

import math
from collections.abc import Mapping

from django.db.models import F
from django.utils import timezone

from labeling.choices import LABELABLE, TextStatus
from labeling.models import Category, Label, Text
from reviews import policy
from reviews.access import NotYourProject
from reviews.blind import is_blind_text
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer


class Conflict(RuntimeError):
    """The text is not as the reviewer saw it. `review` is the decision of the other person, if there is one."""

    def __init__(self, message: str, review: Review | None = None) -> None:
        super().__init__(message)
        self.review = review


class AlreadyDecided(Conflict):
    """Somebody, or the reviewer, has decided this text."""


class OnAnotherDesk(Conflict):
    """Somebody else has claimed this text."""


class LabelReplaced(Conflict):
    """The label that was judged is not the current one any more, which names another category."""


class WrongDecision(ValueError):
    """The decision cannot be made so. The message says how."""


class NothingToUndo(LookupError):
    """The reviewer has no decision that can be undone."""


def require_membership(reviewer: Reviewer, text: Text) -> None:
    if not (reviewer.is_active and reviewer.projects.filter(pk=text.project_id).exists()):
        raise NotYourProject(f"You do not review for project {text.project}. Ask a manager to add you.")


def refuse_conflicts(reviewer: Reviewer, text: Text, assignment: Assignment | None, label_id: int | None) -> None:
    """Raises a Conflict unless this reviewer may decide the text now, with this label as the one that was shown."""
    made = list(Review.objects.effective().filter(text=text).order_by("-pk"))
    mine = next((review for review in made if review.reviewer_id == reviewer.pk), None)
    if mine:
        raise AlreadyDecided("You have decided this text already.", mine)
    if is_gold(text, assignment):
        return
    if text.status not in LABELABLE:
        review = made[0] if made else None
        raise AlreadyDecided(f"{review.reviewer if review else 'Somebody'} has decided this text already.", review)
    if len(made) + _others_desks(text, assignment) >= policy.reviews_needed(text):
        raise OnAnotherDesk("This text is on another desk. Take the next one.")
    if label_id is not None and label_id != text.current_label_id and not still_right({text.pk: label_id}):
        raise LabelReplaced("A newer label with another category has taken this one's place. Look at the text again.")


def still_right(labels: Mapping[int, int]) -> set[int]:
    """The texts whose label now has the category of the one that was shown. `labels`: for each text's id that one.

    Learning labels again while people decide, mostly with the same category: what they judged still stands.
    """
    same = Label.objects.filter(pk__in=labels.values(), text__current_label__category=F("category")).order_by()
    return {text_id for text_id, label_id in same.values_list("text", "pk") if labels.get(text_id) == label_id}


def _others_desks(text: Text, assignment: Assignment | None) -> int:
    if assignment and policy.reviews_needed(text) == 1:
        return 0  # a_text_is_on_one_desk_for_each_review_asked_for: it is on this one
    others = Assignment.objects.filter(text=text, expires_at__gt=timezone.now())
    return (others.exclude(pk=assignment.pk) if assignment else others).count()


def is_gold(text: Text, assignment: Assignment | None) -> bool:
    """The text is decided, and was shown to see whether this person decides the same."""
    return assignment is not None and assignment.reason == QueueReason.GOLD and text.status == TextStatus.REVIEWED


def refuse_wrong_numbers(*numbers: float | None) -> None:
    """NaN and infinity: databases keep them differently or not at all."""
    for number in numbers:
        if number is not None and not math.isfinite(number):
            raise WrongDecision("Give the confidence and the seconds as ordinary numbers, or leave them out.")


def refuse_wrong_form(
    text: Text, action: Action, *, label_id: int | None, category_id: int | None, confidence: float | None
) -> None:
    """Raises WrongDecision unless the action has what it needs, and nothing that it cannot have."""
    if action != Action.DECIDE:
        if label_id is None:
            raise WrongDecision("Name the label that is judged.")
        if is_blind_text(text):
            raise WrongDecision("This text is of the blind audit: decide it without its label.")
    if action in (Action.REJECT, Action.DECIDE) and category_id is None:
        raise WrongDecision("Name the right category.")
    current = text.current_label.category_id if text.current_label else None
    if action == Action.REJECT and category_id == current:
        raise WrongDecision("This is the category that the label has. Approve it, or choose another.")
    if action == Action.MODIFY and category_id is None and confidence is None:
        raise WrongDecision("Name a category, a confidence, or both.")


def active_category(text: Text, category_id: int) -> Category:
    """The category, if a label of this text may have it."""
    category = Category.objects.filter(pk=category_id, project_id=text.project_id, is_active=True).first()
    if category is None:
        raise WrongDecision("This is not an active category of the text's project. Choose one of its categories.")
    return category
