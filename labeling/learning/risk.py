"""The error budget: how many labels may be accepted unseen so that at most so many of them are wrong, with proof.

From a simple random sample of the texts that people labeled blind. The tests are exact for a finite population, so the
promise holds for these texts and not for an imagined infinity of them.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS = 100  # the fixed sequence: thresholds that cover 1 %, 2 %, ... 100 % of the pool, from strict to loose
STARTS = (2, 4)
BLOCKS = 10
UNEVEN = 1e-4  # a draw that is less likely than this was hardly made at random


class Promise(StrEnum):
    """What is said to be wrong at most so often."""

    DATASET = "dataset"  # of all labels delivered, those that people made included
    PRECISION = "precision"  # of the labels accepted by machine alone


@dataclass(frozen=True)
class Step:
    """One threshold that was tested.

    Of `population` texts `audited` were drawn, and of these `wrong` are at or above the threshold and wrong. The
    promise speaks of `labels`; `upper_bound` is the exact upper limit for the share of them that is wrong.
    """

    threshold: float
    coverage: float
    labels: int
    population: int
    audited: int
    wrong: int
    upper_bound: float
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """The loosest threshold that passed, and every step on the way to it. `accepted` is None when none passed."""

    promise: Promise
    budget: float
    level: float
    steps: tuple[Step, ...]
    accepted: Step | None


@dataclass(frozen=True)
class _Pool:
    confidence: NDArray[np.float64]  # sorted
    settled: NDArray[np.float64]  # sorted: of those settled outside of the audit
    delivered: int


@dataclass(frozen=True)
class _Audit:
    confidence: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    uncorrected: NDArray[np.bool_]


# --- The exact test ---------------------------------------------------------------------------------------------------


def may_be_wrong(budget: float, labels: int) -> int:
    """How many of `labels` a budget allows to be wrong. A hair is added: .07 of 100 texts is 7, not 6."""
    return math.floor(budget * labels + 1e-9)


def chance_of_so_few(wrong: int, audited: int, population: int, wrong_in_all: int) -> float:
    """The hypergeometric distribution function: `wrong` or fewer in `audited` draws without replacement.

    Summed from `wrong` away from the mean, each term from the one before, until the rest cannot be seen any more.
    scipy.stats has it too, but takes most of a second to import.
    """
    right_in_all = population - wrong_in_all
    fewest, most = max(0, audited - right_in_all), min(audited, wrong_in_all)
    if wrong < fewest or wrong >= most:
        return float(wrong >= most)
    is_below_mean = wrong * population <= audited * wrong_in_all
    here = wrong if is_below_mean else wrong + 1
    term = total = math.exp(
        _log_ways(wrong_in_all, here) + _log_ways(right_in_all, audited - here) - _log_ways(population, audited)
    )
    while term > total * 1e-17 and (here > fewest if is_below_mean else here < most):
        if is_below_mean:
            term *= here * (right_in_all - audited + here) / ((wrong_in_all - here + 1) * (audited - here + 1))
            here -= 1
        else:
            term *= (wrong_in_all - here) * (audited - here) / ((here + 1) * (right_in_all - audited + here + 1))
            here += 1
        total += term
    return min(total, 1.0) if is_below_mean else max(1 - total, 0.0)


def _log_ways(things: int, chosen: int) -> float:
    return math.lgamma(things + 1) - math.lgamma(chosen + 1) - math.lgamma(things - chosen + 1)


def p_value(wrong: int, audited: int, population: int, budget: float) -> float:
    """The chance of `wrong` or fewer among `audited` draws without replacement, were the budget just exceeded.

    Small values say that the population of `population` texts keeps the budget. 1 when nothing was audited.
    """
    limit = may_be_wrong(budget, population)
    if limit >= population:
        return 0.0
    return chance_of_so_few(wrong, audited, population, limit + 1)


def passes(
    wrong: int, audited: int, population: int, *, budget: float, level: float, labels: int | None = None
) -> bool:
    """Whether no more than the budget of `labels` (default: the population) is wrong and was not found by the audit.

    Errors that were found are corrected and do not count. The walk down the thresholds stays exact: let the budget
    allow L. When L + 1 are left where c were found, then of the L + 1 + c surest wrong texts c or fewer were drawn,
    which is one event, whatever the threshold; a pass at c bounds its chance.
    """
    limit = may_be_wrong(budget, population if labels is None else labels)
    return most_wrong(wrong, audited, population, level) - wrong <= limit


@lru_cache(maxsize=2**16)
def most_wrong(wrong: int, audited: int, population: int, level: float) -> int:
    """The largest number of wrong texts in the population that the draws do not refute at `level`.

    Bisection, since the chance of so few falls with every wrong text more. The exact inverse of `p_value`.
    """
    low, high = wrong, population - (audited - wrong)
    while low < high:
        middle = (low + high + 1) // 2
        if chance_of_so_few(wrong, audited, population, middle) > level:
            low = middle
        else:
            high = middle - 1
    return low


def upper_bound(wrong: int, audited: int, population: int, level: float) -> float:
    """Exact upper confidence limit for the share that is wrong, after draws without replacement."""
    return most_wrong(wrong, audited, population, level) / population if population else 0.0


def level_of_look(delta: float, look: int) -> float:
    """The level that the look number `look` (1, 2, ...) at one growing audit may use: delta / (look (look + 1)).

    Over any number of looks they add up to delta at most.
    """
    return delta / (look * (look + 1))


def zero_error_size(budget: float, level: float) -> int:
    """How many audits without one error prove a budget, in a large population: ln(level) / ln(1 - budget)."""
    return math.ceil(math.log(level) / math.log(1 - budget))


# --- The walk down the thresholds -------------------------------------------------------------------------------------


def certify(
    pool_confidence: ArrayLike,
    audit_confidence: ArrayLike,
    audit_wrong: ArrayLike,
    *,
    promise: Promise,
    budget: float,
    level: float,
    settled_confidence: ArrayLike = (),
    uncorrected: ArrayLike | None = None,
    delivered: int | None = None,
) -> Verdict:
    """Walk down a fixed sequence of thresholds until a test fails [BAU91, ANG21]; the last that passed is accepted.

    `pool_confidence` (N,) is the machine's confidence for every text, also for those that people decided;
    `audit_confidence` and `audit_wrong` (n,) are those of a simple random sample, drawn without regard to confidence.
    The thresholds depend on the pool's confidences only, so testing each at the walk's full level keeps the promise
    with probability 1 - level. For the whole dataset: [CAN25].

    `settled_confidence` (m,) is part of the pool: texts that people decided outside of the audit, or took out. Nothing
    wrong is left in them. They may be missing from later draws: that makes errors look more frequent, never less.
    `uncorrected` (n,) are audited texts counted as wrong that keep the machine's label for now. `delivered` is how many
    labels the dataset has, when it is not the whole pool. Raises ValueError for shapes that disagree and shares outside
    of (0, 1).
    """
    confidence = np.sort(np.asarray(pool_confidence, dtype=np.float64))
    settled = np.sort(np.asarray(settled_confidence, dtype=np.float64))
    pool = _Pool(confidence, settled, len(confidence) if delivered is None else delivered)
    wrong = np.asarray(audit_wrong, dtype=bool)
    left = np.zeros_like(wrong) if uncorrected is None else np.asarray(uncorrected, dtype=bool)
    audit = _Audit(np.asarray(audit_confidence, dtype=np.float64), wrong, left)
    _check(pool, audit, budget, level)
    steps = _walk_down(pool, audit, promise, budget, level)
    passed = [step for step in steps if step.passed]
    return Verdict(promise, budget, level, tuple(steps), passed[-1] if passed else None)


def _walk_down(pool: _Pool, audit: _Audit, promise: Promise, budget: float, level: float) -> list[Step]:
    """The tests of all walks in their order, each walk until one of its tests fails."""
    walks = _walks(pool, audit, promise, budget, level)
    steps: list[Step] = []
    for walk in walks:
        if steps and steps[-1].threshold <= walk[0]:
            break  # the walk before came so far, and this one would end where it ended
        for threshold in walk:
            steps.append(_step(pool, audit, threshold, promise, budget, level / len(walks)))
            if not steps[-1].passed:
                break
    return steps


def thresholds(sorted_pool: NDArray[np.float64]) -> list[float]:
    """The confidences from which on 1 %, 2 %, ... 100 % of the pool lie, strict first, each once."""
    count = len(sorted_pool)
    places = count - np.ceil(np.arange(1, STEPS + 1) * count / STEPS).astype(int)
    return list(dict.fromkeys(float(sorted_pool[place]) for place in places))


def at_or_above(sorted_values: NDArray[np.float64], threshold: float) -> int:
    return len(sorted_values) - int(np.searchsorted(sorted_values, threshold, side="left"))


def _walks(pool: _Pool, audit: _Audit, promise: Promise, budget: float, level: float) -> list[list[float]]:
    """The thresholds to walk down: all of them for the dataset, from two places on for precision.

    A precision walk begins where twice and four times the audits are expected that could pass without an error, each at
    half of the level: stricter ones would end it for nothing. Expected, not found: the places depend on no draw.
    """
    every = thresholds(pool.confidence)
    if promise == Promise.DATASET:
        return [every]
    share = len(audit.confidence) / len(pool.confidence)
    enough = zero_error_size(budget, level / len(STARTS))
    return [
        [value for value in every if share * at_or_above(pool.confidence, value) >= start * enough] or every[-1:]
        for start in STARTS
    ]


def _step(pool: _Pool, audit: _Audit, threshold: float, promise: Promise, budget: float, level: float) -> Step:
    covered = at_or_above(pool.confidence, threshold)
    is_above = audit.confidence >= threshold
    wrong, uncorrected = int(np.sum(is_above & audit.wrong)), int(np.sum(is_above & audit.uncorrected))
    if promise == Promise.DATASET:
        labels, population, audited = pool.delivered, len(pool.confidence), len(audit.confidence)
    else:
        # The audited and settled labels are no longer the machine's alone.
        population, audited = covered, int(np.sum(is_above))
        labels = covered - audited + uncorrected - at_or_above(pool.settled, threshold)
    at_most = min(most_wrong(wrong, audited, population, level) - wrong + uncorrected, labels)
    return Step(
        threshold=threshold,
        coverage=covered / len(pool.confidence),
        labels=labels,
        population=population,
        audited=audited,
        wrong=wrong,
        upper_bound=at_most / labels if labels else 0.0,
        passed=at_most <= may_be_wrong(budget, labels),
    )


def _check(pool: _Pool, audit: _Audit, budget: float, level: float) -> None:
    shapes = pool.confidence.shape, audit.confidence.shape, audit.wrong.shape, audit.uncorrected.shape
    seen = len(audit.confidence) + len(pool.settled)
    if pool.confidence.ndim != 1 or not len(pool.confidence) or len(set(shapes[1:])) > 1 or seen > len(pool.confidence):
        raise ValueError(f"Pool, audit, its errors and the uncorrected ones do not fit: {shapes}.")
    if not all(np.isfinite(values).all() for values in (pool.confidence, audit.confidence, pool.settled)):
        raise ValueError("Confidences must be finite.")
    if not (0 < budget < 1 and 0 < level < 1):
        raise ValueError(f"Budget {budget} and level {level} must lie between 0 and 1.")


# --- Whether the sample can be one ------------------------------------------------------------------------------------


def is_even(was_drawn: ArrayLike, is_settled: ArrayLike) -> bool:
    """Whether no tenth of the texts, in the order they came, was drawn from far less than the whole.

    `was_drawn` and `is_settled` (N,), in that order. A lot that came without a draw, or with a smaller one, is found
    this way. Settled texts are left out: a draw may pass them over.
    """
    drawn, settled = np.asarray(was_drawn, dtype=bool), np.asarray(is_settled, dtype=bool)
    total, sample = len(drawn), int(drawn.sum())
    for block in np.array_split(np.arange(total), BLOCKS):
        at_stake = int(np.sum(~settled[block]))
        if chance_of_so_few(int(drawn[block].sum()), at_stake, total, sample) < UNEVEN / BLOCKS:
            return False
    return True


# --- What it will take ------------------------------------------------------------------------------------------------


def audits_needed(rate: float, population: int, *, budget: float, level: float) -> int | None:
    """How many audits in all would prove the budget, if errors go on at `rate` among them; None above the budget.

    Tried at sizes 2 % apart: the first at which the expected number of errors, rounded up, passes.
    """
    if rate > budget:
        return None
    size = 1
    while size < population:
        if passes(math.ceil(rate * size - 1e-9), size, population, budget=budget, level=level):
            return size
        size = max(size + 1, math.ceil(size * 1.02))
    return population
