"""Runs: which texts they label, with what, and what each label says."""

import gc
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User

from labeling import annotations, classifiers, execution, phases, runs
from labeling.choices import ClassifierKind, RunStatus, TextStatus
from labeling.models import Classifier, Embedding, Label, LabelingRun, Project, Text
from labeling.providers import get_provider
from tests.labeling.working import NEWS

AddTexts = Callable[..., list[Text]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


def test_every_text_gets_one_label(run: LabelingRun) -> None:
    assert execution.execute(run)
    assert (run.status, run.done, Label.objects.count()) == (RunStatus.SUCCEEDED, 5, 5)
    assert not Text.objects.filter(status=TextStatus.UNLABELED).exists()


def test_meanwhile_the_garbage_collector_leaves_alone_what_was_there_before(run: LabelingRun) -> None:
    left_alone: list[int] = []
    execution.execute(run, on_progress=lambda *_: left_alone.append(gc.get_freeze_count()))
    assert left_alone
    assert min(left_alone) > 10_000
    assert gc.get_freeze_count() == 0


def test_the_label_names_the_category_whose_word_is_in_the_text(run: LabelingRun, texts: list[Text]) -> None:
    execution.execute(run)
    texts[2].refresh_from_db()
    assert texts[2].current_label.category.name == "Business"


def test_each_label_says_which_words_made_it(run: LabelingRun, texts: list[Text]) -> None:
    execution.execute(run)
    label = Label.objects.get(text=texts[2])
    assert next(texts[2].content[start:end] for start, end, _ in label.evidence) == "business"
    assert label.explanation.startswith("Business 0.")
    assert "because of: business" in label.explanation


def test_a_label_knows_what_made_it(run: LabelingRun) -> None:
    execution.execute(run)
    label = Label.objects.first()
    assert (label.run, label.provider, label.model_name) == (run, "keyword", "keyword")
    assert label.classifier == Classifier.objects.get()


def test_vectors_are_cached_and_a_relabeling_needs_no_model(run: LabelingRun, project: Project) -> None:
    execution.execute(run)
    assert Embedding.objects.count() == len(NEWS)
    before = get_provider("keyword").texts_encoded
    again = runs.start(project, provider="keyword", relabel=True)
    execution.execute(again)
    assert (again.status, get_provider("keyword").texts_encoded) == (RunStatus.SUCCEEDED, before)


def test_a_head_is_fitted_once_for_the_same_categories(run: LabelingRun, project: Project) -> None:
    execution.execute(run)
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    assert Classifier.objects.get().kind == ClassifierKind.POOL_AWARE


def test_a_changed_category_gets_a_new_head(run: LabelingRun, project: Project) -> None:
    execution.execute(run)
    project.categories.filter(name="Weather").update(description="Rain, sun and wind.")
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    assert list(Classifier.objects.order_by("version").values_list("version", flat=True)) == [1, 2]


def test_a_retired_category_gets_no_new_label(project: Project, texts: list[Text]) -> None:
    project.categories.filter(name="Sports").update(is_active=False)
    execution.execute(runs.start(project, provider="keyword"))
    assert not Label.objects.filter(category__name="Sports").exists()


def test_a_provider_that_only_scores_labels_too(project: Project, texts: list[Text]) -> None:
    run = runs.start(project, provider="scores")
    execution.execute(run)
    assert run.done == 5
    assert not Classifier.objects.exists()
    assert Label.objects.first().explanation.startswith("Sports 0.")


def test_a_provider_that_only_scores_labels_as_it_answers(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="scores"))
    given = get_provider("scores").predict([texts[2].content], classifiers.specs(project.active_categories()))[0]
    label = Label.objects.get(text=texts[2])
    assert label.confidence == label.raw_score == pytest.approx(given.max(), abs=1e-3)
    assert (label.is_calibrated, label.evidence) == (False, [])


def test_a_provider_that_only_scores_is_not_asked_twice(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="scores"))
    before = get_provider("scores").texts_encoded
    execution.execute(runs.start(project, provider="scores", relabel=True))
    assert get_provider("scores").texts_encoded == before


def test_labeling_by_scores_alone_needs_no_encoder(project: Project, texts: list[Text], settings) -> None:
    settings.LABELING_ENCODER = "nowhere"
    run = runs.start(project, provider="scores")
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED


def test_a_provider_that_only_scores_answers_about_decided_texts_too(
    project: Project, texts: list[Text], manager: User
) -> None:
    label = annotations.record_human_label(texts[0], project.categories.get(name="Sports"), annotator=manager)
    annotations.hold(texts[0], label_id=label.pk, reviewed_by=manager)
    execution.execute(runs.start(project, provider="scores"))
    assert Embedding.objects.filter(content_hash=texts[0].content_hash).count() == 1
    assert list(Label.objects.filter(text=texts[0])) == [label]


def test_the_limit_holds(project: Project, texts: list[Text]) -> None:
    run = runs.start(project, provider="keyword", limit=2)
    execution.execute(run)
    assert (run.status, Label.objects.count()) == (RunStatus.SUCCEEDED, 2)


def test_only_picked_texts_are_labeled(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="keyword", text_ids=[texts[3].pk]))
    assert Label.objects.get().text == texts[3]


def test_the_audit_is_drawn_from_all_texts(project: Project, texts: list[Text]) -> None:
    Project.objects.filter(pk=project.pk).update(audit_share=1.0)
    project.refresh_from_db()
    execution.execute(runs.start(project, provider="keyword"))
    assert Text.objects.filter(is_audit=True).count() == 5


def sizes_asked(project: Project, add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Texts of each call to a model that only answers, over a run of 30 texts."""
    add_texts(project, *(f"sports number {n}" for n in range(25)))
    provider = get_provider("scores")
    asked = Mock(side_effect=provider.predict)
    monkeypatch.setattr(provider, "predict", asked)
    assert execution.execute(runs.start(project, provider="scores"))
    return [len(call.args[0]) for call in asked.call_args_list]


def test_a_model_that_answers_quickly_is_asked_about_ever_more_texts_at_once(
    project: Project, texts: list[Text], add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sizes_asked(project, add_texts, monkeypatch) == [4, 8, 16, 2]


def test_a_model_that_takes_long_is_asked_about_fewer_texts_at_once(
    project: Project, texts: list[Text], add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(phases, "SLOW_SECONDS", 0.0)
    assert sizes_asked(project, add_texts, monkeypatch)[:4] == [4, 2, 1, 1]


def test_a_label_keeps_the_models_own_words_and_what_its_confidence_comes_from(
    project: Project, texts: list[Text]
) -> None:
    execution.execute(runs.start(project, provider="talkative"))
    label = Label.objects.get(text=texts[0])
    assert label.confidence_source == "stated"
    assert label.explanation.endswith("; in the model's own words: It says sports.")


def test_categories_that_change_meanwhile_are_used_as_they_were(
    run: LabelingRun, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.categories.filter(name="Weather").update(name="Sky", description="Rain, sun and wind.")
    project.categories.create(name="Science", position=9)
    execution.execute(run)
    assert set(Label.objects.values_list("category__name", flat=True)) == {"Sports", "Business", "Sky"}
    assert Label.objects.filter(explanation__contains="Weather").exists()


def test_texts_of_another_project_are_left_alone(run: LabelingRun, add_texts) -> None:
    (foreign,) = add_texts(Project.objects.create(name="Other"), "sports elsewhere")
    execution.execute(run)
    foreign.refresh_from_db()
    assert foreign.status == TextStatus.UNLABELED
