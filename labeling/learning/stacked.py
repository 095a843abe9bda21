"""Learning where a model answers with probabilities: its answer is a feature, and reviews teach how far to trust it.

The features of a text are `[log p ; vector]`: the logarithms of the model's probabilities, less their mean, before the
text's vector by an encoder. Four members are linear in them and mixed by their log-probabilities, so that the mix is a
linear head again: the model's answer as it is, that answer corrected by reviews (which categories does it mix up, how
sure is it too often), a head on the vectors alone as for any encoder, and the shares of the reviewed categories. The
two learned ones are `learned.fit` itself; how much of each minimises the log loss out of fold: stacking [WOL92].

The last member is there to be taken away: both learned ones know how frequent a category is, and their product would
count it twice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning import learned, mixing, weighting
from labeling.learning.classifier import FloatArray, LinearHead, softmax
from labeling.learning.learned import LearnedFit
from labeling.learning.members import Scores, log_shares, mixed
from labeling.learning.quality import Quality, measure

FEWEST_REVIEWS = learned.FEWEST_REVIEWS  # with fewer the model's own answer holds
MEMBERS = ("own", "corrected", "vectors", "shares")
UNTAUGHT = np.array([1.0, 0.0, 0.0, 0.0])
START = (0.7, 0.0, 0.3, 0.0)  # of the members, in that order: what a few reviews cannot tell apart
BOUNDS = ((0.0, 3.0), (0.0, 3.0), (0.0, 3.0), (-1.5, 0.0))
PENALTY = 4.0  # of the squared distance from START
LEAST = 1e-12  # a probability out of fold whose logarithm is taken

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StackedFit:
    """A head on stacked features, and what out-of-fold predictions say about it.

    `parts` (4,) says how much of each of MEMBERS is in the head's log-probabilities. `corrected` and `vectors` are the
    learned members. `probabilities` (n, n_categories) are out of fold, in the order of the
    reviewed texts; only the four parts, and what mixes each learned member, were chosen on all rows.
    """

    head: LinearHead
    parts: Array
    corrected: LearnedFit
    vectors: LearnedFit
    n_reviews: int
    probabilities: FloatArray
    quality: Quality

    def diagnostics(self) -> dict[str, float | int]:
        """The figures as plain numbers, for storing beside the head."""
        measured = {name: getattr(self.quality, name) for name in ("accuracy", "macro_f1", "log_loss", "ece", "brier")}
        chosen = {f"part_{name}": float(part) for name, part in zip(MEMBERS, self.parts, strict=True)}
        return {
            **{name: round(value, 4) for name, value in {**measured, **chosen}.items()},
            "n_reviews": self.n_reviews,
        }


def fit(
    rows: ArrayLike,
    labels: ArrayLike,
    prior: LinearHead,
    *,
    weights: ArrayLike | None = None,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> StackedFit:
    """Learn a head from reviewed texts: `rows` (n, n_categories + dim) of `answers.features`, `labels` (n,).

    `prior` is the head on vectors alone before any review, (dim, n_categories). The other arguments are those of
    `learned.fit`, `pool` with rows like `rows`. With fewer than FEWEST_REVIEWS the head is `answers.own_answer`. Raises
    ValueError when shapes disagree, a label is unknown or a number is not finite.
    """
    matrix, everywhere = _split_checked(rows, pool, prior)
    held, k = np.asarray(labels), prior.n_categories
    shared: dict[str, Any] = {"weights": weights, "seed": seed}
    unit = float(np.sqrt((everywhere[:, :k] ** 2).sum() / max(len(everywhere), 1))) or 1.0
    # Rows of about unit length, as the penalties of `learned.fit` expect them.
    believing = LinearHead(_single(np.eye(k) * unit), _single(np.zeros(k)))
    corrected = learned.fit(matrix[:, :k] / unit, held, believing, pool=everywhere[:, :k] / unit, **shared)
    vectors = learned.fit(matrix[:, k:], held, prior, pool=everywhere[:, k:], **shared)
    places, counted = held.astype(np.int64), weighting.effective(weights, len(held))
    shares = log_shares(places, counted, k)
    logits = np.stack([matrix[:, :k], _logs(corrected), _logs(vectors), np.broadcast_to(shares, (len(held), k))])
    parts = UNTAUGHT
    if len(held) >= FEWEST_REVIEWS:
        parts = mixing.parts(logits, places, counted, start=START, bounds=BOUNDS, penalty=PENALTY)
    probabilities = softmax(np.tensordot(parts, logits, axes=1))
    return StackedFit(
        head=_head(corrected.head, vectors.head, shares, unit=unit, parts=parts),
        parts=parts,
        corrected=corrected,
        vectors=vectors,
        n_reviews=len(held),
        probabilities=probabilities,
        quality=measure(probabilities, places, weights),
    )


def _head(corrected: LinearHead, vectors: LinearHead, shares: Array, *, unit: float, parts: Array) -> LinearHead:
    """The members, in the order of MEMBERS, as one head on answer and vector."""
    k, width = len(shares), len(shares) + vectors.dim
    members = (
        _placed(np.eye(k), np.zeros(k), width),
        _placed(*_at_one(corrected, unit), width),
        _placed(*_at_one(vectors), width, first=k),
        _placed(np.zeros((k, k)), shares, width),
    )
    mix = mixed(members, parts)
    return LinearHead(_single(mix.weights), _single(mix.bias))


def _logs(fit: LearnedFit) -> Array:
    return np.log(np.maximum(fit.probabilities.astype(np.float64), LEAST))


def _at_one(head: LinearHead, unit: float = 1.0) -> tuple[Array, Array]:
    """Weights and bias at temperature one, for rows that are `unit` times as long."""
    weights, bias = head.weights.astype(np.float64), head.bias.astype(np.float64)
    return weights / (head.temperature * unit), bias / head.temperature


def _placed(weights: Array, bias: Array, width: int, *, first: int = 0) -> Scores:
    """A member that reads some columns of the features, from `first` on, as one that reads all `width`."""
    full = np.zeros((width, len(bias)))
    full[first : first + len(weights)] = weights
    return Scores(full, bias)


def _single(values: Array) -> FloatArray:
    return values.astype(np.float32)


def _split_checked(rows: ArrayLike, pool: ArrayLike | None, prior: LinearHead) -> tuple[Array, Array]:
    """The rows, and those of the pool or the same where there is none. The rest is checked by `learned.fit`."""
    width = prior.n_categories + prior.dim
    matrix = np.asarray(rows, dtype=np.float64)
    others = matrix if pool is None or not len(np.asarray(pool)) else np.asarray(pool, dtype=np.float64)
    if any(part.ndim != 2 or part.shape[1] != width for part in (matrix, others)):
        raise ValueError(f"Rows {matrix.shape} and pool {others.shape} do not fit features of width {width}.")
    return matrix, others
