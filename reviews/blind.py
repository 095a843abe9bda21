"""What the blind audit hides: a person who saw the model's label cannot say independently whether it is right."""

from labeling.choices import TextStatus
from reviews.models import Review


def is_blind(review: Review) -> bool:
    """The review is about a text of the audit. An undo carries the label that it puts back, so it counts as well."""
    return review.is_blind or review.text.is_audit


def hides_label(review: Review) -> bool:
    """The text can still be decided, by this person or another, who must not learn the label here."""
    return is_blind(review) and review.text.status != TextStatus.REVIEWED
