"""Linear heads fitted to reviewed texts, of which a learned head is mixed: anchored prototypes, regression, shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

BIAS_PENALTY = 2.0
SMOOTHING = 1.0  # reviews that every category is given before shares are counted

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Texts:
    """Reviewed texts; `weights` add up to their effective number [KIS65], `center` (dim,) is the mean of all texts."""

    vectors: Array
    labels: IntArray
    weights: Array
    center: Array

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: NDArray[np.bool_]) -> "Texts":
        return Texts(self.vectors[rows], self.labels[rows], self.weights[rows], self.center)

    def loss(self, logits: Array) -> float:
        """The weighted sum of the log losses of logits (n, n_categories)."""
        own = logits[np.arange(len(self)), self.labels]
        return float(self.weights @ (logsumexp(logits, axis=1) - own))


@dataclass(frozen=True, eq=False)
class Scores:
    """A linear head in double precision, at temperature one; `weights` (dim, n_categories), `bias` (n_categories,)."""

    weights: Array
    bias: Array

    def of(self, texts: Texts) -> Array:
        return np.asarray(texts.vectors @ self.weights + self.bias)

    def times(self, factor: float) -> "Scores":
        return Scores(self.weights * factor, self.bias * factor)


def mixed(members: Sequence[Scores], parts: ArrayLike) -> Scores:
    """The linear head whose log-probabilities are those of the members times `parts` (n_members,), but for a constant.

    Log-probabilities differ from logits by a constant a text, which the softmax does not see.
    """
    weights, bias = np.stack([one.weights for one in members]), np.stack([one.bias for one in members])
    shares = np.asarray(parts, dtype=np.float64)
    return Scores(np.tensordot(shares, weights, axes=1), np.tensordot(shares, bias, axes=1))


# --- Fitting ----------------------------------------------------------------------------------------------------------


def anchored(texts: Texts, prior: Scores, strength: float) -> Scores:
    """The prior's directions moved to the reviewed texts of their category; lengths and other columns stay."""
    lengths = np.maximum(np.linalg.norm(prior.weights, axis=0), 1e-12)
    sums = np.zeros_like(prior.weights.T)
    np.add.at(sums, texts.labels, texts.vectors)
    moved = strength * prior.weights / lengths + sums.T
    moved *= lengths / np.maximum(np.linalg.norm(moved, axis=0), 1e-12)
    reviewed = np.isin(np.arange(len(prior.bias)), texts.labels)
    return Scores(np.where(reviewed, moved, prior.weights), prior.bias)


def regressed(texts: Texts, prior: Scores, penalty: float, start: Scores, steps: int) -> Scores:
    """Multinomial logistic regression, penalised for its distance from the prior [CHE06]; unreviewed columns stay.

    Columns without reviews take part in the softmax as one constant. `start` is where the search begins.
    """
    reviewed, columns = np.unique(texts.labels, return_inverse=True)
    logits = prior.of(texts)
    rest = np.delete(logits, reviewed, axis=1)
    constant = logsumexp(rest, axis=1) if rest.shape[1] else np.full(len(texts), -np.inf)
    problem = Regression(texts.vectors - texts.center, columns, logits[:, reviewed], constant, penalty)
    move = Scores(start.weights - prior.weights, start.bias - prior.bias)
    first = np.vstack([move.weights, move.bias + texts.center @ move.weights])[:, reviewed]
    options = {"maxiter": steps, "ftol": 1e-6}
    found = minimize(problem, first.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(first.shape)
    weights, bias = prior.weights.copy(), prior.bias.copy()
    weights[:, reviewed] += found[:-1]
    bias[reviewed] += found[-1] - texts.center @ found[:-1]
    return Scores(weights, bias)


@dataclass(frozen=True, eq=False)
class Regression:
    """What the regression minimises: the log loss of `base + [vectors 1] move`, and the squares of the move.

    `vectors` (n, dim), `labels` (n,) in 0..r-1, `base` (n, r) logits of the prior, `rest` (n,) the log of the summed
    exponentials of all other categories.
    """

    vectors: Array
    labels: IntArray
    base: Array
    rest: Array
    penalty: float

    def __call__(self, move: Array) -> tuple[float, Array]:
        """The loss and its gradient at a move ((dim + 1) * r,), the last row of which is the bias."""
        table = move.reshape(-1, self.base.shape[1])
        logits = self.base + self.vectors @ table[:-1] + table[-1]
        rows = np.arange(len(logits))
        own = logits[rows, self.labels]
        top = np.maximum(logits.max(axis=1), self.rest)
        logits -= top[:, None]
        np.exp(logits, out=logits)
        total = logits.sum(axis=1) + np.exp(self.rest - top)
        logits /= total[:, None]
        logits[rows, self.labels] -= 1
        held = np.full((len(table), 1), self.penalty)
        held[-1] = BIAS_PENALTY
        gradient = np.vstack([self.vectors.T @ logits, logits.sum(axis=0)]) + held * table
        loss = (np.log(total) + top - own).sum() + (held * table**2).sum() / 2
        return float(loss), gradient.ravel()


def share_scores(texts: Texts, prior: Scores) -> Scores:
    """The log of each category's share of the reviews, as a bias: what is more frequent is likelier."""
    return Scores(np.zeros_like(prior.weights), log_shares(texts.labels, texts.weights, len(prior.bias)))


def log_shares(labels: IntArray, weights: Array, n_categories: int) -> Array:
    """The log of each category's share of the reviews, (n_categories,); 0 is an even share.

    `weights` (n,) add up to the number of reviews that they count for.
    """
    counts = np.bincount(labels, weights=weights, minlength=n_categories) + SMOOTHING
    return np.asarray(np.log(counts * n_categories / counts.sum()))
