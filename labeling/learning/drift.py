"""Whether new texts still look like those that a classifier was fitted on: two tests that share one level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from labeling.learning.classifier import FloatArray

LEVEL = 0.05  # the chance of a warning when nothing changed
LOW = 0.5  # a confidence below it is low
LEAST_RISE = 0.02  # of the share of low confidence: with many texts a smaller one is proven and yet nothing to act on
MOST_TEXTS = 1_000  # of each side that the vectors' test compares
FEWEST_TEXTS = 20
PERMUTATIONS = 499

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """How many of `n` texts have a low confidence, as a share with its Wilson interval of 95 % [WIL27]."""

    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class ConfidenceDrift:
    """The share of low confidence before and now, `statistic` (z of two proportions) and the chance of such a rise."""

    before: Share
    now: Share
    statistic: float
    p_value: float
    is_warning: bool
    sentence: str


@dataclass(frozen=True)
class VectorDrift:
    """`statistic` is the squared maximum mean discrepancy, about 0 when nothing changed [GRE12], `p_value` its chance.

    `n_before` and `n_now` texts were compared.
    """

    n_before: int
    n_now: int
    statistic: float
    p_value: float
    is_warning: bool
    sentence: str


@dataclass(frozen=True)
class Drift:
    """Both tests, each at half of the level [BON36], so that together they warn wrongly at most at the level."""

    confidence: ConfidenceDrift
    vectors: VectorDrift

    @property
    def is_warning(self) -> bool:
        """Whether either of the two warns."""
        return self.confidence.is_warning or self.vectors.is_warning


def compare(
    before_vectors: ArrayLike,
    now_vectors: ArrayLike,
    before_confidence: ArrayLike,
    now_confidence: ArrayLike,
    *,
    level: float = LEVEL,
    low: float = LOW,
) -> Drift:
    """Compare new texts with those a classifier was fitted on: vectors (n, dim) and confidences (n,) of each.

    The earlier confidences must be of texts that taught the classifier nothing (unlabeled, or out of fold): it is surer
    of those it learned from.
    """
    return Drift(
        confidence_drift(before_confidence, now_confidence, level=level / 2, low=low),
        vector_drift(before_vectors, now_vectors, level=level / 2),
    )


def confidence_drift(before: ArrayLike, now: ArrayLike, *, level: float = LEVEL, low: float = LOW) -> ConfidenceDrift:
    """Test whether more texts than before have a confidence below `low`; confidences have shape (n,).

    Warns of a rise of LEAST_RISE or more that chance explains with at most `level`. Fewer than FEWEST_TEXTS on a side
    are too few to tell.
    """
    first, second = (_share(np.asarray(side, dtype=np.float64) < low) for side in (before, now))
    if min(first.n, second.n) < FEWEST_TEXTS:
        return ConfidenceDrift(first, second, 0.0, 1.0, False, _too_few(min(first.n, second.n)))
    pooled = (first.share * first.n + second.share * second.n) / (first.n + second.n)
    error = np.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n))
    z = float((second.share - first.share) / error) if error > 0 else 0.0
    p_value = float(norm.sf(z))
    is_warning = p_value <= level and second.share - first.share >= LEAST_RISE
    sentence = (
        f"{second.share:.1%} of the new texts have a confidence below {low:g} ({second.low:.1%} to {second.high:.1%}), "
        f"before it were {first.share:.1%}: "
        + ("the classifier is less sure of them than chance explains." if is_warning else "no clear rise.")
    )
    return ConfidenceDrift(first, second, z, p_value, is_warning, sentence)


def vector_drift(before: ArrayLike, now: ArrayLike, *, level: float = LEVEL, seed: int = 0) -> VectorDrift:
    """Test whether new vectors (n, dim) come from elsewhere than those before: MMD with permutations [GRE12].

    A Gaussian kernel as wide as the median distance; at most MOST_TEXTS of each side, drawn at random with `seed`.
    The p value is exact: the same chance for every order of the texts if nothing changed.
    """
    random = np.random.default_rng(seed)
    first, second = _drawn(before, random), _drawn(now, random)
    n, m = len(first), len(second)
    if min(n, m) < FEWEST_TEXTS:
        return VectorDrift(n, m, 0.0, 1.0, False, _too_few(min(n, m)))
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"Vectors of {first.shape[1]} and {second.shape[1]} numbers cannot be compared.")
    kernel = _kernel(np.concatenate([first, second]))
    order = np.arange(n + m)
    statistics = np.array([_discrepancies(kernel, order[None] < n, n, m)[0], *_permuted(kernel, n, m, random)])
    p_value = float(np.mean(statistics >= statistics[0] - 1e-9))
    is_warning = p_value <= level
    sentence = (
        "The new texts differ from those the classifier was fitted on: review some of them and fit again."
        if is_warning
        else "The new texts look like those the classifier was fitted on."
    )
    return VectorDrift(n, m, float(statistics[0]), p_value, is_warning, sentence)


def _permuted(kernel: FloatArray, n: int, m: int, random: np.random.Generator) -> Array:
    is_first = random.permuted(np.tile(np.arange(n + m) < n, (PERMUTATIONS, 1)), axis=1)
    return _discrepancies(kernel, is_first, n, m)


def _discrepancies(kernel: FloatArray, is_first: NDArray[np.bool_], n: int, m: int) -> Array:
    """The unbiased squared MMD for each row of `is_first` (n_rows, n + m), of a kernel whose diagonal is 0."""
    chosen = is_first.astype(np.float32)
    sums = chosen @ kernel  # of each text's kernel with the first side
    within = (sums * chosen).sum(axis=1, dtype=np.float64)
    between = sums.sum(axis=1, dtype=np.float64) - within
    rest = kernel.sum(dtype=np.float64) - within - 2 * between
    return np.asarray(within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * between / (n * m))


def _kernel(rows: FloatArray) -> FloatArray:
    """exp(-d^2 / (2 median^2)) with 0 on the diagonal, shape (n + m, n + m)."""
    squares = (rows**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0)
    width = float(np.median(distances[np.triu_indices(len(rows), 1)]))
    kernel = np.exp(-distances / np.float32(2 * width if width > 0 else 1))
    np.fill_diagonal(kernel, 0)
    return np.asarray(kernel, dtype=np.float32)


def _drawn(vectors: ArrayLike, random: np.random.Generator) -> FloatArray:
    rows = np.asarray(vectors)
    if rows.ndim != 2:
        raise ValueError(f"Vectors must have shape (n, dim), got {rows.shape}.")
    if len(rows) > MOST_TEXTS:
        rows = rows[random.choice(len(rows), MOST_TEXTS, replace=False)]
    if not np.isfinite(rows).all():
        raise ValueError("Vectors must be finite.")
    return np.asarray(rows, dtype=np.float32)


def _share(is_low: NDArray[np.bool_]) -> Share:
    """The Wilson interval of 95 % for a share [WIL27]; the whole of it without texts."""
    n = len(is_low)
    if not n:
        return Share(0, 0.0, 0.0, 1.0)
    share, z = float(is_low.mean()), float(norm.ppf(0.975))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Share(n, share, max(float(middle - half), 0.0), min(float(middle + half), 1.0))


def _too_few(count: int) -> str:
    return f"Too few texts to tell: {count}, and {FEWEST_TEXTS} are needed."
