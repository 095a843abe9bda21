"""Weights that let texts which were not picked at random stand for all texts."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

STRATA = 10
MOST = 20.0  # times the median weight: a few texts that were hardly ever picked would decide alone


def stratum_weights(picked: ArrayLike, pool: ArrayLike) -> NDArray[np.float64]:
    """Weights (n,) of the picked texts by post-stratification [HOL79].

    `picked` (n,) and `pool` (m,) are scores, such as confidences, of the picked texts and of a random sample of all. A
    stratum is a tenth of the pool; the picked texts in it share its part of the pool among them. Equal weights where
    either is empty.
    """
    scores, everywhere = np.asarray(picked, dtype=np.float64), np.asarray(pool, dtype=np.float64)
    if not len(scores) or not len(everywhere):
        return np.ones(len(scores))
    edges = np.unique(np.quantile(everywhere, np.arange(1, STRATA) / STRATA))
    places = np.searchsorted(edges, scores, side="right")
    expected = np.bincount(np.searchsorted(edges, everywhere, side="right"), minlength=len(edges) + 1) / len(everywhere)
    found = np.bincount(places, minlength=len(edges) + 1) / len(scores)
    weights = expected[places] / found[places]
    return np.asarray(np.minimum(weights, MOST * np.median(weights)))
