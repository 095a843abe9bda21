"""Weights that let texts which were not picked at random stand for all texts."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning import calibration

STRATA = 10
FEW = 100.0  # texts picked: with so many, half of the way (in logarithms) from equal weights to those of the strata
MOST = 20.0  # times the median weight: a few texts that were hardly ever picked would decide alone


def stratum_weights(picked: ArrayLike, pool: ArrayLike) -> NDArray[np.float64]:
    """Weights (n,) of the picked texts by post-stratification [HOL79].

    `picked` (n,) and `pool` (m,) are scores, such as confidences, of the picked texts and of a random sample of all. A
    stratum is a tenth of the pool; the picked texts in it share its part of the pool among them. The fewer were picked,
    the nearer the weights are to equal ones: a handful of texts in a stratum would weigh by chance. Equal weights where
    either is empty.
    """
    scores, everywhere = np.asarray(picked, dtype=np.float64), np.asarray(pool, dtype=np.float64)
    if not len(scores) or not len(everywhere):
        return np.ones(len(scores))
    edges = np.unique(np.quantile(everywhere, np.arange(1, STRATA) / STRATA))
    places = np.searchsorted(edges, scores, side="right")
    expected = np.bincount(np.searchsorted(edges, everywhere, side="right"), minlength=len(edges) + 1) / len(everywhere)
    found = np.bincount(places, minlength=len(edges) + 1) / len(scores)
    weights = (expected[places] / found[places]) ** (len(scores) / (len(scores) + FEW))
    return np.asarray(np.minimum(weights, MOST * np.median(weights)))


def effective(weights: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """The weights (count,), or equal ones, scaled to add up to the number of even texts that they are worth [KIS65]."""
    shares = calibration.normalized(weights, count)
    return shares / float(shares @ shares) if count else shares
