"""What people decide about texts: one transaction writes the Review, the label if it differs, and what holds now."""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import annotations
from labeling.choices import LABELABLE, TextStatus
from labeling.models import Category, Label, Text
from reviews.access import NotYourProject
from reviews.hashing import content_hash
from reviews.models import DECISIONS, Action, Assignment, QueueReason, Review, Reviewer

SKIPPED = -1.0  # a skipped text comes after all others: their priority is between 0 and 1


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
    """The label that was judged is not the current one any more."""


class WrongDecision(ValueError):
    """The decision cannot be made so. The message says how."""


class NothingToUndo(LookupError):
    """The reviewer has no decision that can be undone."""


@dataclass(frozen=True)
class Decision:
    """What a person does with a text, as it came in. `label_id` is the label that was shown; None when blind."""

    action: Action
    label_id: int | None = None
    category_id: int | None = None
    confidence: float | None = None
    comment: str = ""
    proposed_category: str = ""
    seconds_spent: float | None = None
    idempotency_key: str = ""
    batch: uuid.UUID | None = None


def record(reviewer: Reviewer, text_id: int, decision: Decision) -> Review:
    """Write one decision. The same idempotency key again gives the Review written first, and changes nothing.

    Raises NotYourProject, WrongDecision, or a Conflict; nothing is half-written.
    """
    try:
        return _record(reviewer, text_id, decision)
    except IntegrityError:  # one_review_per_idempotency_key: the same key, sent for another text at the same moment
        if repeated := _written_before(reviewer, decision):
            return repeated
        raise


@transaction.atomic
def _record(reviewer: Reviewer, text_id: int, decision: Decision) -> Review:
    text = _lock(Text.objects.select_related("project"), text_id)
    # Looked up under the lock: of two requests with one key the second finds what the first wrote.
    if repeated := _written_before(reviewer, decision):
        return repeated
    _require_membership(reviewer, text)
    assignment = _own_assignment(reviewer, text)
    _refuse_conflicts(reviewer, text, decision)
    _refuse_wrong_numbers(decision)
    category = _category(text, decision)
    review = _insert(reviewer, text, decision, assignment, category)
    if decision.action in DECISIONS:
        _settle(text, review)
    elif decision.action == Action.SKIP:
        Text.objects.filter(pk=text.pk).update(priority=SKIPPED)
    else:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
    Assignment.objects.filter(text=text, reviewer=reviewer).delete()
    return review


@transaction.atomic
def undo(reviewer: Reviewer, review_id: int | None = None) -> Review:
    """Revert one of the reviewer's own decisions, the last one by default. History stays: a new Review says so.

    Raises NothingToUndo, or AlreadyDecided when somebody decided the text again since.
    """
    mine = Review.objects.filter(reviewer=reviewer, reverted_by__isnull=True).exclude(action=Action.UNDO)
    if review_id is not None:
        mine = mine.filter(pk=review_id)
    review = mine.order_by("-pk").first()
    if review is None:
        raise NothingToUndo("There is no decision of yours to undo.")
    text = _lock(Text.objects.all(), review.text_id)
    if Review.objects.filter(reverts=review).exists():  # between our look and the lock
        raise NothingToUndo("This decision is undone already.")
    later = Review.objects.effective().filter(text=text, pk__gt=review.pk).exclude(reviewer=reviewer).first()
    if later is not None:
        raise AlreadyDecided(f"{later.reviewer} decided this text after you.", later)
    reverting = _write(
        reviewer=reviewer,
        text=text,
        action=Action.UNDO,
        reverts=review,
        status_before=text.status,
        category_before_id=review.category_after_id,
        category_after_id=review.category_before_id,
    )
    _take_back(text, review)
    return reverting


def _take_back(text: Text, review: Review) -> None:
    """Let hold what held before the review. A text that it did not settle keeps the label it has now: a run may have
    given it a newer one."""
    if text.status in (TextStatus.REVIEWED, TextStatus.FLAGGED):
        annotations.restore(text, label_id=review.label_id, status=review.status_before)
    elif review.action == Action.SKIP and text.current_label is not None:
        Text.objects.filter(pk=text.pk).update(priority=1 - (text.current_label.margin or 0.0))


def undo_batch(reviewer: Reviewer, batch: uuid.UUID) -> list[Review]:
    """Revert all decisions that were made together, or none of them."""
    with transaction.atomic():
        keys = Review.objects.filter(batch=batch, reviewer=reviewer, reverted_by__isnull=True).order_by("-pk")
        return [undo(reviewer, key) for key in list(keys.values_list("pk", flat=True))]


def record_all(reviewer: Reviewer, text_ids: Sequence[int], decision: Decision) -> uuid.UUID:
    """The same decision about many texts, all or none; returns the batch by which it can be undone."""
    batch = uuid.uuid4()
    with transaction.atomic():
        # In one order for all: two batches that lock the same texts in different orders would wait for each other.
        for text_id in sorted(text_ids):
            label_id = Text.objects.values_list("current_label_id", flat=True).get(pk=text_id)
            one = Decision(decision.action, label_id, decision.category_id, comment=decision.comment, batch=batch)
            record(reviewer, text_id, one)
    return batch


