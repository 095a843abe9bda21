"""Texts that fit no category well, in groups: what a new category could be made of."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from labeling.learning.classifier import FloatArray

IntArray = NDArray[np.int64]

LEVEL = 0.05  # the share of texts of known categories that are called unfamiliar
FEWEST_REVIEWED = 30
MOST_CLUSTERED = 5_000
MOST_COMPARED = 1_000  # for the silhouette, which takes the distance of each to each
MOST_GROUPS = 10
SMALLEST_GROUP = 5
WORDS = 8
MOST_READ = 5_000  # texts that the words of a group are compared with
# Where words are not parted by spaces, two characters in a row stand for a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
TOKENS = re.compile(rf"(?=([{UNSPACED}]{{2}}))|([^\W\d_{UNSPACED}]{{2,}})")


@dataclass(frozen=True, eq=False)
class Group:
    """Unfamiliar texts that are like each other: their `rows`, most central first, and most distinctive `words`."""

    rows: IntArray
    words: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Novelty:
    """`p_values` (n,): the share of reviewed texts that fit their categories as badly; `groups`, largest first.

    `unfamiliar` is the share of texts at or below LEVEL; about LEVEL of them are expected when nothing is new.
    """

    p_values: FloatArray
    unfamiliar: float
    groups: tuple[Group, ...]


def find(
    vectors: ArrayLike, contents: Sequence[str], reviewed: ArrayLike, labels: ArrayLike, prototypes: ArrayLike
) -> Novelty:
    """Group the texts that are farther from every category than nearly all reviewed texts are.

    `vectors` (n, dim) and `contents` of the texts without a review, `reviewed` (m, dim) and their category `labels`
    (m,), `prototypes` (n_categories, dim). With fewer than FEWEST_REVIEWED reviewed texts nothing is unfamiliar.
    At most MOST_CLUSTERED are grouped; a group counts when its texts are as close to each other as the middle reviewed
    text is to its category. No randomness. Raises ValueError when shapes disagree, a number is not finite or a label is
    no category.
    """
    texts, known, words = _matrix(vectors), _matrix(reviewed), _matrix(prototypes)
    held = np.asarray(labels, dtype=np.int64)
    if len(contents) != len(texts) or held.shape != known.shape[:1]:
        raise ValueError(f"{len(texts)} vectors, {len(contents)} contents: one of each for a text.")
    if len(held) and not 0 <= held.min() <= held.max() < len(words):
        raise ValueError("Every label must be the row of a prototype.")
    if len(held) < FEWEST_REVIEWED or not len(texts):
        return Novelty(np.ones(len(texts), dtype=np.float32), 0.0, ())
    texts, known, words = _centred(texts, known, words)
    centroids, own = _centroids(known, held, words)
    p_values = _p_values((texts @ centroids.T).max(axis=1), own)
    rows = np.flatnonzero(p_values <= LEVEL)
    is_close = float(np.median(own))
    groups = [_central(texts, group) for group in _clusters(texts, rows) if _cohesion(texts[group]) >= is_close]
    named = zip(groups, distinctive_words(contents, groups), strict=True)
    return Novelty(p_values, len(rows) / len(texts), tuple(Group(group, terms) for group, terms in named))


def distinctive_words(contents: Sequence[str], groups: Sequence[IntArray], count: int = WORDS) -> list[tuple[str, ...]]:
    """For each group of rows the words that are frequent in it and rare elsewhere, at most `count`.

    A class-based tf-idf [GRO22]: the share of the group's texts with the word, times the log of how much larger it is
    than the share of the other texts. A long text does not speak for all, and no list of stop words is needed, in any
    language. Words of a single text of the group are left out.
    """
    is_grouped = np.zeros(len(contents), dtype=bool)
    is_grouped[np.concatenate([np.empty(0, dtype=np.int64), *groups])] = True
    others = np.flatnonzero(~is_grouped)
    others = others[:: max(1, len(others) // MOST_READ)]
    everywhere = [_text_counts(contents, rows) for rows in [*groups, others]]
    total = Counter[str]()
    for found in everywhere:
        total.update(found)
    read = len(others) + sum(len(rows) for rows in groups)
    terms = []
    for rows, found in zip(groups, everywhere, strict=False):
        scores = {
            word: n / len(rows) * np.log(n / len(rows) * (read - len(rows) + 1) / (total[word] - n + 1))
            for word, n in found.items()
            if n > 1
        }
        best = sorted((word for word in scores if scores[word] > 0), key=lambda word: (-scores[word], word))
        terms.append(tuple(best[:count]))
    return terms


def _text_counts(contents: Sequence[str], rows: IntArray) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({one or other for one, other in TOKENS.findall(contents[row].casefold())})
    return counts


def _centroids(known: FloatArray, held: IntArray, words: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each category's mean of prototype and reviewed texts, and each reviewed text's best cosine to those.

    A text is left out of its own category's mean, so that it is as far from it as a new one would be.
    """
    sums = words.copy()
    np.add.at(sums, held, known)
    centroids = _unit(sums)
    cosines = known @ centroids.T
    cosines[np.arange(len(held)), held] = (known * _unit(sums[held] - known)).sum(axis=1)
    return centroids, cosines.max(axis=1)


