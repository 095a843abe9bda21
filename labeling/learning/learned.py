"""The classifier learned from reviews: one linear head, never far below the zero-shot one it starts from.

Two members, both linear in the embedding, are mixed by their log-probabilities, so the mix is a linear head again:
the prior's prototypes with the reviewed texts as anchors (good with few reviews), and multinomial logistic regression
that is pulled towards the prior instead of zero (good with many). How much of each, the share of the reviewed
categories in the bias, and the temperature minimise the log loss of out-of-fold predictions: stacking [WOL92].

Weights for uneven choice apply to every loss that is measured: choices, mix, temperature, shares and quality. The two
members take all reviews alike: weighting them as well cost half a point of accuracy where hard texts were preferred.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from labeling.learning import calibration, mixing
from labeling.learning.classifier import FloatArray, LinearHead, softmax
from labeling.learning.quality import Quality, measure

FEWEST_REVIEWS = 10  # with fewer, folds of one or two texts choose by chance: the anchored prior answers alone
FOLDS = 5
FOLDS_OF_MANY = 3
MANY_REVIEWS = 500
ANCHORS = (10.0, 3.0, 30.0)  # how many reviewed texts a category's prototype weighs; the first without a choice
SCALES = (1.0, 0.5)  # of the prior that the regression is pulled towards, after its temperature is fitted
PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)  # of the squared distance from that prior, strong first
MIDDLE_PENALTY = 0.3
BIAS_PENALTY = 2.0
SMOOTHING = 1.0  # reviews that every category is given before shares are counted
FOLD_STEPS = 10  # each begins where the stronger penalty ended; with 7, one set lost a point or two at 1,000
FINAL_STEPS = 20  # from where a fold ended; 50 gain at most a quarter of a point
STACK_START = (0.5, 0.5, 0.0)  # prototypes, regression, shares: what ten reviews cannot tell apart
STACK_PENALTY = 10.0
REFIT_STEPS = 8  # from what was fitted a few reviews ago
STACK_BOUNDS = ((0.01, 5.0), (0.01, 5.0), (0.0, 2.0))

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Choices:
    """What a fit chose out of fold, which a few more reviews hardly change: it can be held for the next `refit`.

    `trust` is the factor for the prior's logits, `anchor`, `scale` and `penalty` are of ANCHORS, SCALES and PENALTIES,
    `parts` how much of each member is in the mix: prototypes, regression, shares.
    """

    trust: float
    anchor: float
    scale: float
    penalty: float
    parts: tuple[float, float, float]

    def as_dict(self) -> dict[str, float | list[float]]:
        """Plain numbers, to be stored and read by `from_dict`."""
        return {**asdict(self), "parts": list(self.parts)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Choices":
        first, second, third = map(float, stored["parts"])
        return cls(
            **{name: float(stored[name]) for name in ("trust", "anchor", "scale", "penalty")},
            parts=(first, second, third),
        )


@dataclass(frozen=True, eq=False)
class LearnedFit:
    """A head learned from reviews, what was chosen, and what out-of-fold predictions say about it.

    `mix` is the share of the regression in the head's log-probabilities (0: prototypes only), `share_bias` how much of
    the log of the reviewed shares is in its bias, `anchor`, `scale` and `penalty` what was chosen of ANCHORS, SCALES
    and PENALTIES (None without regression). `probabilities` (n, n_categories) are out of fold, in the order of the
    reviewed texts: no row comes from a member that saw its text. Only the handful of numbers that mix the members, and
    the factor for the prior's logits, were chosen on all rows. All choices are in `choices`, None below FEWEST_REVIEWS.
    """

    head: LinearHead
    mix: float
    share_bias: float
    anchor: float
    scale: float | None
    penalty: float | None
    n_reviews: int
    probabilities: FloatArray
    quality: Quality
    choices: Choices | None = None

    def diagnostics(self) -> dict[str, float | int | None]:
        """The figures as plain numbers, for storing beside the head."""
        measured = {name: getattr(self.quality, name) for name in ("accuracy", "macro_f1", "log_loss", "ece", "brier")}
        chosen = {name: getattr(self, name) for name in ("mix", "share_bias", "anchor", "scale", "penalty")}
        rounded = {name: None if value is None else round(value, 4) for name, value in {**measured, **chosen}.items()}
        return {**rounded, "n_reviews": self.n_reviews}


def fit(
    vectors: ArrayLike,
    labels: ArrayLike,
    prior: LinearHead,
    *,
    weights: ArrayLike | None = None,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> LearnedFit:
    """Learn a head from reviewed texts: `vectors` (n, dim) of unit length, `labels` (n,) in 0..n_categories-1.

    `prior` is the head before any review, over the same categories in the same order. `weights` (n,) are one over the
    chance with which each text was chosen, None for equal ones. `pool` (m, dim) is a sample of all texts: only its mean
    is used, that of the reviewed texts where there is none. A category without reviews keeps the prior's column. The
    same arguments give the same head. Raises ValueError when shapes disagree, a label is unknown or a number is not
    finite.
    """
    texts = _checked(vectors, labels, prior, weights, pool)
    plain = Scores(prior.weights.astype(np.float64), prior.bias.astype(np.float64)).times(1 / prior.temperature)
    folds = _folds(texts.labels, FOLDS if len(texts) < MANY_REVIEWS else FOLDS_OF_MANY, seed)
    if len(texts) < FEWEST_REVIEWS:
        anchored = _anchored(texts, plain, ANCHORS[0])
        logits = _out_of_fold(texts, folds, partial(_anchored, prior=plain, strength=ANCHORS[0]))
        return _learned(anchored, 1 / prior.temperature, logits, texts, anchor=ANCHORS[0])
    trust = _trust(plain, texts)
    start = plain.times(trust)
    anchor, anchored_logits = _choose_anchor(texts, start, folds)
    regression = _choose_regression(texts, start, folds)
    share_logits = _out_of_fold(texts, folds, partial(_share_scores, prior=start))
    parts = _stacked((anchored_logits, regression.logits, share_logits), texts)
    pulled = start.times(regression.scale)
    members = (
        _anchored(texts, start, anchor),
        _regressed(texts, pulled, regression.penalty, regression.fitted[0], FINAL_STEPS),
        _share_scores(texts, start),
    )
    choices = Choices(trust, anchor, regression.scale, regression.penalty, (parts[0], parts[1], parts[2]))
    return _learned(
        mixed(members, parts),
        _unit(choices, prior),
        parts[0] * anchored_logits + parts[1] * regression.logits + parts[2] * share_logits,
        texts,
        mix=float(parts[1] / (parts[0] + parts[1])),
        share_bias=float(parts[2]),
        anchor=anchor,
        scale=regression.scale,
        penalty=regression.penalty,
        choices=choices,
    )


@dataclass(frozen=True, eq=False)
class Refit:
    """A head, and the member from which the next `refit` may start."""

    head: LinearHead
    regression: "Scores"


def refit(
    vectors: ArrayLike,
    labels: ArrayLike,
    prior: LinearHead,
    choices: Choices,
    *,
    weights: ArrayLike | None = None,
    pool: ArrayLike | None = None,
    before: Refit | None = None,
) -> Refit:
    """The head of `fit` with all that it chooses held: no folds, so a fraction of its time, and no measured quality.

    Arguments as those of `fit`; `before` is what was fitted a few reviews ago, over the same categories.
    """
    texts = _checked(vectors, labels, prior, weights, pool)
    start = Scores(prior.weights.astype(np.float64), prior.bias.astype(np.float64)).times(
        choices.trust / prior.temperature
    )
    pulled = start.times(choices.scale)
    begin, steps = (before.regression, REFIT_STEPS) if before else (pulled, FOLD_STEPS + FINAL_STEPS)
    regression = _regressed(texts, pulled, choices.penalty, begin, steps)
    members = (_anchored(texts, start, choices.anchor), regression, _share_scores(texts, start))
    return Refit(_head(mixed(members, choices.parts), _unit(choices, prior)), regression)


@dataclass(frozen=True, eq=False)
class _Texts:
    """Reviewed texts; `weights` add up to their effective number [KIS65], `center` (dim,) is the mean of all texts."""

    vectors: Array
    labels: IntArray
    weights: Array
    center: Array

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: NDArray[np.bool_]) -> "_Texts":
        return _Texts(self.vectors[rows], self.labels[rows], self.weights[rows], self.center)

    def loss(self, logits: Array) -> float:
        """The weighted sum of the log losses of logits (n, n_categories)."""
        own = logits[np.arange(len(self)), self.labels]
        return float(self.weights @ (logsumexp(logits, axis=1) - own))


@dataclass(frozen=True, eq=False)
class Scores:
    """A linear head in double precision, at temperature one; `weights` (dim, n_categories), `bias` (n_categories,)."""

    weights: Array
    bias: Array

    def of(self, texts: _Texts) -> Array:
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


def _trust(prior: Scores, texts: _Texts) -> float:
    """The factor for the prior's logits with the least log loss [GUO17], held near one while reviews are few."""
    if not len(texts):
        return 1.0
    logits = prior.of(texts)

    def loss(log_factor: float) -> float:
        return texts.loss(logits * np.exp(log_factor)) + log_factor**2 / 2

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-2}).x))


