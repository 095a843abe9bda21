"""The list view: many free texts on one page, and what a decision about several of them would change. Reads only."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from labeling.models import Category, Project, Text
from reviews import diversity, queue
from reviews.batches import MOST_TEXTS
from reviews.blind import BLIND
from reviews.desk import MOST_COUNTED
from reviews.filters import NO_FILTERS, Filters
from reviews.models import QueueReason, Reviewer
from reviews.refusals import still_right

SIZES = (10, 25, 50, 100)
SCREENS = 3  # looked at together, so that near-duplicates can be kept on different screens
MOST_COUNTED_WITH_FILTERS = 1_000  # filters read row after row, where without them an index is walked along
MOST_CHARACTERS = 5_000  # of one text: a hundred texts of full length would be a page of ten megabytes
FOLDED = 240  # characters; what is longer, or has more lines than LINES, is folded
LINES = 3
BEGINNING = 400  # characters, more than three lines hold
NAMED = 80  # characters that name a text to those who hear the page
EXCERPTS = 5


class Order(models.TextChoices):
    """Both walk along one index. How sure a model is, is its lead over the next category."""

    URGENT = "urgent", "Most urgent first"
    SURE = "sure", "Surest first, without skipped ones"


@dataclass(frozen=True)
class Place:
    """Where a page begins: after this text in the order, and so many screens on."""

    after: tuple[float, int] | None = None  # priority, id
    screen: int = 0


@dataclass(frozen=True)
class Row:
    """One text of the list, as a reviewer who does not decide it blind may see it."""

    text_id: int
    label_id: int
    content: str
    is_cut: bool
    category: str
    color: str
    confidence: float | None
    source: str
    language: str

    @property
    def percent(self) -> int | None:
        return None if self.confidence is None else round(self.confidence * 100)

    @cached_property
    def beginning(self) -> str:
        words = " ".join(self.content[:BEGINNING].split())
        return words if len(words) < BEGINNING else f"{words[: BEGINNING - 2]}…"

    @property
    def title(self) -> str:
        return self.beginning[:NAMED]

    @property
    def is_long(self) -> bool:
        return len(self.content) > FOLDED or self.content.count("\n") >= LINES


@dataclass(frozen=True)
class Count:
    """How many texts match, counted no further than some limit."""

    number: int
    is_capped: bool

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.is_capped else f"{self.number:,}"


@dataclass(frozen=True)
class Page:
    """One screen of the list. `count`: of the texts that match, on all pages."""

    rows: list[Row]
    count: Count
    next: Place | None


@dataclass(frozen=True)
class Change:
    """So many texts of one category that would get another, or keep it, which is to approve."""

    before: str
    after: str
    count: int

    @property
    def is_approval(self) -> bool:
        return self.before == self.after


@dataclass(frozen=True)
class Preview:
    """What a decision about many texts would change. `labels`: for each text's id the label that it is about.

    `gone`: texts chosen that cannot be decided so any more. `count`: of all that match, when more do than are decided.
    """

    labels: dict[int, int]
    changes: list[Change]
    mean_confidence: float | None
    lowest_confidence: float | None
    excerpts: list[Row]
    gone: int = 0
    count: Count | None = None


def page_of(
    reviewer: Reviewer, project: Project, filters: Filters, *, order: Order, size: int, place: Place = Place()
) -> Page:
    """One screen of the texts that this person may decide now and not blind."""
    texts = free_texts(reviewer, project, filters, order)
    screens = SCREENS if order == Order.URGENT else 1
    found = list(_after(texts, order, place.after).only("pk", "content_hash", "priority")[: size * screens + 1])
    window, is_more = found[: size * screens], len(found) > size * screens
    shown = _screen(project, window, size, place.screen) if screens > 1 else window
    following = None
    if len(window) > size * (place.screen + 1):
        following = Place(place.after, place.screen + 1)
    elif is_more:
        following = Place((window[-1].priority, window[-1].pk))
    is_all = place.after is None and not is_more
    count = Count(len(window), is_capped=False) if is_all else _count(texts, filters)
    return Page(rows_of([text.pk for text in shown]), count, following)


def free_texts(reviewer: Reviewer, project: Project, filters: Filters, order: Order) -> QuerySet[Text]:
    """What the list may show. It shows the model's answers, so never what is decided blind."""
    texts = queue.candidates(reviewer, project, QueueReason.UNCERTAIN, filters)
    texts = texts.filter(is_audit=False, is_gold=False)
    return texts if order == Order.URGENT else texts.filter(priority__gte=0).order_by("priority", "-pk")


