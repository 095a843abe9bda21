from unittest.mock import Mock

import numpy as np
import pytest

from labeling import asking, classifiers
from labeling.asking import CachedAnswers, TextsFailed
from labeling.embeddings import TextRow
from labeling.learning.classifier import softmax
from labeling.models import Embedding, Project
from labeling.providers.base import ProviderError
from tests.fakes import KeywordScores, Talkative

pytestmark = pytest.mark.django_db

ROWS = [TextRow(0, "sports and more sports", "a"), TextRow(0, "business", "b"), TextRow(0, "nothing", "c")]


class OnceBroken(KeywordScores):
    """Answers about two texts, then about none until it is mended."""

    is_mended = False

    def predict(self, texts, categories):  # type: ignore[no-untyped-def]
        if self.texts_encoded and not self.is_mended:
            raise ProviderError("The server does not answer. Start it.", permanent=False)
        return super().predict(texts, categories)


@pytest.fixture
def provider() -> KeywordScores:
    return KeywordScores()


def test_the_answer_is_the_providers(project: Project, provider: KeywordScores) -> None:
    categories = project.active_categories()
    logs = CachedAnswers(provider, categories).read(ROWS).logs
    given = provider.predict([row.content for row in ROWS], classifiers.specs(categories))
    np.testing.assert_allclose(softmax(logs), given, rtol=2e-3, atol=1e-6)


def test_nothing_is_asked_twice(project: Project, provider: KeywordScores) -> None:
    first = CachedAnswers(provider, project.active_categories()).read(ROWS)
    before = provider.texts_encoded
    again = CachedAnswers(provider, project.active_categories()).read(ROWS)
    assert provider.texts_encoded == before
    np.testing.assert_array_equal(first.logs, again.logs)


def test_other_words_of_a_category_are_another_question(project: Project, provider: KeywordScores) -> None:
    CachedAnswers(provider, project.active_categories()).read(ROWS)
    project.categories.filter(name="Sports").update(description="Games.")
    CachedAnswers(provider, project.active_categories()).read(ROWS)
    assert Embedding.objects.count() == 6


def test_no_certainty_is_infinite(project: Project, provider: KeywordScores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "predict", lambda texts, _: np.eye(3, dtype=np.float32)[: len(texts)])
    logs = CachedAnswers(provider, project.active_categories()).read(ROWS).logs
    assert np.isfinite(logs).all()
    assert logs.min() == asking.LEAST_LOG


def test_answers_before_an_error_are_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    provider = OnceBroken()
    answers = CachedAnswers(provider, project.active_categories())
    with pytest.raises(ProviderError):
        answers.read(ROWS)
    assert set(Embedding.objects.values_list("content_hash", flat=True)) == {"a", "b"}
    provider.is_mended = True
    assert answers.read(ROWS).logs.shape == (3, 3)


def test_when_its_time_is_over_the_provider_is_asked_nothing_more(
    project: Project, provider: KeywordScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    monkeypatch.setattr(asking, "time", Mock(monotonic=Mock(side_effect=[9.9, 10.0])))
    with pytest.raises(TextsFailed) as failed:
        CachedAnswers(provider, project.active_categories(), until=10.0).read(ROWS)
    assert [(key, error.permanent) for key, error in failed.value.errors.items()] == [("c", False)]
    assert (provider.texts_encoded, Embedding.objects.count()) == (2 + 3, 2)  # the words of three categories


def test_reasons_and_sources_are_kept_with_the_answer(project: Project) -> None:
    CachedAnswers(Talkative(), project.active_categories()).read(ROWS[:2])
    again = CachedAnswers(Talkative(), project.active_categories()).read(ROWS[:2])
    assert again.reasons == ["It says sports.", "It says business."]
    assert again.sources == ["stated", "stated"]


def test_a_text_without_an_answer_is_named_and_the_others_are_kept(project: Project) -> None:
    with pytest.raises(TextsFailed) as failed:
        CachedAnswers(Talkative(), project.active_categories()).read(ROWS)
    assert [(key, str(error)) for key, error in failed.value.errors.items()] == [("c", "It says nothing.")]
    assert set(Embedding.objects.values_list("content_hash", flat=True)) == {"a", "b"}


def test_what_is_not_to_be_kept_is_not(project: Project, provider: KeywordScores) -> None:
    CachedAnswers(provider, project.active_categories(), keeps=False).read(ROWS)
    assert not Embedding.objects.exists()
