"""How urgent it is that a person looks at a text: its place in the review queue."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.choices import Sampling
from labeling.learning import sampling
from labeling.models import Label

# A priority says why a text stands where it does: below LEAST it was skipped, up to MOST it is the urgency that the
# last run found, above it one plus the urgency that the newest decisions found (`reordering`), and above FOLLOWED it is
# one of the texts that stand for all while nothing has been learned (`cold_start`).
LEAST, MOST, FOLLOWED = 0.0, 1.0, 2.0


def urgency(probabilities: ArrayLike, strategy: str) -> NDArray[np.float32]:
    """What reviews would tell, from 0 to 1, shape (n,), by one of the strategies of `Sampling` [SET09].

    `probabilities` has shape (n, n_categories). The guard of DIVERSE_MARGIN works when texts are claimed.
    """
    rows = np.asarray(probabilities)
    return np.clip(_SCORES[Sampling(strategy)](rows), LEAST, MOST)


def of_label(label: Label, strategy: str) -> float:
    """The urgency that a model's label tells of, by its margin or by the scores that are kept with it."""
    if strategy in (Sampling.MARGIN, Sampling.DIVERSE_MARGIN):
        return MOST - (label.margin or 0.0)
    scores = [min(float(score), 1.0) for _, score in label.scores]
    return float(urgency([scores], strategy)[0]) if scores else LEAST


def _entropy(probabilities: ArrayLike) -> NDArray[np.float32]:
    """As a share of the entropy that there is when all categories are alike."""
    most = np.log(max(np.shape(probabilities)[1], 2))
    return np.asarray(sampling.entropy(probabilities) / most, dtype=np.float32)


_SCORES: dict[Sampling, Callable[[ArrayLike], NDArray[np.float32]]] = {
    Sampling.DIVERSE_MARGIN: sampling.margin,
    Sampling.MARGIN: sampling.margin,
    Sampling.ENTROPY: _entropy,
    Sampling.LEAST_CONFIDENCE: sampling.least_confidence,
}
