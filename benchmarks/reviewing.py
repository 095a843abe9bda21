"""A simulated reviewer at the review queue: what is shown next, and the head that is learned from the answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from data_sets import DataSet, Rows, Stopwatch, Vectors
from numpy.typing import NDArray

from labeling.learning import learned, sampling, weighting
from labeling.learning.classifier import LinearHead
from labeling.learning.learned import LearnedFit

EVERY = 25  # reviews after which the program learns again
# As `reviews.claiming`, `reviews.queue` and `reviews.diversity`, which cannot be imported without a database.
LOOKED_AT, SEEN_LATELY, NEAR_DUPLICATE = 30, 8, 0.95

# Which of the texts with these vectors (n, dim) are shown next: (head, vectors, count, rng) -> `count` places (count,).
Strategy = Callable[[LinearHead, Vectors, int, np.random.Generator], Rows]


def at_random(head: LinearHead, vectors: Vectors, count: int, rng: np.random.Generator) -> Rows:
    return rng.permutation(len(vectors))[:count]


def by_margin(head: LinearHead, vectors: Vectors, count: int, rng: np.random.Generator | None = None) -> Rows:
    """The review queue: the least distance of the two best first, but near-duplicates of what was just shown wait."""
    waiting = np.argsort(-sampling.margin(head.probabilities(vectors)), kind="stable").tolist()
    shown: list[int] = []
    for _ in range(min(count, len(waiting))):
        first = waiting[:LOOKED_AT]
        likeness = vectors[first] @ vectors[shown[-SEEN_LATELY:]].T
        is_new = likeness.max(axis=1, initial=-1.0) <= NEAR_DUPLICATE
        shown.append(waiting.pop(int(is_new.argmax())))  # the most urgent where none is new
    return np.array(shown, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Lesson:
    """The rows that have been reviewed, in the order they were shown, and what was learned from them in how long."""

    rows: Rows
    fit: LearnedFit
    wall_seconds: float
    cpu_seconds: float


def review(
    data: DataSet, choose: Strategy, stops: Sequence[int], rng: np.random.Generator, texts: Rows | None = None
) -> Iterator[Lesson]:
    """A lesson at each number of reviews in `stops` that `texts`, rows of the set (default: all), are enough for.

    The strategy is asked once for each stop, so a stop every EVERY reviews is what the program does.
    """
    head, rows = data.prior, np.empty(0, dtype=np.int64)
    everything = np.arange(len(data.texts)) if texts is None else texts
    for stop in stops:
        if stop > len(everything):
            return
        left = np.setdiff1d(everything, rows)
        rows = np.concatenate([rows, left[choose(head, data.vectors[left], stop - len(rows), rng)]])
        watch = Stopwatch()
        fit = learn(data, rows, weights=None if choose is at_random else stratum_weights(data, rows))
        head = fit.head
        yield Lesson(rows, fit, **watch.read())


def learn(data: DataSet, rows: Rows, weights: NDArray[np.float64] | None) -> LearnedFit:
    return learned.fit(data.vectors[rows], data.labels[rows], data.prior, weights=weights, pool=data.pool)


def stratum_weights(data: DataSet, rows: Rows) -> NDArray[np.float64]:
    return weights_of(data.vectors[rows], data.prior, data.pool)


def weights_of(vectors: Vectors, prior: LinearHead, pool: Vectors) -> NDArray[np.float64]:
    """The weights that the program gives to reviewed texts (n, dim), as `labeling.training.weights_for`."""
    picked, everywhere = (prior.probabilities(some).max(axis=1) for some in (vectors, pool))
    return weighting.stratum_weights(picked, everywhere)
