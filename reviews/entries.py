"""One line of a history, on pages and in files alike, so that what must stay hidden is left out in one place."""

from datetime import datetime
from typing import Any, NamedTuple

from labeling.models import Label, Text
from reviews.blind import is_blind, shown_reason
from reviews.models import Action, QueueReason, Review


class Entry(NamedTuple):
    """One line of a history. The order of the fields is the order of columns and keys in files.

    Of a label, `category_after` and `confidence_after` are what it says. None where a field does not apply or is
    hidden; then `is_hidden` says so. Times are in UTC.
    """

    kind: str
    id: int
    created_at: datetime
    project: str
    text_id: int
    external_id: str
    text: str
    who: str
    reviewer_id: int | None = None
    action: str | None = None
    category_before_id: int | None = None
    category_before: str | None = None
    confidence_before: float | None = None
    category_after_id: int | None = None
    category_after: str | None = None
    confidence_after: float | None = None
    comment: str | None = None
    proposed_category: str | None = None
    is_blind: bool | None = None
    is_hidden: bool = False
    queue_reason: str | None = None
    selection_probability: float | None = None
    seconds_spent: float | None = None
    slot: int | None = None
    status_before: str | None = None
    label_id: int | None = None
    new_label_id: int | None = None
    reverts_id: int | None = None
    undone_by_id: int | None = None
    batch: str | None = None
    idempotency_key: str | None = None
    content_hash: str | None = None
    seal_position: int | None = None
    previous_hash: str | None = None
    chain_hash: str | None = None
    origin: str | None = None
    version: int | None = None
    provider: str | None = None
    model: str | None = None
    run_id: int | None = None
    classifier_version: int | None = None
    prompt_version: int | None = None
    is_calibrated: bool | None = None
    is_truncated: bool | None = None
    explanation: str | None = None

    @property
    def action_name(self) -> str:
        return str(Action(self.action).label) if self.action else "Label"

    @property
    def reason_name(self) -> str:
        return str(QueueReason(self.queue_reason).label) if self.queue_reason else ""

    @property
    def is_undo(self) -> bool:
        return self.reverts_id is not None

    @property
    def hides_before(self) -> bool:
        return self.is_hidden and not self.is_undo

    @property
    def hides_after(self) -> bool:
        return self.is_hidden and self.is_undo

    @property
    def has_both(self) -> bool:
        """There is something before and something after, be it hidden. A skip or a flag has nothing after."""
        return bool((self.hides_before or self.category_before) and (self.hides_after or self.category_after))


def entry_of_label(label: Label, text: Text) -> Entry:
    """What made the label and what it says. For managers: nothing is hidden."""
    who = label.annotator.get_username() if label.annotator else label.model_name or label.provider or label.source
    return Entry(
        kind="label",
        id=label.pk,
        created_at=label.created_at,
        project=text.project.name,
        text_id=text.pk,
        external_id=text.external_id,
        text=text.content,
        who=who,
        category_after_id=label.category_id,
        category_after=label.category.name,
        confidence_after=label.confidence,
        origin=label.origin,
        version=label.version,
        provider=label.provider or None,
        model=label.model_name or None,
        run_id=label.run_id,
        classifier_version=label.classifier.version if label.classifier else None,
        prompt_version=label.prompt_version,
        is_calibrated=label.is_calibrated,
        is_truncated=label.is_truncated,
        explanation=label.explanation or None,
    )


def entry_of_review(review: Review) -> Entry:
    """All that is known of a review, for managers. With these fields its content hash can be computed again."""
    seal = getattr(review, "seal", None)
    undone_by = getattr(review, "reverted_by", None)
    return Entry(
        kind="review",
        id=review.pk,
        created_at=review.created_at,
        project=review.text.project.name,
        text_id=review.text_id,
        external_id=review.text.external_id,
        text=review.text.content,
        who=str(review.reviewer),
        reviewer_id=review.reviewer_id,
        action=review.action,
        category_before_id=review.category_before_id,
        category_before=review.category_before.name if review.category_before else None,
        confidence_before=review.confidence_before,
        category_after_id=review.category_after_id,
        category_after=review.category_after.name if review.category_after else None,
        confidence_after=review.confidence_after,
        comment=review.comment,
        proposed_category=review.proposed_category,
        is_blind=review.is_blind,
        queue_reason=review.queue_reason,
        selection_probability=review.selection_probability,
        seconds_spent=review.seconds_spent,
        slot=review.slot,
        status_before=review.status_before,
        label_id=review.label_id,
        new_label_id=review.new_label_id,
        reverts_id=review.reverts_id,
        undone_by_id=undone_by.pk if undone_by else None,
        batch=str(review.batch) if review.batch else None,
        idempotency_key=review.idempotency_key,
        content_hash=review.content_hash,
        seal_position=seal.position if seal else None,
        previous_hash=seal.previous_hash if seal else None,
        chain_hash=seal.chain_hash if seal else None,
    )


# Each of these tells a reviewer the answer, or that it is known: the status whether the model was sure, a missing new
# label that the model agrees. And of a hash one can try every answer there is, of a chain also by its later links.
LINKS = ("previous_hash", "chain_hash")
BEFORE = ("category_before_id", "category_before", "confidence_before")
AFTER = ("category_after_id", "category_after", "confidence_after")
TELLTALES = ("selection_probability", "slot", "status_before", "label_id", "new_label_id", "content_hash")


def entry_for_the_reviewer(review: Review) -> Entry:
    """The same as the reviewer may see it: silent on the answer of blind texts, and gold looks like the audit.

    Decided texts as well: an undo could use the answer, and gold would stand out among them.
    """
    entry = entry_of_review(review)
    if not is_blind(review):
        return _without(entry, LINKS)
    # What an undo takes back is the reviewer's own word; what it puts back is the hidden answer.
    silent = _without(entry, (*LINKS, *TELLTALES, *(AFTER if entry.is_undo else BEFORE)))
    return silent._replace(queue_reason=shown_reason(review.queue_reason), is_hidden=True)


def _without(entry: Entry, names: tuple[str, ...]) -> Entry:
    values: dict[str, Any] = dict.fromkeys(names)
    return entry._replace(**values)
