"""The one place where a Review is written, and the lock under which that happens."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import Text
from reviews.hashing import content_hash
from reviews.models import Review


def lock(texts: QuerySet[Text], text_id: int) -> Text:
    """The text, locked until the end, so that of two people who decide at one moment the second sees the first.

    Only its own row, and not its key: with the project's row everybody else in the project would wait.
    """
    return texts.select_for_update(of=("self",), no_key=True).get(pk=text_id)


def write(**values: Any) -> Review:
    """Insert a Review with the hash of all that it says."""
    review = Review(**values, created_at=timezone.now())
    review.content_hash = content_hash(review)
    review.save()
    return review


def before(text: Text) -> dict[str, Any]:
    """What holds for a text before it is decided, as the Review keeps it."""
    label = text.current_label
    return {
        "label": label,
        "category_before_id": label.category_id if label else None,
        "confidence_before": label.confidence if label else None,
        "status_before": text.status,
    }
