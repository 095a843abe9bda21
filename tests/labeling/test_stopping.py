from collections.abc import Callable

import numpy as np
import pytest

from labeling import classifiers, execution, runs, stopping
from labeling.choices import ClassifierKind
from labeling.learning.classifier import LinearHead
from labeling.models import Project, Text
from labeling.providers import get_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def labeled(project: Project, add_texts: Callable[..., list[Text]]) -> Project:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, *(f"sports business weather number{n}" for n in range(40)))
    execution.execute(runs.start(project))
    return project


def learn(project: Project, *, reviews: int, seed: int = 0) -> None:
    """A classifier that was learned from so many reviews; another seed gives other answers."""
    head = LinearHead(np.random.default_rng(seed).normal(size=(256, 3)), np.zeros(3))
    made = classifiers.new(project, get_provider("keyword"), project.active_categories(), head, ClassifierKind.LEARNED)
    made.fitted_on = {"reviews": reviews}
    classifiers.keep(made)


def test_before_any_learning_it_is_too_early(labeled: Project) -> None:
    advice = stopping.advise(labeled)
    assert not advice.may_stop
    assert "4 more rounds" in advice.sentence


def test_stable_answers_advise_to_stop(labeled: Project) -> None:
    for reviews in (25, 50, 75, 100):
        learn(labeled, reviews=reviews)
    advice = stopping.advise(labeled)
    assert (advice.may_stop, advice.changed) == (True, 0.0)


def test_changing_answers_advise_to_go_on(labeled: Project) -> None:
    for seed, reviews in enumerate((25, 50, 75, 100)):
        learn(labeled, reviews=reviews, seed=seed)
    advice = stopping.advise(labeled)
    assert not advice.may_stop
    assert "keep reviewing" in advice.sentence


def test_rounds_of_a_few_reviews_count_as_one(labeled: Project) -> None:
    for reviews in (25, 26, 27, 28, 29, 50):
        learn(labeled, reviews=reviews)
    assert "2 more rounds" in stopping.advise(labeled).sentence


def test_other_categories_begin_anew(labeled: Project) -> None:
    for reviews in (25, 50, 75, 100):
        learn(labeled, reviews=reviews)
    labeled.categories.create(name="Other", position=9)
    assert "4 more rounds" in stopping.advise(labeled).sentence


def test_a_provider_without_embeddings_has_no_rounds(labeled: Project) -> None:
    labeled.provider = "scores"
    advice = stopping.advise(labeled)
    assert not advice.may_stop
    assert advice.sentence == (
        "The rounds of learning cannot be compared, because this model gives no vectors. An audit tells how often its "
        "labels are right."
    )
