"""Several members to one: how much of each, by what they say of texts that they were not fitted on [WOL92]."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from labeling.learning.classifier import softmax

Array = NDArray[np.float64]


def parts(
    members: Sequence[Array] | Array,
    labels: NDArray[np.int64],
    weights: Array,
    *,
    start: ArrayLike,
    bounds: Sequence[tuple[float, float]],
    penalty: float,
) -> Array:
    """How much of each member's logits, (n_members,): least log loss, held near `start` while reviews are few.

    `members` are logits (n, n_categories) out of fold; `weights` (n,) add up to the number of reviews that they count
    for. `penalty` is of the squared distance from `start`, beside the sum of the log losses.
    """
    stacked, first = np.asarray(members), np.asarray(start, dtype=np.float64)
    rows = np.arange(len(labels))

    def loss(shares: Array) -> tuple[float, Array]:
        scores = np.tensordot(shares, stacked, axes=1)
        lost = weights @ (logsumexp(scores, axis=1) - scores[rows, labels])
        surplus = softmax(scores).astype(np.float64)
        surplus[rows, labels] -= 1
        slope = np.einsum("n,mnk,nk->m", weights, stacked, surplus)
        distance = shares - first
        return float(lost + penalty * (distance @ distance) / 2), slope + penalty * distance

    return np.asarray(minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds).x)
