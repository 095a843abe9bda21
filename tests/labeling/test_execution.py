import pytest
from django.contrib.auth.models import User

from labeling import annotations, classifiers, execution, runs
from labeling.choices import ClassifierKind, RunStatus, TextStatus
from labeling.models import Classifier, Embedding, Label, LabelingRun, Project, Text
from labeling.providers import get_provider
from labeling.providers.base import ProviderError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

NEWS = ["sports news today", "more sports", "business report", "the weather report", "weather and sports"]


@pytest.fixture
def texts(project: Project, add_texts) -> list[Text]:
    return add_texts(project, *NEWS)


@pytest.fixture
def run(project: Project, texts: list[Text]) -> LabelingRun:
    return runs.start(project, provider="keyword")


def test_every_text_gets_one_label(run: LabelingRun) -> None:
    assert execution.execute(run)
    assert (run.status, run.done, Label.objects.count()) == (RunStatus.SUCCEEDED, 5, 5)
    assert not Text.objects.filter(status=TextStatus.UNLABELED).exists()


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


def test_an_interrupted_run_goes_on_where_it_stopped(
    run: LabelingRun, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "CHUNK", 2)

    def stop_after_one_chunk(phase: str, done: int, total: int) -> None:
        if phase == "Labeling":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.execute(run, on_progress=stop_after_one_chunk)
    assert (run.status, run.done) == (RunStatus.PAUSED, 2)
    execution.execute(runs.start_or_resume(project, provider="keyword"))
    assert LabelingRun.objects.get().status == RunStatus.SUCCEEDED
    assert Label.objects.count() == 5


def test_a_run_out_of_time_is_paused(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "CHUNK", 2)
    assert not execution.execute(run, is_over=lambda: True)
    assert (run.status, run.done) == (RunStatus.PAUSED, 2)
    assert execution.execute(run)


def test_a_cancelled_run_stops_and_keeps_its_labels(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "CHUNK", 2)

    def cancel(phase: str, done: int, total: int) -> None:
        if phase == "Labeling":
            runs.cancel(run)

    with pytest.raises(runs.RunTakenAway):
        execution.execute(run, on_progress=cancel)
    assert (run.status, run.done) == (RunStatus.CANCELLED, 2)


def test_a_permanent_error_fails_the_run_and_says_what_to_do(project: Project, texts: list[Text]) -> None:
    run = runs.start(project, provider="broken")
    with pytest.raises(ProviderError):
        execution.execute(run)
    assert (run.status, run.error) == (RunStatus.FAILED, "The server does not answer. Start it.")
    assert Text.objects.filter(status=TextStatus.UNLABELED).count() == 5


def test_a_temporary_error_fails_only_its_texts(project: Project, texts: list[Text]) -> None:
    run = runs.start(project, provider="flaky")
    assert execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED_WITH_FAILURES
    assert set(Text.objects.values_list("status", "error")) == {("failed", "The server does not answer. Start it.")}


def test_failed_texts_are_taken_up_by_the_next_run(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="flaky"))
    run = runs.start(project, provider="keyword")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 5)


def test_texts_of_another_project_are_left_alone(run: LabelingRun, add_texts) -> None:
    (foreign,) = add_texts(Project.objects.create(name="Other"), "sports elsewhere")
    execution.execute(run)
    foreign.refresh_from_db()
    assert foreign.status == TextStatus.UNLABELED
