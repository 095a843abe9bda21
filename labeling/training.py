"""Reviews to a new classifier: what people decided teaches the head, and it labels only if it is no worse."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from labeling import classifiers, lessons, prompts
from labeling.choices import ClassifierKind
from labeling.learning import answers, calibration, learned, stacked, weighting
from labeling.learning.classifier import LinearHead
from labeling.learning.learned import LearnedFit
from labeling.learning.stacked import StackedFit
from labeling.lessons import Lesson
from labeling.models import Category, Classifier, Project
from labeling.providers import get_encoder
from labeling.providers.base import Provider

FEWEST_REVIEWS = 10
ENOUGH_TO_CALIBRATE = 50  # reviews: below, a confidence is still called an estimate


class CannotTrain(RuntimeError):
    """There is not enough to learn from. The message says what is missing."""


def train(project: Project) -> Classifier:
    """Fit a head on the project's reviewed texts and keep it as a new version, active if it is no worse.

    Texts of the blind audit are left out: they judge. Raises CannotTrain, or ProviderError when the model cannot be
    loaded. The provider is asked for categories that are new only; texts come from what is cached. Where it gives no
    vectors, an encoder's are computed where they are missing.
    """
    provider = prompts.provider_for(project)
    categories = project.active_categories()
    inputs = classifiers.inputs(provider, categories)
    lesson = lessons.read(project, inputs, categories)
    if len(lesson.labels) < FEWEST_REVIEWS:
        raise CannotTrain(_too_few(lesson))
    pool = lessons.read_pool(project, inputs)
    prior = prior_head(project, provider, categories, pool)
    untaught = prior if provider.can_embed else answers.own_answer(prior.n_categories, prior.dim)
    learn = learned.fit if provider.can_embed else stacked.fit
    weights = weights_for(untaught, lesson, pool)
    fit = learn(lesson.vectors, lesson.labels, prior, weights=weights, pool=pool)
    made = classifiers.new(project, provider, categories, fit.head, ClassifierKind.LEARNED)
    previous = classifiers.current(project, provider, categories)
    made.fitted_on = {"pool": len(pool), "reviews": len(lesson.labels), "left_out": lesson.left_out}
    made.quality = _quality(fit, categories) | _reliability(fit, lesson, weights)
    made.quality |= _compared(fit, lesson, previous, untaught)
    made.is_active = not made.quality["is_worse"]
    return classifiers.keep(made)


def prior_head(
    project: Project, provider: Provider, categories: Sequence[Category], pool: NDArray[np.float32]
) -> LinearHead:
    """What is known of the vectors before any review: the newest zero-shot head for these categories, or a new one.

    Of a provider without vectors, that of the encoder; the pool's vectors are then its last columns.
    """
    if not provider.can_embed:
        return prior_head(project, get_encoder(), categories, pool[:, len(categories) :] if len(pool) else pool)
    found = classifiers.newest_prior(project, provider, categories)
    return classifiers.load_head((found or classifiers.fit_zero_shot(project, provider, categories, pool)).pk)


def _too_few(lesson: Lesson) -> str:
    told = f"{len(lesson.labels)} reviewed texts can be learned from. Review {FEWEST_REVIEWS} first."
    if lesson.left_out:
        told += f" {lesson.left_out} more were not read by this model for these categories: manage.py label_texts."
    return told


def weights_for(untaught: LinearHead, lesson: Lesson, pool: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Weights (n,) that let the reviewed texts stand for all texts, although the queue shows doubtful ones first.

    By strata of the confidence before any review: a stratum's share of the pool over its share of the reviews.
    """
    if not len(pool):
        return None
    confidence = [untaught.probabilities(vectors).max(axis=1) for vectors in (lesson.vectors, pool)]
    return weighting.stratum_weights(*confidence)


def _quality(fit: LearnedFit | StackedFit, categories: Sequence[Category]) -> dict[str, object]:
    each = zip(categories, fit.quality.categories, strict=True)
    return {
        **fit.diagnostics(),
        "categories": [{"id": category.pk, **asdict(quality)} for category, quality in each],
        "is_calibrated": fit.n_reviews >= ENOUGH_TO_CALIBRATE,
    }


def _reliability(
    fit: LearnedFit | StackedFit, lesson: Lesson, weights: NDArray[np.float64] | None
) -> dict[str, object]:
    """The points of the reliability diagram, out of fold and weighted like the figures beside them."""
    right = fit.probabilities.argmax(axis=1) == lesson.labels
    points = calibration.reliability(fit.probabilities.max(axis=1), right, weights)
    return {"reliability": [{name: round(value, 4) for name, value in asdict(point).items()} for point in points]}


def _compared(
    fit: LearnedFit | StackedFit, lesson: Lesson, previous: Classifier | None, untaught: LinearHead
) -> dict[str, object]:
    """Log losses of the new head and the one before, on texts that neither was fitted on.

    Where none was before, a model answered by itself.
    """
    before = {} if previous is None else {"previous_version": previous.version}
    fresh = _new_to(previous, lesson)
    if fresh.sum() < FEWEST_REVIEWS:
        return {"is_worse": False, **before, "compared_on": int(fresh.sum())}
    head = untaught if previous is None else classifiers.load_head(previous.pk)
    return {**before, **_verdict(*log_losses(fit, lesson, head, fresh), int(fresh.sum()))}


def _new_to(previous: Classifier | None, lesson: Lesson) -> NDArray[np.bool_]:
    """Which reviews (n,) it was not fitted on: all, where it learned from none."""
    if previous is None or previous.kind != ClassifierKind.LEARNED:
        return np.ones(len(lesson.labels), dtype=bool)
    return np.array([when is not None and when > previous.created_at for when in lesson.reviewed_at])


def _verdict(new: float, old: float, count: int) -> dict[str, object]:
    losses = {"previous_log_loss": round(old, 4), "compared_log_loss": round(new, 4)}
    return {"is_worse": bool(new > old), **losses, "compared_on": count}


def log_losses(
    fit: LearnedFit | StackedFit, lesson: Lesson, previous: LinearHead, fresh: NDArray[np.bool_]
) -> tuple[float, float]:
    """Log loss of the new head, out of fold, and of the one before, on the texts that are new to both."""
    before = previous.probabilities(lesson.vectors[fresh])
    new, old = (calibration.log_loss(rows, lesson.labels[fresh]) for rows in (fit.probabilities[fresh], before))
    return new, old
