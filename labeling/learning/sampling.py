"""Which texts to review next: active learning. Scores are larger the more a review would tell [SET09]."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning.classifier import FloatArray

IntArray = NDArray[np.int64]

MOST_CLUSTERED = 5_000
ROUNDS = 3
STABLE_KAPPA = 0.99


def least_confidence(probabilities: ArrayLike) -> FloatArray:
    """One minus the largest probability, shape (n,), for probabilities (n, n_categories)."""
    return np.asarray(1 - _checked(probabilities).max(axis=1), dtype=np.float32)


def margin(probabilities: ArrayLike) -> FloatArray:
    """One minus the distance of the two largest probabilities, shape (n,); 0 with a single category."""
    rows = _checked(probabilities)
    if rows.shape[1] == 1:
        return np.zeros(len(rows), dtype=np.float32)
    best = np.partition(rows, -2, axis=1)
    return np.asarray(1 - (best[:, -1] - best[:, -2]), dtype=np.float32)


def entropy(probabilities: ArrayLike) -> FloatArray:
    """The entropy in nats, shape (n,): 0 when one category is certain, log(n_categories) when all are alike."""
    rows = _checked(probabilities)
    return np.asarray(-(rows * np.log(np.maximum(rows, 1e-12))).sum(axis=1), dtype=np.float32)


def coverage(vectors: ArrayLike, count: int) -> IntArray:
    """At most `count` texts that stand for all, before a classifier knows anything: typical and unlike [HAC22].

    The text nearest to the centre of each k-means cluster, large clusters first. `vectors` has shape (n, dim), of which
    MOST_CLUSTERED are looked at; the result are rows. No randomness. Over five sets of news, intents, complaints and
    tweets, classifiers that began with 25 or 50 such texts were half a point more accurate on average than with random
    ones and 2 more than with the texts farthest from each other.
    """
    from sklearn.cluster import KMeans  # here, because it is 60 MB that those who only score do not need

    texts = _unit(vectors)
    rows = np.arange(len(texts))[:: max(1, -(-len(texts) // MOST_CLUSTERED))]
    rows = rows[np.sort(np.unique(texts[rows], axis=0, return_index=True)[1])]
    if len(rows) <= count:
        return rows
    fitted = KMeans(count, n_init=1, random_state=0).fit(texts[rows])
    distances = ((texts[rows] - fitted.cluster_centers_[fitted.labels_]) ** 2).sum(axis=1)
    by_cluster = np.lexsort((distances, fitted.labels_))
    found, first, sizes = np.unique(fitted.labels_[by_cluster], return_index=True, return_counts=True)
    return np.asarray(rows[by_cluster[first[np.lexsort((found, -sizes))]]], dtype=np.int64)


@dataclass(frozen=True)
class StoppingAdvice:
    """Whether more reviews would still change answers, judged by the last rounds; `sentence` says it to a person.

    `changed` is the largest share of answers that one of the last rounds changed, `kappa` the mean agreement of each
    round with the one before, corrected for chance. With too few rounds both are None.
    """

    may_stop: bool
    changed: float | None
    kappa: float | None
    sentence: str


def stopping_advice(answers: Sequence[ArrayLike], rounds: int = ROUNDS) -> StoppingAdvice:
    """Say whether the answers have become stable: mean kappa of STABLE_KAPPA over the last rounds [BLO09].

    `answers` are the categories (n,) that successive classifiers gave to the same texts, oldest first. Nothing is said
    of whether they are right: that is for an audit to find.
    """
    last = [np.asarray(one) for one in answers[-(rounds + 1) :]]
    if len({one.shape for one in last}) > 1 or any(one.ndim != 1 for one in last):
        raise ValueError("All rounds must have answered the same texts.")
    if len(last) < rounds + 1 or not len(last[0]):
        missing = rounds + 1 - len(last)
        return StoppingAdvice(False, None, None, f"Too early to tell: {missing} more rounds of learning are needed.")
    pairs = list(pairwise(last))
    changed = max(float((before != after).mean()) for before, after in pairs)
    agreement = float(np.mean([_kappa(before, after) for before, after in pairs]))
    if agreement >= STABLE_KAPPA:
        sentence = f"Each of the last {rounds} rounds changed at most {changed:.1%} of the labels: more reviews will "
        return StoppingAdvice(True, changed, agreement, sentence + "hardly change them.")
    sentence = f"The last {rounds} rounds still changed up to {changed:.1%} of the labels at a time: keep reviewing."
    return StoppingAdvice(False, changed, agreement, sentence)


def _kappa(before: NDArray[np.generic], after: NDArray[np.generic]) -> float:
    """Cohen's kappa: the agreement beyond chance as a share of the most there could be; 1 when all is one category."""
    categories, columns = np.unique(np.concatenate([before, after]), return_inverse=True)
    shares = [np.bincount(half, minlength=len(categories)) / len(before) for half in np.split(columns, 2)]
    chance = float(shares[0] @ shares[1])
    return (float((before == after).mean()) - chance) / (1 - chance) if chance < 1 else 1.0


def _checked(probabilities: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or not rows.shape[1] or not ((rows >= 0) & (rows <= 1 + 1e-5)).all():
        raise ValueError(f"Probabilities must have shape (n, n_categories) and lie from 0 to 1, got {rows.shape}.")
    return rows


def _unit(vectors: ArrayLike) -> FloatArray:
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"Vectors must be finite and of shape (n, dim), got {rows.shape}.")
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)
