"""Takes out of a model's answers what it would have said about no text at all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning.classifier import softmax
from labeling.providers.base import FloatArray

# What stands in the place of a text and says nothing. Several, because each has words that it favours.
CONTENT_FREE = ("N/A", "", "[MASK]")


def calibrated(logs: ArrayLike, content_free: ArrayLike) -> FloatArray:
    """Return probabilities (n_texts, n_categories) from log-likelihoods of the categories' names, of the same shape.

    `content_free` (n_inputs, n_categories) are those after inputs that say nothing. Each likelihood is divided by the
    mean of what they give to its category: contextual calibration [ZHA21], which is domain conditional pointwise mutual
    information [HOL21]. A frequent or short name gains nothing from being so, hence no other normalisation by length.
    """
    bias = np.logaddexp.reduce(_log_softmax(content_free), axis=0)
    return softmax(_log_softmax(logs) - bias)


def _log_softmax(logs: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(logs, dtype=np.float64)
    normalized: NDArray[np.float64] = values - np.logaddexp.reduce(values, axis=-1, keepdims=True)
    return normalized
