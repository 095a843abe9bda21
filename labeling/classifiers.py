"""Fitted heads of a project: which one holds, and a new zero-shot one when none does."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Max, QuerySet
from numpy.typing import NDArray

from labeling.choices import ClassifierKind
from labeling.learning import zero_shot
from labeling.learning.classifier import LinearHead
from labeling.models import Category, Classifier, Project
from labeling.providers import get_encoder
from labeling.providers.base import CategorySpec, Provider


def specs(categories: Sequence[Category]) -> list[CategorySpec]:
    """The categories as plain values, as providers see them."""
    return [CategorySpec(c.name, c.description, tuple(str(example) for example in c.examples)) for c in categories]


def category_hash(categories: Sequence[Category]) -> str:
    """Changes when a category is added, retired, or worded differently: heads fitted before no longer hold."""
    words = [[c.pk, *asdict(spec).values()] for c, spec in zip(categories, specs(categories), strict=True)]
    return blake2b(json.dumps(words).encode(), digest_size=16).hexdigest()


class Inputs(NamedTuple):
    """What a head reads, by the fingerprints under which it is cached: vectors, and before them answers or nothing."""

    model_fingerprint: str
    answers_fingerprint: str = ""


def inputs(provider: Provider, categories: Sequence[Category]) -> Inputs:
    """What heads learned for this provider read. Raises ProviderError when it needs an encoder and there is none."""
    if provider.can_embed:
        return Inputs(provider.fingerprint)
    return Inputs(get_encoder().fingerprint, answers_fingerprint(provider, categories))


def answers_fingerprint(provider: Provider, categories: Sequence[Category]) -> str:
    """Under which a provider's answers are cached: it changes with the model and with any word of the categories."""
    parts = f"{provider.fingerprint} {category_hash(categories)}"
    return blake2b(parts.encode(), digest_size=16).hexdigest()


def current(project: Project, provider: Provider, categories: Sequence[Category]) -> Classifier | None:
    """The newest classifier that was fitted for these categories and this model, if any."""
    return fitted_for(project, provider, categories).filter(is_active=True).order_by("-version").first()


def fitted_for(project: Project, provider: Provider, categories: Sequence[Category]) -> QuerySet[Classifier]:
    """All classifiers of the project that were fitted for these categories and this model."""
    heads = project.classifiers.filter(category_hash=category_hash(categories))
    if not provider.can_embed:
        heads = heads.filter(answers_fingerprint=answers_fingerprint(provider, categories))
        if not heads.exists():  # nothing was learned yet, so no encoder is asked for
            return heads.none()
    return heads.filter(**inputs(provider, categories)._asdict())


def newest_prior(project: Project, provider: Provider, categories: Sequence[Category]) -> Classifier | None:
    """The newest zero-shot classifier for these categories, if there is one."""
    zero_shot = fitted_for(project, provider, categories).exclude(kind=ClassifierKind.LEARNED)
    return zero_shot.order_by("-version").first()


def newest_fingerprint(project: Project) -> QuerySet[Classifier, str]:
    """The model under which the project's texts have cached vectors: one or none, to be read or part of a query."""
    return project.classifiers.order_by("-version").values_list("model_fingerprint", flat=True)[:1]


@lru_cache(maxsize=32)
def load_head(classifier_id: int) -> LinearHead:
    """The head of a classifier. Classifiers never change, so each is read once per process."""
    return LinearHead.from_bytes(bytes(Classifier.objects.values_list("weights", flat=True).get(pk=classifier_id)))


def prototypes(provider: Provider, categories: Sequence[Category]) -> NDArray[np.float32]:
    """One vector for each category from its own words, shape (n_categories, dim)."""
    groups = [zero_shot.category_sentences(s.name, s.description, s.examples) for s in specs(categories)]
    vectors = provider.embed([sentence for group in groups for sentence in group])
    return zero_shot.prototypes(vectors, [len(group) for group in groups])


def fit_zero_shot(
    project: Project, provider: Provider, categories: Sequence[Category], pool: NDArray[np.float32]
) -> Classifier:
    """Fit a head on the categories' words and a pool of unlabeled vectors (n_texts, dim), and keep it.

    The model is called before the transaction starts; an empty pool gives plain zero-shot.
    """
    fit = zero_shot.fit(prototypes(provider, categories), pool)
    kind = ClassifierKind.POOL_AWARE if len(pool) else ClassifierKind.ZERO_SHOT
    made = new(project, provider, categories, fit.head, kind)
    made.fitted_on, made.quality = {"pool": len(pool), "reviews": 0}, fit.diagnostics()
    return keep(made)


def new(
    project: Project, provider: Provider, categories: Sequence[Category], head: LinearHead, kind: ClassifierKind
) -> Classifier:
    """A classifier that is not kept yet."""
    return Classifier(
        project=project,
        kind=kind,
        model_name=provider.model_name,
        **inputs(provider, categories)._asdict(),
        category_ids=[category.pk for category in categories],
        category_hash=category_hash(categories),
        weights=head.to_bytes(),
    )


@transaction.atomic
def keep(classifier: Classifier) -> Classifier:
    """Insert under the next version number of its project."""
    Project.objects.select_for_update().get(pk=classifier.project_id)  # one version number is given at a time
    newest = Classifier.objects.filter(project_id=classifier.project_id).aggregate(Max("version"))["version__max"]
    classifier.version = (newest or 0) + 1
    classifier.save()
    return classifier