# --- Out of fold ------------------------------------------------------------------------------------------------------


def _folds(labels: IntArray, count: int, seed: int) -> IntArray:
    """The fold of each text (n,): each category is dealt out evenly, so every fold has about its share."""
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(labels)), labels))
    folds = np.empty(len(labels), dtype=np.int64)
    folds[shuffled] = np.arange(len(labels)) % max(count, 1)
    return folds


def _out_of_fold(texts: _Texts, folds: IntArray, member: Callable[[_Texts], Scores]) -> Array:
    """Logits (n, n_categories) of each text by the member fitted without the text's fold."""
    parts = [(folds == fold, member(texts.only(folds != fold))) for fold in np.unique(folds)]
    if not parts:
        return member(texts).of(texts)
    logits = np.empty((len(texts), len(parts[0][1].bias)))
    for rows, fitted in parts:
        logits[rows] = fitted.of(texts.only(rows))
    return logits


# --- Members ----------------------------------------------------------------------------------------------------------


def _anchored(texts: _Texts, prior: Scores, strength: float) -> Scores:
    """The prior's directions moved to the reviewed texts of their category; lengths and other columns stay."""
    lengths = np.maximum(np.linalg.norm(prior.weights, axis=0), 1e-12)
    sums = np.zeros_like(prior.weights.T)
    np.add.at(sums, texts.labels, texts.vectors)
    moved = strength * prior.weights / lengths + sums.T
    moved *= lengths / np.maximum(np.linalg.norm(moved, axis=0), 1e-12)
    reviewed = np.isin(np.arange(len(prior.bias)), texts.labels)
    return Scores(np.where(reviewed, moved, prior.weights), prior.bias)


