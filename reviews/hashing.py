"""What a Review's content hash covers, the same for a row just made and for a row read from any database."""

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from reviews.models import Review

# The fields under each version's hash. A released version is never edited: the hashes of old rows depend on it. A
# column that is added later goes into the next version; the version's number takes part in the hash.
FIELDS: dict[int, tuple[str, ...]] = {
    1: (
        "text",
        "reviewer",
        "action",
        "slot",
        "label",
        "new_label",
        "category_before",
        "category_after",
        "confidence_before",
        "confidence_after",
        "status_before",
        "comment",
        "proposed_category",
        "is_blind",
        "queue_reason",
        "selection_probability",
        "seconds_spent",
        "idempotency_key",
        "reverts",
        "batch",
        "created_at",
    ),
}
NEWEST = max(FIELDS)


def content_hash(review: Review, *, version: int = NEWEST) -> str:
    """SHA-256 of all that a review says. Raises ValueError for a number that no database keeps (NaN, infinity)."""
    values: dict[str, Any] = {name: _plain(review, name) for name in FIELDS[version]}
    content = json.dumps({"version": version, **values}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def is_unchanged(review: Review) -> bool:
    """Whether the row says what it said when it was inserted, under the version of that time."""
    return any(content_hash(review, version=version) == review.content_hash for version in reversed(FIELDS))


def _plain(review: Review, name: str) -> Any:
    """The value as a database gives it back: 3 in a column of floats is 3.0, a time is in UTC, -0.0 is 0.0."""
    field: Any = Review._meta.get_field(name)
    value = field.to_python(getattr(review, field.attname))
    if isinstance(value, float):
        return value + 0.0  # SQLite loses the sign of zero
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, uuid.UUID) else value
