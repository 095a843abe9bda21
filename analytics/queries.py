"""What the database is asked for the statistics: rows of a project counted by what they have in common, in SQL.

Everything that is shown is a sum of these cells, so that a figure is the same on the page, in the API and in a report.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    Field,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Floor, Round, TruncDate

from analytics.cells import COUNT, NOTHING, Cells, IntArray
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Label, LabelingRun, Project, Text
from reviews.models import ANSWERS, DECISIONS, Action, QueueReason, Review
from reviews.recent import newest

BINS = 20  # of confidence, each 0.05 wide
NO_BIN = -1
NOT_MEASURED = -1  # a decision without a time, as of texts decided together
MOST_SOURCES = 100  # that can be told apart; the others count as one
MOST_REVIEWS = 1_000_000  # newest of all projects
OTHER_SOURCES = "(other sources)"
MICRO = 1_000_000  # money is counted in millionths

STATUSES = tuple(TextStatus.values)
ACTIONS = tuple(Action.values)
NOT_ACTIONS = (Action.UNDO, Action.RETURN)  # these say something of other rows
NOT_AN_AUDIT = (QueueReason.GOLD, QueueReason.SECOND_LOOK)

TEXT_COLUMNS = ("day", "source", "status", "decider", "category", "is_human", "machine", "run", "bin", COUNT)
REVIEW_COLUMNS = (
    "day",
    "source",
    "reviewer",
    "action",
    "is_undone",
    "is_blind",
    "before",
    "after",
    "run",
    "bin",
    "gold",
    "is_audit",
    "is_answer",
    "tenths",
    COUNT,
)
RUN_SUMS = ("texts", "failed", "requests", "prompt_tokens", "completion_tokens")
RUN_COLUMNS = ("run", *RUN_SUMS, "cost", "milliseconds", COUNT)
NO_GOLD, GOLD_WRONG, GOLD_RIGHT = 0, 1, 2

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Tables:
    """The cells of one project. `sources` are the names that the numbers in their columns `source` stand for."""

    texts: Cells
    reviews: Cells
    runs: Cells
    sources: tuple[str, ...]
    is_cut: bool

    def followed(self, merged: Mapping[int, int]) -> "Tables":
        """Who said a category that was merged since said the one that it became, as in agreement and the audit."""
        if not merged:
            return self
        texts = self.texts.mapped(merged, "category", "machine")
        reviews = self.reviews.mapped(merged, "before", "after")
        is_equal = (reviews["before"] == reviews["after"]) & (reviews["after"] != NOTHING)
        gold = np.where(is_equal & (reviews["gold"] == GOLD_WRONG), GOLD_RIGHT, reviews["gold"])
        return replace(self, texts=texts, reviews=reviews.replaced("gold", gold))


def tables(project: Project) -> Tables:
    """Counts the whole project: seconds for a million texts. `decider` is the reviewer whose decision holds."""
    recent, seen = newest(Review.objects.all(), MOST_REVIEWS), Seen()
    texts = Cells.of(TEXT_COLUMNS, (_text_cell(row, seen) for row in _texts(project)))
    reviews = Cells.of(REVIEW_COLUMNS, (_review_cell(row, seen) for row in _reviews(project, after=recent.after)))
    sources, numbers = _most_frequent(seen, texts, reviews)
    return Tables(
        texts=texts.replaced("source", numbers[texts["source"]]),
        reviews=reviews.replaced("source", numbers[reviews["source"]]),
        runs=Cells.of(RUN_COLUMNS, (_run_cell(row) for row in _runs(project))),
        sources=sources,
        is_cut=recent.older_at is not None,
    )


class Seen(dict[str, int]):
    """Numbers for names, in the order in which they are met."""

    def __missing__(self, name: str) -> int:
        return self.setdefault(name, len(self))


# --- Texts ------------------------------------------------------------------------------------------------------------


def _texts(project: Project) -> Iterator[Row]:
    """What holds for the texts, and what a model said last: of those that a person's label holds for, one look each."""
    said = Label.objects.filter(text=OuterRef("pk"), origin=LabelOrigin.MODEL).order_by("-version")
    is_machine = Q(current_label__origin=LabelOrigin.MODEL)
    is_human = Q(current_label__origin=LabelOrigin.HUMAN)

    def machines(name: str, kind: "Field[Any, Any]") -> Case:
        of_others = When(is_human, then=Subquery(said.values(name)[:1]))
        return Case(When(is_machine, then=F(f"current_label__{name}")), of_others, default=None, output_field=kind)

    texts = Text.objects.filter(project=project).order_by()
    grouped = texts.values(
        "status",
        "source",
        day=TruncDate("created_at"),
        decider=F("reviewed_by__reviewer"),
        category=F("current_label__category_id"),
        is_human=Case(When(is_human, then=1), default=0),
        machine=machines("category_id", BigIntegerField()),
        run=machines("run_id", BigIntegerField()),
        bin=_bin(machines("confidence", FloatField())),
    )
    return grouped.annotate(count=Count("pk")).iterator(chunk_size=10_000)