def _regressed(texts: _Texts, prior: Scores, penalty: float, start: Scores, steps: int) -> Scores:
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


def _share_scores(texts: _Texts, prior: Scores) -> Scores:
    """The log of each category's share of the reviews, as a bias: what is more frequent is likelier."""
    counts = np.bincount(texts.labels, weights=texts.weights, minlength=len(prior.bias)) + SMOOTHING
    return Scores(np.zeros_like(prior.weights), np.log(counts * len(counts) / counts.sum()))


# --- Choices ----------------------------------------------------------------------------------------------------------


def _choose_anchor(texts: _Texts, prior: Scores, folds: IntArray) -> tuple[float, Array]:
    """The strength of ANCHORS with the least loss out of fold, and its logits."""
    tried = []
    for strength in ANCHORS:
        member = partial(_anchored, prior=prior, strength=strength)
        tried.append((strength, _out_of_fold(texts, folds, member)))
    return min(tried, key=lambda one: texts.loss(one[1]))


@dataclass(frozen=True, eq=False)
class _Trial:
    """A scale and a penalty of the regression, what was fitted without each fold, and its logits out of fold."""

    scale: float
    penalty: float
    fitted: tuple[Scores, ...]
    logits: Array
    loss: float


def _choose_regression(texts: _Texts, prior: Scores, folds: IntArray) -> _Trial:
    """The scale with the least loss out of fold at a middle penalty, then downhill along PENALTIES from there."""
    best = min((_try(texts, prior, folds, scale, MIDDLE_PENALTY) for scale in SCALES), key=lambda one: one.loss)
    weaker = [penalty for penalty in PENALTIES if penalty < MIDDLE_PENALTY]
    stronger = [penalty for penalty in PENALTIES[::-1] if penalty > MIDDLE_PENALTY]
    for path in (weaker, stronger):
        for penalty in path:
            trial = _try(texts, prior, folds, best.scale, penalty, best.fitted)
            if trial.loss >= best.loss:
                break
            best = trial
        if best.penalty < MIDDLE_PENALTY:
            break
    return best


