"""How far people agree: shares, Cohen's kappa and Krippendorff's alpha, with intervals. Arrays in, values out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
Counts = NDArray[np.int16]
FloatArray = NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]

DRAWS = 1000
MOST_CELLS = 2_000_000  # of one block of draws: about 16 MB
Z = 1.959963984540054  # 95 % of a normal distribution lie within

NOBODY = "No text has answers by two people yet."
ONE_TEXT = "Only one text has answers by two people: two or more are needed."
ONE_CATEGORY = "All answers are the same category: agreement cannot be told from chance."
NOTHING = "Nothing to count yet."


@dataclass(frozen=True)
class Estimate:
    """A figure of `units` units with its 95 % interval, or None and a sentence that says why there is none.

    `low` and `high` are None too where the draws do not vary: ten texts that all agree do not say how sure that is.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    units: int = 0
    undefined: str = ""


# --- Counts -----------------------------------------------------------------------------------------------------------


def value_counts(units: ArrayLike, values: ArrayLike) -> Counts:
    """How often each unit was given each value, from the unit and value of every answer, both of shape (n_answers,).

    Shape (n_units, n_values), both in ascending order. A missing answer is one that is not there.
    """
    unit_names, rows = np.unique(np.asarray(units), return_inverse=True)
    value_names, columns = np.unique(np.asarray(values), return_inverse=True)
    counts = np.zeros((len(unit_names), len(value_names)), dtype=np.int16)  # 50,000 texts of 100 categories: 10 MB
    np.add.at(counts, (rows, columns), 1)
    return counts


def collapse(counts: ArrayLike, times: ArrayLike | None = None) -> tuple[IntArray, IntArray]:
    """The different rows of `counts`, (n_patterns, n_values), and how many units have each, (n_patterns,).

    A statistic of units and its bootstrap need no more than this, and 10,000 texts have few different patterns.
    """
    rows = np.ascontiguousarray(counts)
    weights = np.ones(len(rows), dtype=np.int64) if times is None else np.asarray(times, dtype=np.int64)
    if rows.size == 0:
        return np.zeros((0, 0), dtype=np.int64), weights[:0]
    # Compared as bytes: `np.unique(axis=0)` compares column by column and takes many times as long.
    as_bytes = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
    return rows[first].astype(np.int64), np.bincount(inverse, weights=weights).astype(np.int64)


def cross_table(first: ArrayLike, second: ArrayLike) -> IntArray:
    """How often two raters gave which two values, from the values that each gave to the same units, (n_units,).

    Shape (n_values, n_values): the first rater's values in rows, the second's in columns, all in ascending order.
    """
    names, codes = np.unique(np.stack([np.asarray(first), np.asarray(second)]), return_inverse=True)
    rows, columns = codes.reshape(2, -1)
    table = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def one_against_rest(counts: IntArray, value: int) -> IntArray:
    """Counts of the value in this column and of all others together, shape (n_units, 2)."""
    return np.column_stack([counts[:, value], counts.sum(axis=1) - counts[:, value]])


# --- Figures ----------------------------------------------------------------------------------------------------------


