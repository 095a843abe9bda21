"""What people decide about texts: one transaction writes the Review, the label if it differs, and what holds now."""

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from labeling import annotations
from labeling.choices import TextStatus
from labeling.models import Category, Label, Project, Text
from reviews import policy, refusals
from reviews.blind import is_blind_text
from reviews.claiming import free_slot
from reviews.models import DECISIONS, OF_REVIEWERS, Action, Assignment, QueueReason, Review, Reviewer
from reviews.settling import settle
from reviews.writing import before, lock, write

SKIPPED = -1.0  # a skipped text comes after all others: their priority is not below zero


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


def record(reviewer: Reviewer, text_id: int, decision: Decision, *, project: Project | None = None) -> Review:
    """Write one decision. The same idempotency key again gives the Review written first, and changes nothing.

    `project` is one for which the caller knows that the reviewer may decide. Raises WrongDecision (also for a text of
    another project), NotYourProject (without `project`), or a Conflict; nothing is half-written.
    """
    if decision.action not in OF_REVIEWERS:
        raise refusals.WrongDecision("This is not for reviewers to do.")
    texts = Text.objects.all() if project is None else Text.objects.filter(project=project)
    try:
        return _record(reviewer, texts, text_id, decision, is_member=project is not None)
    except Text.DoesNotExist:
        raise refusals.WrongDecision("There is no such text in this project.") from None
    except (IntegrityError, refusals.Conflict, refusals.WrongDecision):
        # one_review_per_idempotency_key refuses a second one, or what the first changed does. Looking the key up only
        # then spares every other decision a query.
        if repeated := written_before(reviewer, decision.idempotency_key):
            return repeated
        raise


def written_before(reviewer: Reviewer, idempotency_key: str) -> Review | None:
    """The Review that this reviewer wrote with this key, if any."""
    if not idempotency_key:
        return None
    return Review.objects.filter(reviewer=reviewer, idempotency_key=idempotency_key).first()


@transaction.atomic
def _record(reviewer: Reviewer, texts: QuerySet[Text], text_id: int, decision: Decision, *, is_member: bool) -> Review:
    text = lock(texts.select_related("project", "current_label__category"), text_id)
    if not is_member:
        refusals.require_membership(reviewer, text)
    assignment = Assignment.objects.filter(text=text, reviewer=reviewer).first()
    refusals.refuse_conflicts(reviewer, text, assignment, decision.label_id)
    refusals.refuse_wrong_numbers(decision.confidence, decision.seconds_spent)
    is_gold = refusals.is_gold(text, assignment)
    review = _insert(reviewer, text, decision, assignment, _category(text, decision), is_gold=is_gold)
    _apply(text, review, is_gold=is_gold)
    Assignment.objects.filter(text=text, reviewer=reviewer).delete()
    return review


def _apply(text: Text, review: Review, *, is_gold: bool) -> None:
    """What the review changes about the text. What a person says of gold changes nothing, unless they complain."""
    if review.action == Action.FLAG:
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FLAGGED)
    elif is_gold:
        return
    elif review.action == Action.SKIP:
        Text.objects.filter(pk=text.pk).update(priority=SKIPPED)
    else:
        # Where one person decides, this is the only review: another one would have been a conflict.
        if not settle(text, only=review if policy.reviews_needed(text) == 1 else None):
            annotations.note_review(text, review.created_at)


def _category(text: Text, decision: Decision) -> Category | None:
    """The category that the decision gives to the text."""
    if decision.action not in DECISIONS:
        return None
    refusals.refuse_wrong_form(
        text,
        decision.action,
        label_id=decision.label_id,
        category_id=decision.category_id,
        confidence=decision.confidence,
    )
    if decision.category_id is None:
        assert text.current_label is not None
        return text.current_label.category
    return refusals.active_category(text, decision.category_id)


def _insert(
    reviewer: Reviewer,
    text: Text,
    decision: Decision,
    assignment: Assignment | None,
    category: Category | None,
    *,
    is_gold: bool,
) -> Review:
    new_label = None
    if category is not None and not is_gold and _differs(text.current_label, category, decision):
        new_label = annotations.record_human_label(
            text, category, annotator=reviewer.user, confidence=decision.confidence
        )
    return write(
        reviewer=reviewer,
        text=text,
        action=decision.action,
        slot=assignment.slot if assignment else free_slot(text, QueueReason.CHOSEN) or 0,
        **before(text),
        new_label=new_label,
        category_after=category,
        confidence_after=decision.confidence,
        comment=decision.comment,
        proposed_category=decision.proposed_category,
        is_blind=is_blind_text(text),
        queue_reason=assignment.reason if assignment else QueueReason.CHOSEN,
        selection_probability=assignment.selection_probability if assignment else None,
        seconds_spent=decision.seconds_spent,
        idempotency_key=decision.idempotency_key or None,
        batch=decision.batch,
    )


def _differs(shown: Label | None, category: Category, decision: Decision) -> bool:
    return shown is None or shown.category_id != category.pk or decision.confidence is not None
