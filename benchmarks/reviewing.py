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

# Which of the texts with these vectors (n, dim) are shown next: (head, vectors, count, rng) -> `count` places (count,).
Strategy = Callable[[LinearHead, Vectors, int, np.random.Generator], Rows]


def at_random(head: LinearHead, vectors: Vectors, count: int, rng: np.random.Generator) -> Rows:
    return rng.permutation(len(vectors))[:count]


def by_margin(head: LinearHead, vectors: Vectors, count: int, rng: np.random.Generator) -> Rows:
    """The review queue: least distance of the two best first, near-duplicates apart."""
    return sampling.diverse_margin(head.probabilities(vectors), vectors, count)


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
    """The weights that the program gives to reviews, as `labeling.training.weights_for`."""
    picked, everywhere = (data.prior.probabilities(vectors).max(axis=1) for vectors in (data.vectors[rows], data.pool))
    return weighting.stratum_weights(picked, everywhere)