def _p_values(scores: FloatArray, own: FloatArray) -> FloatArray:
    """The share of reviewed texts with as low a score, the text itself among them: a conformal p value [VOV05]."""
    below = np.searchsorted(np.sort(own), scores, side="right")
    return np.asarray((below + 1) / (len(own) + 1), dtype=np.float32)


def _clusters(texts: FloatArray, rows: IntArray) -> list[IntArray]:
    """The rows in groups, largest first; small ones are dropped."""
    rows = rows[:: max(1, -(-len(rows) // MOST_CLUSTERED))]
    if len(rows) < SMALLEST_GROUP:
        return []
    answers = _parted(texts[rows])
    groups = [rows[answers == place] for place in range(answers.max() + 1)]
    return sorted((one for one in groups if len(one) >= SMALLEST_GROUP), key=len, reverse=True)


def _parted(points: FloatArray) -> IntArray:
    """The group of each: 2 to MOST_GROUPS, as many as part best by silhouette [ROU87].

    One group where nothing can be compared: copies of one text, or so many of them that the sample holds no other.
    """
    shown = np.random.RandomState(0).permutation(len(points))[:MOST_COMPARED]
    most = min(MOST_GROUPS, len(points) - 1, len(np.unique(points, axis=0)))
    tried = [KMeans(k, n_init=3, random_state=0).fit_predict(points) for k in range(2, most + 1)]
    told = [found for found in tried if len(np.unique(found[shown])) > 1]
    if not told:
        return np.zeros(len(points), dtype=np.int64)
    return np.asarray(max(told, key=lambda found: silhouette_score(points[shown], found[shown])), dtype=np.int64)


def _central(texts: FloatArray, rows: IntArray) -> IntArray:
    """The rows with those first that are nearest to the mean of all."""
    return np.asarray(rows[np.argsort(-(texts[rows] @ texts[rows].mean(axis=0)), kind="stable")], dtype=np.int64)


def _cohesion(members: FloatArray) -> float:
    """The mean cosine of each to the mean of the others."""
    return float((members * _unit(members.sum(axis=0) - members)).sum(axis=1).mean())


def _centred(*matrices: FloatArray) -> list[FloatArray]:
    """Unit vectors from the mean of the first matrix: what all texts have in common tells no category."""
    mean = _unit(matrices[0]).mean(axis=0)
    return [_unit(_unit(rows) - mean) for rows in matrices]


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _matrix(vectors: ArrayLike) -> FloatArray:
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"Vectors must be finite and of shape (n, dim), got {rows.shape}.")
    return rows
