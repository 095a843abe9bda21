"""Classifiers that no reviewer has taught yet: from the categories' words alone, and from the unlabeled pool besides.

The pool step is a few rounds of spherical k-means [DHI01] that start at the categories' own prototypes and stay
anchored to them. It assumes that the texts cluster by what the categories say, so a gate that needs no label decides
how far to follow it: a blend, from the plain prototypes (0) to the fitted ones (1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.learning.classifier import FloatArray, LinearHead, softmax

ROUNDS = 3  # more rounds gain less than a point on topics and lose several where texts cluster by something else
ROUNDS_TO_CONVERGE = 10
ANCHOR = 0.5  # the share of its original direction that a prototype keeps in every round
ASSIGNMENT_TEMPERATURE = 0.01  # of cosines: nearly hard, so that a large category does not pull the small ones over
AGREEMENT_RANGE = (0.6, 0.85)  # share of plain answers that survive convergence: not followed below, fully above
SIGNAL_RANGE = (1.0, 3.0)  # the pool's variance along the categories' directions, in variances of a mean direction
DENSITY_RANGE = (1.0, 6.0)  # texts of the pool per category: with fewer, a centroid is the noise of single texts
TEMPERATURE_WITHOUT_POOL = 0.1
TEMPERATURE_TEXTS = 4_000
_BATCH = 8_192


def category_sentences(name: str, description: str = "", examples: Sequence[str] = ()) -> list[str]:
    """The sentences whose embeddings stand for a category; never empty.

    With a description, the name alone is left out: a bare word embeds far from whole sentences. Blank examples are
    skipped.
    """
    title = " ".join(name.replace("_", " ").split())
    about = " ".join(description.split())
    topic = f"This text is about {title}."
    worded = [topic, f"{title}: {about}", about] if about else [title, topic]
    return worded + [example.strip() for example in examples if example.strip()]


def prototypes(sentence_embeddings: ArrayLike, counts: Sequence[int]) -> FloatArray:
    """Average consecutive groups of sentence embeddings to one unit vector a category, shape (n_categories, dim).

    `sentence_embeddings` has shape (sum(counts), dim); `counts[c]` >= 1 rows belong to category c.
    """
    rows = _unit(np.asarray(sentence_embeddings, dtype=np.float32))
    if rows.ndim != 2 or sum(counts) != len(rows) or min(counts, default=0) < 1:
        raise ValueError(f"Counts {list(counts)} do not split sentence embeddings of shape {rows.shape}.")
    bounds = np.cumsum([0, *counts])
    return _unit(np.stack([rows[start:end].mean(axis=0) for start, end in pairwise(bounds)]))


def pool_sample_size(n_categories: int) -> int:
    """How many random texts of a large pool are enough to fit on; more change the accuracy by less than a point."""
    return int(np.clip(50 * n_categories, 2_000, 20_000))


@dataclass(frozen=True, eq=False)
class ZeroShotFit:
    """A zero-shot head and what the gate saw.

    `blend` is the share of the pool step that was followed; `agreement` the share of texts whose plain answer survives
    k-means to convergence; `signal` the pool's variance along the categories' directions over that along a mean
    direction (1: the texts do not differ in what the categories say); `travel` the cosine distance of every head
    direction from its category's words; `shares` and `plain_shares` the answers' shares of each category, shape
    (n_categories,); `mean_confidence` over the pool. Without a pool the figures about it are 0.
    """

    head: LinearHead
    n_texts: int
    blend: float
    agreement: float
    signal: float
    travel: FloatArray
    shares: FloatArray
    plain_shares: FloatArray
    mean_confidence: float

    def diagnostics(self) -> dict[str, float | list[float]]:
        """The figures as plain numbers, for storing beside the head."""
        arrays = {"travel": self.travel, "shares": self.shares, "plain_shares": self.plain_shares}
        return {
            "blend": round(self.blend, 4),
            "agreement": round(self.agreement, 4),
            "signal": round(self.signal, 4),
            "mean_confidence": round(self.mean_confidence, 4),
            **{name: [round(float(value), 4) for value in values] for name, values in arrays.items()},
        }


def plain_head(prototypes: ArrayLike, temperature: float = TEMPERATURE_WITHOUT_POOL) -> LinearHead:
    """The head that answers with the category whose words are nearest by cosine; prototypes (n_categories, dim)."""
    directions = _unit(np.asarray(prototypes, dtype=np.float32))
    return LinearHead(directions.T, np.zeros(len(directions), dtype=np.float32), temperature)


def fit(prototypes: ArrayLike, pool: ArrayLike) -> ZeroShotFit:
    """Fit a head on prototypes (n_categories, dim) and unlabeled embeddings (n_texts, dim), with no random choice.

    An empty pool, or a single category, gives plain zero-shot. Raises ValueError when the shapes disagree.
    """
    words = _unit(np.asarray(prototypes, dtype=np.float32))
    texts = np.asarray(pool, dtype=np.float32)
    if words.ndim != 2 or (texts.size and (texts.ndim != 2 or texts.shape[1] != words.shape[1])):
        raise ValueError(f"Prototypes {words.shape} and pool {texts.shape} must be matrices of one width.")
    if not texts.size:
        nothing = np.zeros(len(words), dtype=np.float32)
        return ZeroShotFit(plain_head(words), 0, 0.0, 0.0, 0.0, nothing, nothing, nothing, 0.0)
    plain = _answers(texts, words)
    fitted, converged = _anchored_k_means(texts, words)
    agreement = float(np.mean(plain == _answers(texts, converged)))
    signal = _signal(texts, words)
    density = len(texts) / len(words)
    blend = _ramp(agreement, AGREEMENT_RANGE) * _ramp(signal, SIGNAL_RANGE) * _ramp(density, DENSITY_RANGE)
    directions = (1 - blend) * words + blend * fitted
    head, mean_confidence = _tempered(directions, texts, expected_accuracy(agreement, signal, len(texts), len(words)))
    return ZeroShotFit(
        head=head,
        n_texts=len(texts),
        blend=blend,
        agreement=agreement,
        signal=signal,
        travel=np.asarray(1 - (_unit(directions) * words).sum(axis=1), dtype=np.float32),
        shares=_shares(_answers(texts, directions), len(words)),
        plain_shares=_shares(plain, len(words)),
        mean_confidence=mean_confidence,
    )


def expected_accuracy(agreement: float, signal: float, n_texts: int, n_categories: int) -> float:
    """A deliberately low guess of a head's accuracy, from what is known before any review.

    A share of the way from chance to certainty: the answers that survive convergence (cubed: below the measured
    accuracy on most pools), as far as the texts differ in what the categories say (the signal's share of the
    variance), and less with few texts per category, where the fit follows single texts.
    """
    chance = 1 / n_categories
    explained = 1 - 1 / max(signal, 1.0)
    evidence = agreement**3 * explained * n_texts / (n_texts + n_categories)
    return chance + (1 - chance) * max(evidence, 0.1)


def _anchored_k_means(texts: FloatArray, words: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Directions after ROUNDS and after ROUNDS_TO_CONVERGE rounds of spherical k-means that is held at `words`."""
    directions, fitted = words, words
    for completed in range(1, ROUNDS_TO_CONVERGE + 1):
        centroids = _unit(_assigned_sums(texts, directions))
        directions = _unit(ANCHOR * words + (1 - ANCHOR) * centroids)
        if completed == ROUNDS:
            fitted = directions
    return fitted, directions