def _text_cell(row: Row, seen: Seen) -> Sequence[int]:
    return (
        row["day"].toordinal(),
        seen[row["source"]],
        STATUSES.index(row["status"]),
        row["decider"] or NOTHING,
        row["category"] or NOTHING,
        row["is_human"],
        row["machine"] or NOTHING,
        row["run"] or NOTHING,
        _bin_of(row["bin"]),
        row["count"],
    )


# --- Reviews ----------------------------------------------------------------------------------------------------------


def _reviews(project: Project, *, after: int) -> Iterator[Row]:
    """What people did. `is_answer`: what reviewers themselves said, and did not take back. `is_audit`: the decisions of
    the blind audit that count, which are the last one on each text."""
    is_gold = Q(queue_reason=QueueReason.GOLD)
    reviews = Review.objects.filter(text__project=project, pk__gt=after).exclude(action__in=NOT_ACTIONS).order_by()
    grouped = reviews.values(
        "reviewer",
        "action",
        "is_blind",
        source=F("text__source"),
        day=TruncDate("created_at"),
        is_undone=Case(When(reverted_by__isnull=False, then=1), default=0),
        before=F("category_before_id"),
        after=F("category_after_id"),
        run=F("label__run_id"),
        bin=_bin(F("confidence_before")),
        gold=Case(
            When(is_gold & Q(category_after=F("category_before")), then=GOLD_RIGHT),
            When(is_gold, then=GOLD_WRONG),
            default=NO_GOLD,
        ),
        is_audit=_counts_as_audit(),
        # To the tenth, as medians are shown. A column of the answer, and so no row for each review.
        seconds=Round("seconds_spent", precision=1),
    )
    return grouped.annotate(count=Count("pk")).iterator(chunk_size=10_000)


def _counts_as_audit() -> Case:
    """Of several people's decisions about a text of the audit the last, whose category holds or will."""
    counts = Q(action__in=DECISIONS, is_blind=True, text__is_audit=True, label__origin=LabelOrigin.MODEL)
    later = Review.objects.effective().filter(text=OuterRef("text_id"), pk__gt=OuterRef("pk"), is_blind=True)
    superseded = Exists(later.exclude(queue_reason__in=NOT_AN_AUDIT).order_by())
    others = Q(reverted_by__isnull=False) | Q(queue_reason__in=NOT_AN_AUDIT) | ~counts
    return Case(When(others, then=0), When(superseded, then=0), default=1, output_field=IntegerField())


def _review_cell(row: Row, seen: Seen) -> Sequence[int]:
    return (
        row["day"].toordinal(),
        seen[row["source"]],
        row["reviewer"],
        ACTIONS.index(row["action"]),
        row["is_undone"],
        int(row["is_blind"]),
        row["before"] or NOTHING,
        row["after"] or NOTHING,
        row["run"] or NOTHING,
        _bin_of(row["bin"]),
        row["gold"],
        row["is_audit"],
        int(row["action"] in ANSWERS and not row["is_undone"] and row["after"] is not None),
        NOT_MEASURED if row["seconds"] is None else round(10 * row["seconds"]),
        row["count"],
    )


# --- Runs -------------------------------------------------------------------------------------------------------------


def _runs(project: Project) -> Iterable[Row]:
    """What each run did and cost, from its chunks."""
    sums: dict[str, Combinable] = {f"all_{name}": Sum(f"chunks__{name}", default=0) for name in (*RUN_SUMS, "seconds")}
    cost = Sum("chunks__cost", default=0, output_field=FloatField())
    runs = LabelingRun.objects.filter(project=project).order_by("pk")
    return runs.values("pk").annotate(**sums, all_cost=cost)


def _run_cell(row: Row) -> Sequence[int]:
    counted = (row[f"all_{name}"] for name in RUN_SUMS)
    return (row["pk"], *counted, round(MICRO * row["all_cost"]), round(1000 * row["all_seconds"]), 1)


# --- What all of them need --------------------------------------------------------------------------------------------


def _bin(confidence: Combinable) -> Combinable:
    # A little more, because 0.35 in binary is a little less than 0.35.
    return Floor(confidence * Value(float(BINS)) + Value(1e-9))


def _bin_of(value: float | None) -> int:
    return NO_BIN if value is None else min(int(value), BINS - 1)


def _most_frequent(seen: Seen, *tables: Cells) -> tuple[tuple[str, ...], IntArray]:
    """The sources that most rows have, by name, after them the one that stands for all others; and the number among
    these of each source that was seen."""
    times = sum((Counter(table.by("source")) for table in tables), Counter[tuple[int, ...]]())
    names = list(seen)
    most = sorted(names[number] for (number,), _ in times.most_common(MOST_SOURCES))
    places = {name: place for place, name in enumerate(most)}
    return (*most, OTHER_SOURCES), np.array([places.get(name, len(most)) for name in names], dtype=np.int64)
