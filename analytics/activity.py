"""What people do: decisions by day and by person, how fast, and how far they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics import agreement, quality
from analytics.agreement import Estimate
from analytics.cells import Cells
from analytics.choosing import Names
from analytics.progress import share
from analytics.quality import PairAgreement, ProjectAgreement
from analytics.queries import ACTIONS, GOLD_RIGHT, NO_GOLD
from reviews.models import ANSWERS, DECISIONS

TENTHS = 10  # of a second


@dataclass(frozen=True)
class Actions:
    """What was done and not taken back; `undone` is what was. `decide` is a decision made blind."""

    approve: int = 0
    reject: int = 0
    modify: int = 0
    decide: int = 0
    adjudicate: int = 0
    skip: int = 0
    flag: int = 0
    undone: int = 0

    @property
    def decisions(self) -> int:
        return sum(getattr(self, action) for action in DECISIONS)


@dataclass(frozen=True)
class DayActivity:
    day: date
    decisions: int
    actions: Actions


@dataclass(frozen=True)
class ReviewerActivity:
    """The rates are of the decisions for which the machine's label was shown.

    `median_seconds` of the decisions whose time was measured. `per_day`: decisions on a day with any. `agreement`: with
    others who decided the same text; `gold`: of texts whose answer is known.
    """

    reviewer_id: int
    reviewer: str
    decisions: int
    actions: Actions
    days: int
    per_day: float | None
    median_seconds: float | None
    approve_rate: float | None
    reject_rate: float | None
    modify_rate: float | None
    agreement: Estimate
    gold: Estimate


@dataclass(frozen=True)
class Agreement:
    """Of all independent answers to texts that two or more people decided: filters do not change it."""

    whole: ProjectAgreement
    pairs: tuple[PairAgreement, ...]


def by_day(reviews: Cells) -> tuple[DayActivity, ...]:
    """Days on which anything was done, oldest first."""
    days = {key for (key,) in reviews.by("day")}
    counted = _actions(reviews, "day")
    return tuple(DayActivity(date.fromordinal(day), counted[day].decisions, counted[day]) for day in sorted(days))


def by_reviewer(reviews: Cells, names: Names, with_others: Mapping[str, Any]) -> tuple[ReviewerActivity, ...]:
    """The busiest first."""
    counted = _actions(reviews, "reviewer")
    rows = [
        _reviewer(key, names.reviewer(key), actions, _answers(reviews.where(reviews["reviewer"] == key)), with_others)
        for key, actions in counted.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.decisions, row.reviewer)))


def median_seconds(reviews: Cells) -> float | None:
    """Of all answers whose time was measured."""
    return _median(_answers(reviews))


def agreed(details: Mapping[str, Any]) -> Agreement:
    whole, pairs = details["agreement"], details["pairs"]
    return Agreement(
        ProjectAgreement(**_with_estimates(whole, "percent", "alpha")),
        tuple(PairAgreement(**_with_estimates(pair, "percent", "kappa")) for pair in pairs),
    )


def _with_estimates(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**row, **{name: Estimate(**row[name]) for name in names}}


def _actions(reviews: Cells, column: str) -> dict[int, Actions]:
    """What was done, for each value of a column."""
    sums: dict[int, dict[str, int]] = {}
    for (key, action, is_undone), count in reviews.by(column, "action", "is_undone").items():
        name = "undone" if is_undone else ACTIONS[action]
        mine = sums.setdefault(key, {})
        mine[name] = mine.get(name, 0) + count
    return {key: Actions(**counts) for key, counts in sums.items()}


def _reviewer(
    key: int, name: str, actions: Actions, answers: Cells, with_others: Mapping[str, Any]
) -> ReviewerActivity:
    shown = actions.approve + actions.reject + actions.modify
    days = len(answers.by("day"))
    gold, right = answers.total(answers["gold"] != NO_GOLD), answers.total(answers["gold"] == GOLD_RIGHT)
    alike = with_others.get(str(key))
    return ReviewerActivity(
        reviewer_id=key,
        reviewer=name,
        decisions=actions.decisions,
        actions=actions,
        days=days,
        per_day=answers.total() / days if days else None,
        median_seconds=_median(answers),
        approve_rate=share(actions.approve, shown),
        reject_rate=share(actions.reject, shown),
        modify_rate=share(actions.modify, shown),
        agreement=Estimate(**alike) if alike else Estimate(None, undefined=agreement.NOBODY),
        gold=agreement.wilson(right, gold),
    )


def _answers(reviews: Cells) -> Cells:
    """What reviewers themselves say, and did not take back."""
    is_answer = sum(reviews["action"] == ACTIONS.index(action) for action in ANSWERS) > 0
    return reviews.where(is_answer & (reviews["is_undone"] == 0) & (reviews["after"] != 0))


def _median(answers: Cells) -> float | None:
    measured = answers.where(answers["tenths"] >= 0)
    return quality.median([(tenths / TENTHS, count) for (tenths,), count in measured.by("tenths").items()])