def _lock(texts: QuerySet[Text], text_id: int) -> Text:
    """The text, locked until the end, so that of two people who decide at one moment the second sees the first.

    Only its own row, and not its key: with the project's row everybody else in the project would wait.
    """
    return texts.select_for_update(of=("self",), no_key=True).get(pk=text_id)


# --- What is refused --------------------------------------------------------------------------------------------------


def _written_before(reviewer: Reviewer, decision: Decision) -> Review | None:
    if not decision.idempotency_key:
        return None
    return Review.objects.filter(reviewer=reviewer, idempotency_key=decision.idempotency_key).first()


def _require_membership(reviewer: Reviewer, text: Text) -> None:
    if not (reviewer.is_active and reviewer.projects.filter(pk=text.project_id).exists()):
        raise NotYourProject(f"You do not review for project {text.project}. Ask a manager to add you.")


def _own_assignment(reviewer: Reviewer, text: Text) -> Assignment | None:
    return Assignment.objects.filter(text=text, reviewer=reviewer).first()


def _refuse_conflicts(reviewer: Reviewer, text: Text, decision: Decision) -> None:
    made = Review.objects.effective().filter(text=text).select_related("reviewer__user").order_by("-pk")
    mine = next((review for review in made if review.reviewer_id == reviewer.pk), None)
    if mine or text.status not in LABELABLE:
        review = mine or made.first()
        who = "You have" if mine else f"{review.reviewer if review else 'Somebody'} has"
        raise AlreadyDecided(f"{who} decided this text already.", review)
    others = Assignment.objects.filter(text=text, expires_at__gt=timezone.now()).exclude(reviewer=reviewer)
    if len(made) + others.count() >= text.project.reviews_per_text:
        raise OnAnotherDesk("This text is on another desk. Take the next one.")
    if decision.label_id is not None and decision.label_id != text.current_label_id:
        raise LabelReplaced("A newer label has taken this one's place. Look at the text again.")


def _refuse_wrong_numbers(decision: Decision) -> None:
    """NaN and infinity: databases keep them differently or not at all."""
    for number in (decision.confidence, decision.seconds_spent):
        if number is not None and not math.isfinite(number):
            raise WrongDecision("Give the confidence and the seconds as ordinary numbers, or leave them out.")


def _category(text: Text, decision: Decision) -> Category | None:
    """The category that the decision gives to the text."""
    if decision.action not in DECISIONS:
        return None
    _refuse_wrong_form(text, decision)
    if decision.category_id is None:
        assert text.current_label is not None
        return text.current_label.category
    category = Category.objects.filter(pk=decision.category_id, project_id=text.project_id, is_active=True).first()
    if category is None:
        raise WrongDecision("This is not an active category of the text's project. Choose one of its categories.")
    return category


def _refuse_wrong_form(text: Text, decision: Decision) -> None:
    if decision.action != Action.DECIDE:
        if decision.label_id is None:
            raise WrongDecision("Name the label that is judged.")
        if text.is_audit:
            raise WrongDecision("This text is of the blind audit: decide it without its label.")
    if decision.action in (Action.REJECT, Action.DECIDE) and decision.category_id is None:
        raise WrongDecision("Name the right category.")
    current = text.current_label.category_id if text.current_label else None
    if decision.action == Action.REJECT and decision.category_id == current:
        raise WrongDecision("This is the category that the label has. Approve it, or choose another.")
    if decision.action == Action.MODIFY and decision.category_id is None and decision.confidence is None:
        raise WrongDecision("Name a category, a confidence, or both.")


# --- What is written --------------------------------------------------------------------------------------------------


def _insert(
    reviewer: Reviewer, text: Text, decision: Decision, assignment: Assignment | None, category: Category | None
) -> Review:
    shown: Label | None = text.current_label
    new_label = None
    if category is not None and _differs(shown, category, decision):
        new_label = annotations.record_human_label(
            text, category, annotator=reviewer.user, confidence=decision.confidence
        )
    return _write(
        reviewer=reviewer,
        text=text,
        action=decision.action,
        slot=assignment.slot if assignment else 0,
        label=shown,
        new_label=new_label,
        category_before_id=shown.category_id if shown else None,
        category_after=category,
        confidence_before=shown.confidence if shown else None,
        confidence_after=decision.confidence,
        status_before=text.status,
        comment=decision.comment,
        proposed_category=decision.proposed_category,
        is_blind=text.is_audit,
        queue_reason=assignment.reason if assignment else QueueReason.CHOSEN,
        selection_probability=assignment.selection_probability if assignment else None,
        seconds_spent=decision.seconds_spent,
        idempotency_key=decision.idempotency_key,
        batch=decision.batch,
    )


def _differs(shown: Label | None, category: Category, decision: Decision) -> bool:
    return shown is None or shown.category_id != category.pk or decision.confidence is not None


def _settle(text: Text, review: Review) -> None:
    """Let the decision hold once all reviews asked for are made and agree; disagreement goes to a manager."""
    made = list(Review.objects.effective().filter(text=text))
    if len(made) < text.project.reviews_per_text:
        return
    if len({one.category_after_id for one in made}) > 1:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
        return
    label_id = review.new_label_id or review.label_id
    annotations.hold(text, label_id=label_id, reviewed_by=review.reviewer.user)


def _write(**values: Any) -> Review:
    review = Review(**values, created_at=timezone.now())
    review.content_hash = content_hash(review)
    review.save()
    return review
