"""Whether more reviews would still change the labels. Reads only."""

import math

import numpy as np
from django.db.models import QuerySet

from labeling import classifiers, lessons, prompts
from labeling.choices import ClassifierKind
from labeling.classifiers import Inputs
from labeling.learning import sampling
from labeling.learning.sampling import StoppingAdvice
from labeling.models import Classifier, Project

WITHOUT_VECTORS = StoppingAdvice(
    may_stop=False,
    changed=None,
    kappa=None,
    sentence="The rounds of learning cannot be compared, because this model gives no vectors. An audit tells how often "
    "its labels are right.",
)
REVIEWS_A_ROUND = 25  # between two classifiers that are compared: after one review nothing looks changed


def advise(project: Project) -> StoppingAdvice:
    """Compare what the last classifiers say of the same sample of the project's texts [BLO09].

    Asked anew of the classifiers, which are all kept: no answers need to be stored. Raises ProviderError.
    """
    provider, categories = prompts.provider_for(project), project.active_categories()
    if not provider.can_embed:
        return WITHOUT_VECTORS
    if not categories:
        return sampling.stopping_advice([])
    heads = [classifiers.load_head(pk) for pk in _rounds(classifiers.fitted_for(project, provider, categories))]
    pool = lessons.read_pool(project, Inputs(provider.fingerprint)) if heads else np.zeros((0, 0), dtype=np.float32)
    return sampling.stopping_advice([head.logits(pool).argmax(axis=1) for head in heads] if len(pool) else [])


def _rounds(fitted: QuerySet[Classifier]) -> list[int]:
    """The classifiers to compare, oldest first: each was fitted on enough reviews more than the one before."""
    learned = fitted.filter(kind=ClassifierKind.LEARNED, is_active=True).order_by("-version")
    found: list[int] = []
    most = math.inf
    for pk, fitted_on in learned.values_list("pk", "fitted_on").iterator(chunk_size=100):
        if fitted_on["reviews"] <= most:
            found.insert(0, pk)
            most = fitted_on["reviews"] - REVIEWS_A_ROUND
        if len(found) > sampling.ROUNDS:
            break
    return found