def _try(
    texts: _Texts, prior: Scores, folds: IntArray, scale: float, penalty: float, starts: tuple[Scores, ...] = ()
) -> _Trial:
    """Fit without each fold in turn, from what was fitted for the neighbouring penalty where there is any."""
    pulled = prior.times(scale)
    queue, fitted = iter(starts), []

    def member(others: _Texts) -> Scores:
        fitted.append(_regressed(others, pulled, penalty, next(queue, pulled), FOLD_STEPS))
        return fitted[-1]

    logits = _out_of_fold(texts, folds, member)
    return _Trial(scale, penalty, tuple(fitted), logits, texts.loss(logits))


def _stacked(logits: Sequence[Array], texts: _Texts) -> Array:
    """How much of each member's logits, (n_members,), by texts that it was not fitted on."""
    return mixing.parts(
        logits, texts.labels, texts.weights, start=STACK_START, bounds=STACK_BOUNDS, penalty=STACK_PENALTY
    )


# --- What is handed back ----------------------------------------------------------------------------------------------


def _learned(
    scores: Scores,
    unit: float,
    logits: Array,
    texts: _Texts,
    *,
    anchor: float,
    mix: float = 0.0,
    share_bias: float = 0.0,
    scale: float | None = None,
    penalty: float | None = None,
    choices: Choices | None = None,
) -> LearnedFit:
    probabilities = softmax(logits)
    return LearnedFit(
        head=_head(scores, unit),
        mix=mix,
        share_bias=share_bias,
        anchor=anchor,
        scale=scale,
        penalty=penalty,
        n_reviews=len(texts),
        probabilities=probabilities,
        quality=measure(probabilities, texts.labels, texts.weights),
        choices=choices,
    )


def _unit(choices: Choices, prior: LinearHead) -> float:
    return choices.trust / prior.temperature * (choices.parts[0] + choices.parts[1] * choices.scale)


def _head(scores: Scores, unit: float) -> LinearHead:
    """In the prior's unit, so that a column that no review moved is the prior's own."""
    return LinearHead(_single(scores.weights / unit), _single(scores.bias / unit), 1 / unit)


def _single(values: Array) -> FloatArray:
    return values.astype(np.float32)


def _checked(
    vectors: ArrayLike, labels: ArrayLike, prior: LinearHead, weights: ArrayLike | None, pool: ArrayLike | None
) -> _Texts:
    matrix, held = np.asarray(vectors, dtype=np.float64), np.asarray(labels)
    if matrix.ndim != 2 or matrix.shape[1] != prior.dim or held.shape != matrix.shape[:1]:
        raise ValueError(f"Vectors {matrix.shape}, labels {held.shape} and a prior of width {prior.dim} do not fit.")
    if not np.isfinite(matrix).all():
        raise ValueError("Vectors must be finite.")
    whole = held.astype(np.int64)
    if (whole != held).any() or not np.isin(whole, np.arange(prior.n_categories)).all():
        raise ValueError(f"Labels must be whole numbers from 0 to {prior.n_categories - 1}.")
    shares = calibration.normalized(weights, len(whole))
    size = 1 / float(shares @ shares) if len(whole) else 0.0
    others = None if pool is None or not len(np.asarray(pool)) else np.asarray(pool, dtype=np.float64)
    if others is not None and (others.ndim != 2 or others.shape[1] != prior.dim or not np.isfinite(others).all()):
        raise ValueError(f"A pool of shape {others.shape} must be finite numbers of width {prior.dim}.")
    center = others.mean(axis=0) if others is not None else shares @ matrix
    return _Texts(matrix, whole, shares * size, center)
