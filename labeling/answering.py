"""One text, answered at once: nothing is stored."""

from labeling import classifiers, labelers, prompts, runs
from labeling.annotations import Prediction
from labeling.embeddings import CachedEncoder, TextRow
from labeling.labelers import HeadLabeler, Labeler
from labeling.learning import zero_shot
from labeling.learning.classifier import LinearHead
from labeling.models import Category, Project
from labeling.normalizing import content_hash, normalize
from labeling.providers.base import Provider


def answer(project: Project, content: str, *, provider: str = "") -> Prediction:
    """What the project's model says about a text, by its newest classifier, or plain zero-shot when it has none.

    Raises NoActiveCategories or ProviderError.
    """
    categories = project.active_categories()
    if not categories:
        raise runs.NoActiveCategories(f"Project {project} has no active categories. Add some in the admin.")
    text = normalize(content)
    labeler = _labeler(project, prompts.provider_for(project, provider), categories)
    return labeler.label([TextRow(0, text, content_hash(text))])[0]


def _labeler(project: Project, provider: Provider, categories: list[Category]) -> Labeler:
    if not provider.can_embed:
        learned = classifiers.current(project, provider, categories)
        return labelers.of_answers(provider, categories, learned, explained=True, keeps=False)
    return HeadLabeler(
        CachedEncoder(provider, explained=True, keeps=False), categories, _head(project, provider, categories)
    )


def _head(project: Project, provider: Provider, categories: list[Category]) -> LinearHead:
    if classifier := classifiers.current(project, provider, categories):
        return classifiers.load_head(classifier.pk)
    return zero_shot.plain_head(classifiers.prototypes(provider, categories))
