"""Reviews to a new classifier: what people decided teaches the head, and it labels only if it is no worse."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.choices import ClassifierKind, TextStatus
from labeling.learning import calibration, learned, weighting
from labeling.learning.classifier import LinearHead
from labeling.learning.learned import LearnedFit
from labeling.models import Category, Classifier, Project, Text
from labeling.providers import get_provider
from labeling.providers.base import Provider

FEWEST_REVIEWS = 10
ENOUGH_TO_CALIBRATE = 50  # reviews: below, a confidence is still called an estimate
MOST_REVIEWS = 20_000  # the newest are learned from: more change the head less than a new category's name
POOL_TEXTS = 5_000
AT_ONCE = 1_000


class CannotTrain(RuntimeError):
    """There is not enough to learn from. The message says what is missing."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What people decided, as arrays: `vectors` (n, dim), `labels` (n,) as places among the categories."""

    reviewed_at: list[datetime | None]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    without_vector: int


def train(project: Project) -> Classifier:
    """Fit a head on the project's reviewed texts and keep it as a new version, active if it is no worse.

    Texts of the blind audit are left out: they judge. Raises CannotTrain, or ProviderError when the model cannot be
    loaded. The model is asked for categories that are new only; texts come from cached vectors.
    """
    provider = get_provider(project.provider_alias)
    categories = project.active_categories()
    if not provider.can_embed:
        raise CannotTrain(f"Provider {project.provider_alias} has no embeddings to learn from. Choose another one.")
    lesson = read_lesson(project, provider, categories)
    if len(lesson.labels) < FEWEST_REVIEWS:
        raise CannotTrain(f"{len(lesson.labels)} reviewed texts can be learned from. Review {FEWEST_REVIEWS} first.")
    pool = read_pool(project, provider)
    prior = prior_head(project, provider, categories, pool)
    fit = learned.fit(lesson.vectors, lesson.labels, prior, weights=weights_for(prior, lesson, pool), pool=pool)
    made = classifiers.new(project, provider, categories, fit.head, ClassifierKind.LEARNED)
    previous = classifiers.current(project, provider, categories)
    made.fitted_on = {"pool": len(pool), "reviews": len(lesson.labels)}
    made.quality = _quality(fit, categories) | _compared(fit, lesson, previous)
    made.is_active = not made.quality["is_worse"]
    return classifiers.keep(made)


def read_lesson(
    project: Project,
    provider: Provider,
    categories: Sequence[Category],
    *,
    most: int = MOST_REVIEWS,
    kept: dict[str, NDArray[np.float16]] | None = None,
) -> Lesson:
    """The newest reviewed texts that hold an active category, with their cached vectors.

    Vectors by content hash that are in `kept` are not read again, and those that are read are added to it.
    """
    places = {category.pk: place for place, category in enumerate(categories)}
    texts = _reviewed(project).filter(current_label__category__in=list(places)).order_by("-reviewed_at", "-pk")
    rows = list(texts.values_list("content_hash", "current_label__category_id", "reviewed_at")[:most])
    cached = {} if kept is None else kept
    cached.update(_vectors([content_hash for content_hash, _, _ in rows if content_hash not in cached], provider))
    known = [row for row in rows if row[0] in cached]
    vectors = [cached[content_hash] for content_hash, _, _ in known]
    return Lesson(
        reviewed_at=[when for _, _, when in known],
        vectors=np.array(vectors, dtype=np.float32),
        labels=np.array([places[category_id] for _, category_id, _ in known], dtype=np.int64),
        without_vector=len(rows) - len(known),
    )


def read_pool(project: Project, provider: Provider) -> NDArray[np.float32]:
    """Cached vectors (m, dim) of a random sample of the project's texts: the order of hashes is a random order."""
    hashes = list(project.texts.order_by("content_hash").values_list("content_hash", flat=True)[:POOL_TEXTS])
    found = _vectors(hashes, provider)
    return np.array([found[key] for key in hashes if key in found], dtype=np.float32)


def prior_head(
    project: Project, provider: Provider, categories: Sequence[Category], pool: NDArray[np.float32]
) -> LinearHead:
    """What is known before any review: the newest zero-shot head for these categories, or a new one."""
    found = newest_prior(project, provider, categories)
    return classifiers.load_head((found or classifiers.fit_zero_shot(project, provider, categories, pool)).pk)


def newest_prior(project: Project, provider: Provider, categories: Sequence[Category]) -> Classifier | None:
    """The newest zero-shot classifier for these categories, if there is one."""
    zero_shot = classifiers.fitted_for(project, provider, categories).exclude(kind=ClassifierKind.LEARNED)
    return zero_shot.order_by("-version").first()


def weights_for(prior: LinearHead, lesson: Lesson, pool: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Weights (n,) that let the reviewed texts stand for all texts, although the queue shows doubtful ones first.

    By strata of the prior's confidence: a stratum's share of the pool over its share of the reviews.
    """
    if not len(pool):
        return None
    confidence = [prior.probabilities(vectors).max(axis=1) for vectors in (lesson.vectors, pool)]
    return weighting.stratum_weights(*confidence)


def _reviewed(project: Project) -> QuerySet[Text]:
    return project.texts.filter(status=TextStatus.REVIEWED, is_audit=False, reviewed_at__isnull=False)


def _vectors(content_hashes: Sequence[str], provider: Provider) -> dict[str, NDArray[np.float16]]:
    found: dict[str, NDArray[np.float16]] = {}
    for start in range(0, len(content_hashes), AT_ONCE):
        some = embeddings.load(content_hashes[start : start + AT_ONCE], fingerprint=provider.fingerprint)
        found |= {key: cached.vector for key, cached in some.items()}
    return found


def _quality(fit: LearnedFit, categories: Sequence[Category]) -> dict[str, object]:
    each = zip(categories, fit.quality.categories, strict=True)
    return {
        **fit.diagnostics(),
        "categories": [{"id": category.pk, **asdict(quality)} for category, quality in each],
        "choices": fit.choices.as_dict() if fit.choices else None,
        "is_calibrated": fit.n_reviews >= ENOUGH_TO_CALIBRATE,
    }


def _compared(fit: LearnedFit, lesson: Lesson, previous: Classifier | None) -> dict[str, object]:
    """Log losses of the new head and the one before, on texts that neither was fitted on."""
    if previous is None:
        return {"is_worse": False}
    fresh = np.array([when is not None and when > previous.created_at for when in lesson.reviewed_at])
    if fresh.sum() < FEWEST_REVIEWS:
        return {"is_worse": False, "previous_version": previous.version, "compared_on": int(fresh.sum())}
    new, old = log_losses(fit, lesson, classifiers.load_head(previous.pk), fresh)
    return {
        "is_worse": bool(new > old),
        "previous_version": previous.version,
        "previous_log_loss": round(old, 4),
        "compared_log_loss": round(new, 4),
        "compared_on": int(fresh.sum()),
    }


def log_losses(fit: LearnedFit, lesson: Lesson, previous: LinearHead, fresh: NDArray[np.bool_]) -> tuple[float, float]:
    """Log loss of the new head, out of fold, and of the one before, on the texts that are new to both."""
    before = previous.probabilities(lesson.vectors[fresh])
    new, old = (calibration.log_loss(rows, lesson.labels[fresh]) for rows in (fit.probabilities[fresh], before))
    return new, old
