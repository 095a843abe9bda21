"""The budget slider: what an error budget will cost in texts to review, before anybody looks at the audit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling import audits, standing
from labeling.audits import Pool
from labeling.learning import risk
from labeling.models import Project

BUDGETS = (0.01, 0.02, 0.05, 0.1)
MOST_READ = 20_000  # texts outside of the audit; of more a sample, whose error is within the steps of the thresholds
NOT_CALIBRATED = "The confidences are not calibrated yet, so that these figures may be far off."
SPREAD = 1.645  # standard deviations on both sides that hold nine of ten outcomes


@dataclass(frozen=True)
class PlanRow:
    """What one budget is expected to cost.

    `to_review` texts for people, between `low` and `high` in nine of ten audits; `more_audits` before anything can be
    proven, None when that takes a better machine; `note` says so in words, and is empty when all is well.
    """

    budget: float
    to_review: int
    low: int
    high: int
    seconds: float | None
    threshold: float | None
    more_audits: int | None
    note: str


@dataclass(frozen=True)
class Plan:
    """One row for each budget. `audits` are drawn, of which `waiting` are not decided; `look` and `level` come next.

    The counts of texts are estimates where `is_sampled`.
    """

    texts: int
    open_texts: int
    audits: int
    waiting: int
    look: int
    level: float
    rows: tuple[PlanRow, ...]
    note: str
    is_sampled: bool = False


def plan(
    project: Project,
    budgets: Sequence[float] = BUDGETS,
    *,
    confidence: float = 0.95,
    seconds_per_text: float | None = None,
) -> Plan:
    """What the dataset promise will cost at each budget, once all audits that are drawn are decided.

    Reckoned from the machine's confidences alone. The answers of the audit are not looked at: who saw them before
    asking for a certificate would choose the moment, and the promise would break more often than it says.
    """
    every = math.ceil(project.texts.count() / MOST_READ)
    pool = audits.read_pool(project) if every <= 1 else audits.sample_pool(project, every=every)
    look, level = next_level(project, confidence=confidence)
    audited = int(np.sum(pool.is_audited | (pool.is_drawn & pool.is_open)))
    rows = [_row(pool, audited, budget, level, seconds_per_text) for budget in budgets] if len(pool.ids) else []
    return Plan(
        texts=len(pool.ids),
        open_texts=int(pool.is_open.sum()),
        audits=audited,
        waiting=pool.waiting,
        look=look,
        level=level,
        rows=tuple(rows),
        note=_note(project, pool, audited),
        is_sampled=every > 1,
    )


def next_level(project: Project, *, confidence: float = 0.95) -> tuple[int, float]:
    """The number of the next look at the audit and the level it may use, to be told before somebody looks."""
    look = standing.next_look(project)
    return look, risk.level_of_look(round(1 - confidence, 10), look)


def _row(pool: Pool, audited: int, budget: float, level: float, seconds_per_text: float | None) -> PlanRow:
    open_confidence = pool.confidence[pool.is_open]
    thresholds, rates = _expected_rates(pool)
    found = [_loosest(thresholds, rates, audited, len(pool.ids), budget, level, spread) for spread in (0, -1, 1)]
    typical, low, high = (
        len(open_confidence) if value is None else int(np.sum(open_confidence < value)) for value in found
    )
    needed = risk.audits_needed(rates[0], len(pool.ids), budget=budget, level=level)
    more = None if needed is None else max(0, needed - audited)
    return PlanRow(
        budget=budget,
        to_review=typical,
        low=low,
        high=high,
        seconds=None if seconds_per_text is None else typical * seconds_per_text,
        threshold=found[0],
        more_audits=more,
        note=_row_note(budget, more, found[0]),
    )


def _expected_rates(pool: Pool) -> tuple[list[float], list[float]]:
    """The thresholds, and the share of all texts expected to be at or above each and wrong, were confidence true."""
    at_stake = np.sort(pool.confidence[~pool.is_settled])
    doubts: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(1 - at_stake[::-1])])
    thresholds = risk.thresholds(np.sort(pool.confidence))
    return thresholds, [float(doubts[risk.at_or_above(at_stake, value)]) / len(pool.ids) for value in thresholds]


def _loosest(
    thresholds: list[float], rates: list[float], audited: int, texts: int, budget: float, level: float, side: int
) -> float | None:
    """The last threshold that would pass, with as many errors as expected, or unusually few (-1) or many (1)."""
    last = None
    for value, rate in zip(thresholds, rates, strict=True):
        deviation = math.sqrt(audited * rate * max(0.0, 1 - rate) * (1 - audited / texts))
        errors = min(audited, max(0, round(audited * rate + side * SPREAD * deviation)))
        if not risk.passes(errors, audited, texts, budget=budget, level=level):
            return last
        last = value
    return last


def _row_note(budget: float, more_audits: int | None, threshold: float | None) -> str:
    if more_audits is None:
        return f"The machine is too unsure for {budget:.0%}: even its surest labels may be wrong more often."
    if more_audits:
        return f"Nothing can be promised yet: draw and decide at least {more_audits} more audit texts."
    return "" if threshold is not None else "Nothing can be promised with these audits: draw more."


def _note(project: Project, pool: Pool, audited: int) -> str:
    if not len(pool.ids):
        return "No text has a model's label yet."
    if not audited:
        return "No audit text has been drawn. Without an audit nothing can be promised."
    newest = standing.newest_label(project)
    if newest and not newest.is_calibrated:
        return NOT_CALIBRATED
    return ""
