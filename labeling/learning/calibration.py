"""Confidence that means what it says: of labels with 0.8, eight in ten are right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

from labeling.learning.classifier import FloatArray, softmax

BINS = 15
TEMPERATURES = (0.05, 20.0)
ENOUGH_FOR_ISOTONIC = 1_000  # texts: a free curve fitted on fewer follows their noise [NIC05]

Array = NDArray[np.float64]


def fit_temperature(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The temperature that makes the log loss smallest: temperature scaling [GUO17], one number for all.

    `logits` (n, n_categories) of texts that the head was not fitted on, `labels` (n,) their categories, `weights` (n,)
    one over the chance with which each text was chosen, or None for equal ones. 1 without texts or without a choice
    of categories. The logits are divided by the result. Raises ValueError when shapes disagree, a label is no column
    or a number is not finite.
    """
    scores, held = _checked(logits, labels)
    shares = normalized(weights, len(held))
    if not len(held) or scores.shape[1] == 1:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        own = scaled[np.arange(len(held)), held] - np.log(np.exp(scaled).sum(axis=1))
        return float(-shares @ own)

    low, high = np.log(TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


@dataclass(frozen=True, eq=False)
class Curve:
    """A monotone step from one confidence to another, by linear interpolation between points; (n_points,) each."""

    before: Array
    after: Array

    def __call__(self, confidence: ArrayLike) -> Array:
        return np.asarray(np.interp(np.asarray(confidence, dtype=np.float64), self.before, self.after))


def fit_isotonic(confidence: ArrayLike, correct: ArrayLike, weights: ArrayLike | None = None) -> Curve:
    """The monotone curve from confidence to the share that is right [ZAD02], for ENOUGH_FOR_ISOTONIC texts or more.

    All arguments have shape (n,). Raises ValueError with fewer texts.
    """
    score, right = _paired(confidence, correct)
    if len(score) < ENOUGH_FOR_ISOTONIC:
        raise ValueError(f"Isotonic calibration needs {ENOUGH_FOR_ISOTONIC} texts, got {len(score)}.")
    doubt = 1 / (len(score) + 2)  # so many right answers in a row do not prove that the next one is right
    fitted = IsotonicRegression(y_min=doubt, y_max=1 - doubt, out_of_bounds="clip")
    fitted.fit(score, right, sample_weight=normalized(weights, len(score)))
    return Curve(np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_))


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


def inverse_probability_weights(probabilities: ArrayLike, most: float = 20.0) -> Array:
    """Weights (n,) for texts that were chosen with these probabilities (n,), above 0 and at most 1 [HOR52].

    None of them more than `most` times the median one: a few texts that were hardly ever chosen would decide alone.
    Raises ValueError for a number that is no such probability.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    if chances.ndim != 1 or not ((chances > 0) & (chances <= 1)).all():
        raise ValueError("The probabilities that texts were chosen with must be above 0 and at most 1.")
    weights = 1 / chances
    return np.asarray(np.minimum(weights, most * np.median(weights)) if len(weights) else weights)


def normalized(weights: ArrayLike | None, count: int) -> Array:
    """Weights that add up to one; equal ones for None."""
    if weights is None:
        return np.full(count, 1 / max(count, 1))
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (count,) or (count and not (np.isfinite(values).all() and (values >= 0).all() and values.any())):
        raise ValueError(f"Weights of shape {values.shape} must be {count} numbers that are not negative.")
    return np.asarray(values / values.sum() if count else values)


def tempered(logits: ArrayLike, temperature: float) -> FloatArray:
    """Probabilities (n, n_categories) of logits of that shape at a temperature."""
    return softmax(np.asarray(logits, dtype=np.float32) / np.float32(temperature))


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