def percent_agreement(
    counts: ArrayLike, times: ArrayLike | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """The share of pairs of answers to one unit that are equal.

    `counts` has shape (n_units, n_values); `times` (n_units,) says how many units each row stands for.
    """
    patterns, weights = _pairable(counts, times)
    sizes = patterns.sum(axis=1)
    features = np.column_stack([(patterns * (patterns - 1)).sum(axis=1), sizes * (sizes - 1)])
    return _estimate(features, weights, lambda sums: sums[:, 0] / sums[:, 1], draws, seed)


def krippendorff_alpha(
    counts: ArrayLike, times: ArrayLike | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha for nominal values, any number of raters and missing values [KRI11].

    `counts` has shape (n_units, n_values); `times` (n_units,) says how many units each row stands for. Units with
    fewer than two answers do not count. The interval is the percentile bootstrap over units [EFR93].
    """
    patterns, weights = _pairable(counts, times)
    matches = (patterns * (patterns - 1)).sum(axis=1) / (patterns.sum(axis=1) - 1)
    return _estimate(np.column_stack([matches, patterns]), weights, _alpha, draws, seed)


def cohen_kappa(table: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Cohen's kappa of two raters [COH60], with the percentile bootstrap over units [EFR93].

    `table` has shape (n_values, n_values): how many units the first rater gave the row's value and the second the
    column's.
    """
    cells = np.asarray(table, dtype=np.int64)
    first, second = np.nonzero(cells)
    names = np.eye(len(cells))
    features = np.column_stack([first == second, names[first], names[second]])
    return _estimate(features, cells[first, second], _kappa, draws, seed)


def wilson(right: int, total: int) -> Estimate:
    """A share with Wilson's score interval [WIL27]."""
    if total == 0:
        return Estimate(None, undefined=NOTHING)
    share, extra = right / total, Z * Z / total
    center = (share + extra / 2) / (1 + extra)
    half = math.sqrt(extra * share * (1 - share) + extra * extra / 4) / (1 + extra)
    return Estimate(share, max(0.0, center - half), min(1.0, center + half), units=total)


def reading(estimate: Estimate) -> str:
    """How to read an alpha or a kappa, by the bounds of [KRI04]."""
    if estimate.value is None:
        return ""
    words = _band(estimate.value)
    ends = {_band(end) for end in (estimate.low, estimate.high) if end is not None}
    return words if ends <= {words} else f"{words}, but too few texts to be sure"


# --- How they are worked out ------------------------------------------------------------------------------------------


def _pairable(counts: ArrayLike, times: ArrayLike | None) -> tuple[IntArray, IntArray]:
    patterns, weights = collapse(counts, times)
    several = patterns.sum(axis=1) >= 2
    return patterns[several], weights[several]


def _alpha(sums: FloatArray) -> FloatArray:
    """`1 - D_o / D_e`, from the sums of the matches and of each value's counts, shape (n_draws, 1 + n_values)."""
    matches, totals = sums[:, 0], sums[:, 1:]
    n = totals.sum(axis=1)
    return 1 - (n - 1) * (n - matches) / (n * n - (totals * totals).sum(axis=1))


def _kappa(sums: FloatArray) -> FloatArray:
    """`(p_o - p_e) / (1 - p_e)`, from the sums of equal answers and both raters' values, (n_draws, 1 + 2 n_values)."""
    equal, (first, second) = sums[:, 0], np.split(sums[:, 1:], 2, axis=1)
    n, by_chance = first.sum(axis=1), (first * second).sum(axis=1)
    return (n * equal - by_chance) / (n * n - by_chance)


def _estimate(features: FloatArray, times: IntArray, statistic: Statistic, draws: int, seed: int) -> Estimate:
    """The statistic of the features' sums over all units, with its bootstrap interval.

    `features` has shape (n_patterns, n_features); `times` (n_patterns,) says how many units have each pattern.
    """
    units = int(times.sum())
    if units < 2:
        return Estimate(None, units=units, undefined=ONE_TEXT if units else NOBODY)
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is how "undefined" comes out
        value = float(statistic((times @ features)[np.newaxis])[0])
        drawn = statistic(_resampled(features, times, draws, seed))
    if not math.isfinite(value):
        return Estimate(None, units=units, undefined=ONE_CATEGORY)
    return Estimate(value, *_interval(drawn), units=units)


def _resampled(features: FloatArray, times: IntArray, draws: int, seed: int) -> FloatArray:
    """Sums of the features over as many units as there are, drawn with replacement: shape (draws, n_features).

    Units with one pattern are alike, so how often each pattern is drawn is multinomial: no unit is drawn singly.
    """
    random = np.random.default_rng(seed)
    units, shares = int(times.sum()), times / times.sum()
    block = max(1, MOST_CELLS // len(times))
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    return np.concatenate([random.multinomial(units, shares, size=size) @ features for size in sizes])


def _interval(drawn: FloatArray) -> tuple[float | None, float | None]:
    """The middle 95 % of the draws in which the statistic is defined, if these are most and differ."""
    defined = drawn[np.isfinite(drawn)]
    if 2 * len(defined) < len(drawn) or len(defined) == 0 or np.ptp(defined) == 0:
        return None, None
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def _band(value: float) -> str:
    if value >= 0.8:
        return "Good"
    return "Tentative" if value >= 0.667 else "Guidelines unclear"
