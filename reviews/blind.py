"""What is hidden where people decide blind: who saw an answer cannot say independently whether it is right."""

from django.db.models import Q

from labeling.choices import TextStatus
from labeling.models import Text
from reviews.models import QueueReason, Review

BLIND = Q(is_audit=True) | Q(is_gold=True)  # `is_blind_text` in a query


def is_blind_text(text: Text) -> bool:
    """Texts of the audit and gold texts look alike, so that nobody knows when they are scored."""
    return text.is_audit or text.is_gold


def is_blind(review: Review) -> bool:
    """The review is about a text decided blind. An undo carries the label that it puts back, so it counts as well."""
    return review.is_blind or is_blind_text(review.text)


def hides_label(review: Review) -> bool:
    """The text can still be decided, by this person or another, who must not learn the label here."""
    return is_blind(review) and (review.text.is_gold or review.text.status != TextStatus.REVIEWED)


def hides_answer(text: Text) -> bool:
    """What one person said of the text could sway the next, who is to say it independently."""
    return is_blind_text(text) or text.project.reviews_per_text > 1


def shown_reason(reason: str) -> str:
    """Why a text is on the desk, as its reviewer may know it."""
    return QueueReason.AUDIT if reason == QueueReason.GOLD else reason
