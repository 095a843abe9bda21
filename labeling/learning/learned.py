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
from scipy.optimize import minimize_scalar

from labeling.learning import mixing, weighting
from labeling.learning.classifier import FloatArray, LinearHead, softmax
from labeling.learning.members import Scores, Texts, anchored, mixed, regressed, share_scores
from labeling.learning.quality import Quality, measure

FEWEST_REVIEWS = 10  # with fewer, folds of one or two texts choose by chance: the anchored prior answers alone
FOLDS = 10  # heads fitted to nine tenths are nearly as sure as the last one; with 5, confidence at 200 was .01 lower
FOLDS_OF_MANY = 3
MANY_REVIEWS = 500
ANCHORS = (10.0, 3.0, 30.0)  # how many reviewed texts a category's prototype weighs; the first without a choice
SCALES = (1.0, 0.5)  # of the prior that the regression is pulled towards, after its temperature is fitted
PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)  # of the squared distance from that prior, strong first
MIDDLE_PENALTY = 0.3
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

    `probabilities` (n, n_categories) are out of fold, in the order of the reviewed texts: no row comes from a member
    that saw its text. Only the handful of numbers that mix the members, and the factor for the prior's logits, were
    chosen on all rows. `choices` is None below FEWEST_REVIEWS.
    """

    head: LinearHead
    n_reviews: int
    probabilities: FloatArray
    quality: Quality
    choices: Choices | None = None

    @property
    def mix(self) -> float:
        """The share of the regression in the head's log-probabilities; 0: prototypes only."""
        if self.choices is None:
            return 0.0
        prototypes, regression, _ = self.choices.parts
        return regression / (prototypes + regression)

    def diagnostics(self) -> dict[str, Any]:
        """The figures as plain numbers, for storing beside the head."""
        measured = {name: getattr(self.quality, name) for name in ("accuracy", "macro_f1", "log_loss", "ece", "brier")}
        return {
            **{name: round(value, 4) for name, value in {**measured, "mix": self.mix}.items()},
            "choices": self.choices.as_dict() if self.choices else None,
            "n_reviews": self.n_reviews,
        }


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
        moved = anchored(texts, plain, ANCHORS[0])
        logits = _out_of_fold(texts, folds, partial(anchored, prior=plain, strength=ANCHORS[0]))
        return _learned(moved, 1 / prior.temperature, logits, texts)
    return _mixture(texts, plain, prior, folds)


@dataclass(frozen=True, eq=False)
class Refit:
    """A head, and the member from which the next `refit` may start."""

    head: LinearHead
    regression: Scores


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
    regression = regressed(texts, pulled, choices.penalty, begin, steps)
    members = (anchored(texts, start, choices.anchor), regression, share_scores(texts, start))
    return Refit(_head(mixed(members, choices.parts), _unit(choices, prior)), regression)


def _mixture(texts: Texts, plain: Scores, prior: LinearHead, folds: IntArray) -> LearnedFit:
    """The three members, each chosen out of fold, and the mixture of them that predicts the folds left out best."""
    trust = _trust(plain, texts)
    start = plain.times(trust)
    anchor, anchored_logits = _choose_anchor(texts, start, folds)
    regression = _choose_regression(texts, start, folds)
    share_logits = _out_of_fold(texts, folds, partial(share_scores, prior=start))
    parts = _stacked((anchored_logits, regression.logits, share_logits), texts)
    pulled = start.times(regression.scale)
    members = (
        anchored(texts, start, anchor),
        regressed(texts, pulled, regression.penalty, regression.fitted[0], FINAL_STEPS),
        share_scores(texts, start),
    )
    choices = Choices(trust, anchor, regression.scale, regression.penalty, (parts[0], parts[1], parts[2]))
    return _learned(
        mixed(members, parts),
        _unit(choices, prior),
        parts[0] * anchored_logits + parts[1] * regression.logits + parts[2] * share_logits,
        texts,
        choices=choices,
    )


def _trust(prior: Scores, texts: Texts) -> float:
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


def _out_of_fold(texts: Texts, folds: IntArray, member: Callable[[Texts], Scores]) -> Array:
    """Logits (n, n_categories) of each text by the member fitted without the text's fold."""
    parts = [(folds == fold, member(texts.only(folds != fold))) for fold in np.unique(folds)]
    if not parts:
        return member(texts).of(texts)
    logits = np.empty((len(texts), len(parts[0][1].bias)))
    for rows, fitted in parts:
        logits[rows] = fitted.of(texts.only(rows))
    return logits


# --- Choices ----------------------------------------------------------------------------------------------------------


def _choose_anchor(texts: Texts, prior: Scores, folds: IntArray) -> tuple[float, Array]:
    """The strength of ANCHORS with the least loss out of fold, and its logits."""
    tried = []
    for strength in ANCHORS:
        member = partial(anchored, prior=prior, strength=strength)
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


def _choose_regression(texts: Texts, prior: Scores, folds: IntArray) -> _Trial:
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
    texts: Texts, prior: Scores, folds: IntArray, scale: float, penalty: float, starts: tuple[Scores, ...] = ()
) -> _Trial:
    """Fit without each fold in turn, from what was fitted for the neighbouring penalty where there is any."""
    pulled = prior.times(scale)
    queue, fitted = iter(starts), []

    def member(others: Texts) -> Scores:
        fitted.append(regressed(others, pulled, penalty, next(queue, pulled), FOLD_STEPS))
        return fitted[-1]

    logits = _out_of_fold(texts, folds, member)
    return _Trial(scale, penalty, tuple(fitted), logits, texts.loss(logits))


def _stacked(logits: Sequence[Array], texts: Texts) -> Array:
    """How much of each member's logits, (n_members,), by texts that it was not fitted on."""
    return mixing.parts(
        logits, texts.labels, texts.weights, start=STACK_START, bounds=STACK_BOUNDS, penalty=STACK_PENALTY
    )


# --- What is handed back ----------------------------------------------------------------------------------------------


def _learned(scores: Scores, unit: float, logits: Array, texts: Texts, *, choices: Choices | None = None) -> LearnedFit:
    probabilities = softmax(logits)
    return LearnedFit(
        head=_head(scores, unit),
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
) -> Texts:
    matrix, held = np.asarray(vectors, dtype=np.float64), np.asarray(labels)
    if matrix.ndim != 2 or matrix.shape[1] != prior.dim or held.shape != matrix.shape[:1]:
        raise ValueError(f"Vectors {matrix.shape}, labels {held.shape} and a prior of width {prior.dim} do not fit.")
    if not np.isfinite(matrix).all():
        raise ValueError("Vectors must be finite.")
    whole = held.astype(np.int64)
    if (whole != held).any() or not np.isin(whole, np.arange(prior.n_categories)).all():
        raise ValueError(f"Labels must be whole numbers from 0 to {prior.n_categories - 1}.")
    counted = weighting.effective(weights, len(whole))
    others = None if pool is None or not len(np.asarray(pool)) else np.asarray(pool, dtype=np.float64)
    if others is not None and (others.ndim != 2 or others.shape[1] != prior.dim or not np.isfinite(others).all()):
        raise ValueError(f"A pool of shape {others.shape} must be finite numbers of width {prior.dim}.")
    center = others.mean(axis=0) if others is not None else counted @ matrix / max(float(counted.sum()), 1e-12)
    return Texts(matrix, whole, counted, center)
