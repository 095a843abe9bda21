"""How good a head is on reviewed texts that it was not fitted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning import calibration
from labeling.learning.classifier import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class CategoryQuality:
    """Of the texts called this category the share that is (`precision`), of those that are the share called so.

    `n` reviewed texts are of this category. None where there is nothing to divide by.
    """

    precision: float | None
    recall: float | None
    n: int


@dataclass(frozen=True)
class Quality:
    """How good a head is on texts that it was not fitted on, weighted; `ece` in bins of equal mass [GUO17].

    Macro F1 is the mean over the categories that occur in the reviews or in the answers. All 0 without texts.
    """

    accuracy: float
    macro_f1: float
    log_loss: float
    ece: float
    brier: float
    categories: tuple[CategoryQuality, ...]


def measure(probabilities: FloatArray, labels: IntArray, weights: ArrayLike | None = None) -> Quality:
    """The quality of probabilities (n, n_categories) for reviewed texts (n,), weighted by `weights` (n,)."""
    answers = probabilities.argmax(axis=1) if len(labels) else labels
    n_categories = probabilities.shape[1]
    shares = calibration.normalized(weights, len(labels))
    right = answers == labels
    hits, called, held = (
        np.bincount(column[rows], weights=shares[rows], minlength=n_categories)
        for column, rows in ((labels, right), (answers, right | True), (labels, right | True))
    )
    counts = np.bincount(labels, minlength=n_categories)
    seen = called + held > 0
    confidence = probabilities.max(axis=1)
    return Quality(
        accuracy=min(float(hits.sum()), 1.0),
        macro_f1=float(np.mean(2 * hits[seen] / (called + held)[seen])) if seen.any() else 0.0,
        log_loss=calibration.log_loss(probabilities, labels, weights),
        ece=calibration.expected_calibration_error(confidence, right, weights),
        brier=calibration.brier_score(probabilities, labels, weights),
        categories=tuple(
            CategoryQuality(_ratio(hits[c], called[c]), _ratio(hits[c], held[c]), int(counts[c]))
            for c in range(n_categories)
        ),
    )


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
