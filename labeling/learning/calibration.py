"""Confidence that means what it says: of labels with 0.8, eight in ten are right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """Labels of about the same confidence: how sure they were on average, how many were right, their share of all."""

    confidence: float
    accuracy: float
    share: float


def reliability(confidence: ArrayLike, correct: ArrayLike, weights: ArrayLike | None = None) -> list[Bin]:
    """The points of a reliability diagram: at most BINS bins of equal mass, unsure first. Arguments have shape (n,).

    Equal confidences stay in one bin, so that the figure does not depend on the order of the texts.
    """
    score, right = _paired(confidence, correct)
    shares = normalized(weights, len(score))
    if not len(score):
        return []
    order = np.argsort(score, kind="stable")
    values, first = np.unique(score[order], return_index=True)
    mass_before = np.concatenate([[0.0], np.cumsum(shares[order])])[first]
    bin_of_value = np.minimum((mass_before * BINS + 1e-9).astype(int), BINS - 1)
    places = bin_of_value[np.searchsorted(values, score)]
    mass = np.bincount(places, weights=shares, minlength=BINS)
    sums = [np.bincount(places, weights=shares * column, minlength=BINS) for column in (score, right)]
    return [Bin(float(sums[0][i] / mass[i]), float(sums[1][i] / mass[i]), float(mass[i])) for i in np.flatnonzero(mass)]


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The mean distance of confidence and accuracy over BINS bins of equal mass [GUO17]; 0 without texts."""
    bins = reliability(confidence, correct, weights)
    return float(sum(one.share * abs(one.confidence - one.accuracy) for one in bins))


def brier_score(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean squared distance of the distributions (n, n_categories) from the right answers (n,), 0 to 2 [BRI50]."""
    rows, held = _checked(probabilities, labels)
    if not len(held):
        return 0.0
    right = np.zeros_like(rows)
    right[np.arange(len(held)), held] = 1.0
    return float(normalized(weights, len(held)) @ ((rows - right) ** 2).sum(axis=1))


def log_loss(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean negative log of the probability (n, n_categories) of the right answer (n,); 0 without texts."""
    rows, held = _checked(probabilities, labels)
    if not len(held):
        return 0.0
    own = np.clip(rows[np.arange(len(held)), held], 1e-12, 1.0)
    return float(-(normalized(weights, len(held)) @ np.log(own)))


def normalized(weights: ArrayLike | None, count: int) -> Array:
    """Weights that add up to one; equal ones for None."""
    if weights is None:
        return np.full(count, 1 / max(count, 1))
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (count,) or (count and not (np.isfinite(values).all() and (values >= 0).all() and values.any())):
        raise ValueError(f"Weights of shape {values.shape} must be {count} numbers that are not negative.")
    return np.asarray(values / values.sum() if count else values)


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Array, NDArray[np.int64]]:
    """Scores (n, n_categories) and the column (n,) of each right answer, or ValueError."""
    rows, held = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if not held.size:
        return np.zeros((0, 1)), np.zeros(0, dtype=np.int64)
    if rows.ndim != 2 or held.shape != rows.shape[:1] or held.dtype.kind not in "iu":
        raise ValueError(f"Scores {rows.shape} and labels {held.shape} must be (n, n_categories) and n whole numbers.")
    if held.min() < 0 or held.max() >= rows.shape[1] or not np.isfinite(rows).all():
        raise ValueError("Scores must be finite and every label one of their columns.")
    return rows, held.astype(np.int64)


def _paired(confidence: ArrayLike, correct: ArrayLike) -> tuple[Array, Array]:
    score, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if score.ndim != 1 or score.shape != right.shape or not (np.isfinite(score).all() and np.isfinite(right).all()):
        raise ValueError(f"Confidences {score.shape} and answers {right.shape} must be finite and of one length.")
    return score, right