def preview_chosen(
    reviewer: Reviewer, project: Project, labels: Mapping[int, int], category: Category | None
) -> Preview:
    """What it changes to give the texts chosen this category, or without one to approve the labels that were shown.

    A text whose label was replaced since the list was shown is left out, unless the new one has the same category.
    """
    texts = free_texts(reviewer, project, NO_FILTERS, Order.URGENT).filter(pk__in=list(labels)[:MOST_TEXTS])
    free = rows_of(list(texts.values_list("pk", flat=True)))
    right = still_right(labels)
    rows = [row for row in free if row.text_id in right]
    return _preview(rows, category, gone=len(labels) - len(rows))


def preview_matching(
    reviewer: Reviewer, project: Project, filters: Filters, order: Order, category: Category | None
) -> Preview:
    """The same for all texts that match, or as many of the first as one batch takes."""
    texts = free_texts(reviewer, project, filters, order)
    rows = rows_of(list(texts.values_list("pk", flat=True)[:MOST_TEXTS]))
    return _preview(rows, category, count=_count(texts, filters) if len(rows) == MOST_TEXTS else None)


def still_open(labels: Mapping[int, int]) -> dict[int, int]:
    """Those whose text was not made one of the blind ones since: their labels may not be judged any more."""
    blind = Text.objects.filter(BLIND, pk__in=labels)
    hidden = set(blind.values_list("pk", flat=True))
    return {text_id: label_id for text_id, label_id in labels.items() if text_id not in hidden}


def _count(texts: QuerySet[Text], filters: Filters) -> Count:
    most = MOST_COUNTED if filters == NO_FILTERS else MOST_COUNTED_WITH_FILTERS
    found = texts.order_by()[: most + 1].count()
    return Count(min(found, most), is_capped=found > most)


def _after(texts: QuerySet[Text], order: Order, after: tuple[float, int] | None) -> QuerySet[Text]:
    """Those that come later in the order. The first condition alone says the database where in the index to begin."""
    if after is None:
        return texts
    priority, pk = after
    if order == Order.URGENT:
        return texts.filter(Q(priority__lt=priority) | Q(pk__gt=pk), priority__lte=priority)
    return texts.filter(Q(priority__gt=priority) | Q(pk__lt=pk), priority__gte=priority)


def _screen(project: Project, window: Sequence[Text], size: int, number: int) -> list[Text]:
    """One of the screens of a window: near-duplicates go to a later one. Together they show each text once."""
    left = list(window)
    for _ in range(number):
        before = {text.pk for text in diversity.spread(project, left)[:size]}
        left = [text for text in left if text.pk not in before]
    return diversity.spread(project, left)[:size]


def rows_of(text_ids: Collection[int]) -> list[Row]:
    """The texts in this order. Contents are cut by the database: one may be very long."""
    texts = Text.objects.filter(pk__in=text_ids).annotate(shown=Left("content", MOST_CHARACTERS + 1))
    values = texts.order_by().values(
        "pk",
        "shown",
        "source",
        "language",
        "current_label_id",
        "current_label__confidence",
        "current_label__category__name",
        "current_label__category__color",
    )
    rows = {value["pk"]: _row(value) for value in values if value["current_label_id"] is not None}
    return [rows[text_id] for text_id in text_ids if text_id in rows]


def _row(value: Mapping[str, Any]) -> Row:
    return Row(
        text_id=value["pk"],
        label_id=value["current_label_id"],
        content=value["shown"][:MOST_CHARACTERS],
        is_cut=len(value["shown"]) > MOST_CHARACTERS,
        category=value["current_label__category__name"],
        color=value["current_label__category__color"],
        confidence=value["current_label__confidence"],
        source=value["source"],
        language=value["language"],
    )


def _preview(rows: Sequence[Row], category: Category | None, **more: Any) -> Preview:
    counted = Counter(row.category for row in rows)
    confidences = [row.confidence for row in rows if row.confidence is not None]
    return Preview(
        labels={row.text_id: row.label_id for row in rows},
        changes=[Change(name, category.name if category else name, n) for name, n in counted.most_common()],
        mean_confidence=sum(confidences) / len(confidences) if confidences else None,
        lowest_confidence=min(confidences, default=None),
        excerpts=list(rows[:EXCERPTS]),
        **more,
    )
