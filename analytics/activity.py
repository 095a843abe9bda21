"""What people do: decisions by day and by person, how fast, and how far they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics import agreement, quality
from analytics.agreement import Estimate
from analytics.cells import COUNT, Cells
from analytics.choosing import Names
from analytics.progress import share
from analytics.quality import PairAgreement, ProjectAgreement
from analytics.queries import ACTIONS, GOLD_RIGHT, GOLD_WRONG, NOT_MEASURED
from reviews.models import DECISIONS

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


@dataclass(frozen=True)
class Activity:
    """`median_seconds` of all answers whose time was measured."""

    by_day: tuple[DayActivity, ...]
    by_reviewer: tuple[ReviewerActivity, ...]
    median_seconds: float | None


def of(reviews: Cells, names: Names, with_others: Mapping[str, Any]) -> Activity:
    """What was done on each day, oldest first, and by each person, the busiest first."""
    done = reviews.only("day", "reviewer", "action", "is_undone", "is_answer", "gold")
    is_measured = (reviews["is_answer"] == 1) & (reviews["tenths"] != NOT_MEASURED)
    times = Cells({name: reviews[name][is_measured] for name in ("reviewer", "tenths", COUNT)}).only(
        "reviewer", "tenths"
    )
    days = _actions(done, "day")
    return Activity(
        by_day=tuple(
            DayActivity(date.fromordinal(day), actions.decisions, actions) for day, actions in sorted(days.items())
        ),
        by_reviewer=_by_reviewer(done, times, names, with_others),
        median_seconds=_median(times),
    )


def _by_reviewer(
    done: Cells, times: Cells, names: Names, with_others: Mapping[str, Any]
) -> tuple[ReviewerActivity, ...]:
    rows = [
        _reviewer(
            key,
            names.reviewer(key),
            actions,
            done.where((done["reviewer"] == key) & (done["is_answer"] == 1)),
            times.where(times["reviewer"] == key),
            with_others.get(str(key)),
        )
        for key, actions in _actions(done, "reviewer").items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.decisions, row.reviewer)))


def _reviewer(
    key: int, name: str, actions: Actions, answers: Cells, times: Cells, alike: Mapping[str, Any] | None
) -> ReviewerActivity:
    days, gold = len(answers.by("day")), answers.by("gold")
    right, wrong = gold.get((GOLD_RIGHT,), 0), gold.get((GOLD_WRONG,), 0)
    return ReviewerActivity(
        reviewer_id=key,
        reviewer=name,
        decisions=actions.decisions,
        actions=actions,
        days=days,
        per_day=answers.total() / days if days else None,
        median_seconds=_median(times),
        **_rates(actions),
        agreement=Estimate(**alike) if alike else Estimate(None, undefined=agreement.NOBODY),
        gold=agreement.wilson(right, right + wrong),
    )


def _rates(actions: Actions) -> dict[str, float | None]:
    shown = actions.approve + actions.reject + actions.modify
    return {f"{name}_rate": share(getattr(actions, name), shown) for name in ("approve", "reject", "modify")}


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


def _median(times: Cells) -> float | None:
    return quality.median([(tenths / TENTHS, count) for (tenths,), count in times.by("tenths").items()])