def _assigned_sums(texts: FloatArray, directions: FloatArray) -> FloatArray:
    """The sum of the texts assigned to each direction, shape (n_categories, dim), in bounded memory."""
    sums = np.zeros_like(directions)
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        sums += softmax(batch @ directions.T / np.float32(ASSIGNMENT_TEMPERATURE)).T @ batch
    return sums


def _answers(texts: FloatArray, directions: FloatArray) -> NDArray[np.intp]:
    parts = [(texts[i : i + _BATCH] @ directions.T).argmax(axis=1) for i in range(0, len(texts), _BATCH)]
    return np.concatenate(parts)


def _signal(texts: FloatArray, words: FloatArray) -> float:
    """Variance of the texts along the categories' directions, relative to that along a mean direction."""
    centered = texts - texts.mean(axis=0)
    mean_variance = float(np.mean(centered**2))
    along = centered @ _unit(words - words.mean(axis=0)).T
    return float(np.mean(along**2)) / mean_variance if mean_variance > 1e-12 else 0.0


def _tempered(directions: FloatArray, texts: FloatArray, target: float) -> tuple[LinearHead, float]:
    """The head whose mean confidence on the texts is `target`, and the mean confidence reached."""
    step = max(1, len(texts) // TEMPERATURE_TEXTS)
    scores = texts[::step] @ directions.T
    low, high = np.log(1e-3), np.log(10.0)
    for _ in range(30):
        middle = (low + high) / 2
        if softmax(scores / np.exp(middle)).max(axis=1).mean() > target:
            low = middle
        else:
            high = middle
    temperature = float(np.exp(high))
    confidence = float(softmax(scores / temperature).max(axis=1).mean())
    return LinearHead(directions.T, np.zeros(len(directions), dtype=np.float32), temperature), confidence


def _ramp(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _shares(answers: NDArray[np.intp], n_categories: int) -> FloatArray:
    return np.asarray(np.bincount(answers, minlength=n_categories) / len(answers), dtype=np.float32)


def _unit(rows: FloatArray) -> FloatArray:
    """Rows scaled to length one; a zero row stays zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12), dtype=np.float32)
