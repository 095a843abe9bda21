"""What was said and done: the history of a text and of a reviewer, as entries. Reads only."""

import heapq
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from labeling.models import Label, Text
from reviews.entries import Entry, entry_for_the_reviewer, entry_of_label, entry_of_review
from reviews.models import Review, Reviewer, ReviewQuerySet
from reviews.recent import newest

CHUNK_ROWS = 500
PAGE_ROWS = 50
MOST_COUNTED = 10_000
MOST_COUNTED_EVER = 100_000

Entries = Generator[Entry, None, None]


# --- Of a text --------------------------------------------------------------------------------------------------------


def timeline(text: Text) -> Entries:
    """All labels and reviews of the text, oldest first. Nothing is hidden: it is for managers."""
    reviews = _with_names(Review.objects.filter(text=text)).order_by("created_at", "pk")
    said = (entry_of_label(label, text) for label in _labels(text).iterator(chunk_size=CHUNK_ROWS))
    done = (entry_of_review(review) for review in reviews.iterator(chunk_size=CHUNK_ROWS))
    yield from heapq.merge(said, done, key=lambda entry: (entry.created_at, entry.kind))


def _labels(text: Text) -> Any:
    heavy = ("classifier__weights", "classifier__category_ids", "classifier__fitted_on", "classifier__quality")
    rows = Label.objects.filter(text=text).select_related("category", "annotator", "classifier")
    return rows.defer("scores", "evidence", *heavy).order_by("created_at", "pk")


# --- Of a reviewer ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """Which reviews of a person are asked for."""

    project_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    action: str | None = None

    def apply(self, reviews: ReviewQuerySet) -> ReviewQuerySet:
        conditions: dict[str, Any] = {
            "text__project_id": self.project_id,
            "created_at__gte": self.since,
            "created_at__lte": self.until,
            "action": self.action,
        }
        return reviews.filter(**{name: value for name, value in conditions.items() if value is not None})


@dataclass(frozen=True)
class Page:
    """Some entries, and the id before which the next page begins."""

    entries: list[Entry]
    next_before: int | None


@dataclass(frozen=True)
class Numbers:
    """Decisions that stand, counted among the newest reviews only, and all reviews up to a bound."""

    today: int
    week: int
    is_today_capped: bool
    is_week_capped: bool
    entries: int
    are_entries_capped: bool


def page_of(reviewer: Reviewer, chosen: Chosen, *, before: int | None, hides_answers: bool) -> Page:
    """The next reviews before an id, newest first. Nothing is counted."""
    found = list(_newest(reviewer, chosen, before)[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    make = entry_for_the_reviewer if hides_answers else entry_of_review
    return Page([make(review) for review in shown], shown[-1].pk if len(found) > PAGE_ROWS else None)


def entries_of(reviewer: Reviewer, chosen: Chosen, *, hides_answers: bool) -> Entries:
    """All reviews asked for, newest first, as a stream.

    Chunk by chunk from an id on: PostgreSQL would write a cursor's whole result to its disk before the first row.
    """
    make = entry_for_the_reviewer if hides_answers else entry_of_review
    before: int | None = None
    while found := list(_newest(reviewer, chosen, before)[:CHUNK_ROWS]):
        yield from (make(review) for review in found)
        before = found[-1].pk


def _newest(reviewer: Reviewer, chosen: Chosen, before: int | None) -> ReviewQuerySet:
    rows = chosen.apply(Review.objects.filter(reviewer=reviewer))
    return _with_names(rows if before is None else rows.filter(pk__lt=before)).order_by("-pk")


def numbers_of(reviewer: Reviewer) -> Numbers:
    """How much this person did, without reading a long history as a whole."""
    mine = Review.objects.filter(reviewer=reviewer)
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week_ago = now - timedelta(days=7)
    recent = newest(mine, MOST_COUNTED)
    made = mine.effective().filter(pk__gt=recent.after, created_at__gte=week_ago).order_by()
    counts = made.aggregate(today=Count("pk", filter=Q(created_at__gte=midnight)), week=Count("pk"))
    entries = mine.order_by()[: MOST_COUNTED_EVER + 1].count()
    return Numbers(
        today=counts["today"],
        week=counts["week"],
        is_today_capped=not recent.reaches(midnight),
        is_week_capped=not recent.reaches(week_ago),
        entries=min(entries, MOST_COUNTED_EVER),
        are_entries_capped=entries > MOST_COUNTED_EVER,
    )


def _with_names(reviews: ReviewQuerySet) -> ReviewQuerySet:
    """What an entry needs and no more: of seven joined tables whole rows would take most of the time."""
    return reviews.select_related(*JOINED).only(*OWN, *NAMES)


OWN = [field.name for field in Review._meta.concrete_fields]
JOINED = ("text__project", "reviewer__user", "category_before", "category_after", "reverted_by", "seal")
NAMES = (
    "text__content",
    "text__external_id",
    "text__is_audit",
    "text__is_gold",
    "text__project__name",
    "reviewer__user__username",
    "category_before__name",
    "category_after__name",
    "reverted_by__id",
    "seal__position",
    "seal__previous_hash",
    "seal__chain_hash",
)
