from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from labeling import annotations, chunks, classifiers, execution, phases, prompts, run_progress, runs
from labeling.annotations import Prediction
from labeling.choices import ChunkState, ClassifierKind, RunPhase, RunStatus, TextStatus
from labeling.embeddings import TextRow
from labeling.labelers import HeadLabeler
from labeling.models import Classifier, Embedding, Label, LabelingRun, Project, RunChunk, Text
from labeling.providers import get_provider
from labeling.providers.base import CategorySpec, Encoding, ProviderError
from tests.fakes import KeywordEncoder, KeywordScores
from tests.labeling.working import done_with, let_die, take

AddTexts = Callable[..., list[Text]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

NEWS = ["sports news today", "more sports", "business report", "the weather report", "weather and sports"]


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_WAIT", "LONGEST_WAIT", "LOOK_SECONDS"):
        monkeypatch.setattr(execution, name, 0.001)


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
    monkeypatch.setattr(phases, "SLICE", 2)

    def stop_after_one_chunk(phase: str, done: int, total: int) -> None:
        if phase == "Labeling":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.execute(run, on_progress=stop_after_one_chunk)
    assert (run.status, run.done) == (RunStatus.PAUSED, 2)
    resumed = runs.start_or_resume(project, provider="keyword")
    assert resumed.total == 5
    execution.execute(resumed)
    assert LabelingRun.objects.get().status == RunStatus.SUCCEEDED
    assert Label.objects.count() == 5


def test_a_process_out_of_time_leaves_its_chunk_to_the_next(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "SLICE", 2)
    assert not execution.execute(run, is_over=lambda: run.labels.exists())
    assert (run.status, run.done, chunks.count_held(run)) == (RunStatus.RUNNING, 2, 0)
    assert execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 5)
    assert run.chunks.filter(attempts=1).count() == run.chunks.count()


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


def test_a_process_that_has_nothing_to_do_leaves_the_run_to_others(run: LabelingRun) -> None:
    take(run)
    assert execution.execute(run, patience=0.1)
    assert (run.status, run.done) == (RunStatus.RUNNING, 0)


def test_the_chunk_of_a_process_that_died_is_done_by_another(run: LabelingRun) -> None:
    let_die(take(run))
    assert execution.execute(run)
    assert run.done == 5


def test_a_cancelled_run_stops_and_keeps_its_labels(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "SLICE", 2)

    def cancel(phase: str, done: int, total: int) -> None:
        if phase == "Labeling":
            runs.cancel(LabelingRun.objects.get(pk=run.pk))  # in another process

    with pytest.raises(runs.RunStopped):
        execution.execute(run, on_progress=cancel)
    assert (run.status, run.done) == (RunStatus.CANCELLED, 4)  # with what it was at


def test_a_run_waits_for_a_server_that_is_down(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "FIRST_WAIT", 0.01)
    provider = get_provider("priced")
    monkeypatch.setattr(provider, "refusals", 3)
    run, notes = runs.start(project, provider="priced"), []
    monkeypatch.setattr(runs, "note_trouble", lambda _, reason: notes.append(reason))
    assert execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 5)
    assert notes[0] == "The server does not answer. The run waits for the server, and goes on by itself."
    assert len(notes) == 4 and notes[-1] == ""
    assert set(run.chunks.values_list("attempts", flat=True)) == {1}


def test_a_run_that_waits_for_a_server_can_be_cancelled(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_provider("priced"), "refusals", 1_000)
    run = runs.start(project, provider="priced")
    monkeypatch.setattr(runs, "is_at_work", lambda run: not runs.cancel(LabelingRun.objects.get(pk=run.pk)))
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.CANCELLED, 0)


@pytest.mark.parametrize("phase", RunPhase.values)
def test_a_run_is_cancelled_in_any_phase(run: LabelingRun, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    take_any = chunks.take

    def cancelling(run: LabelingRun, *args: Any, **options: Any) -> RunChunk | None:
        chunk = take_any(run, *args, **options)
        if chunk and chunk.phase == phase:
            runs.cancel(LabelingRun.objects.get(pk=run.pk))  # in another process
        return chunk

    monkeypatch.setattr(chunks, "take", cancelling)
    with pytest.raises(runs.RunStopped):
        execution.execute(run)
    assert run.status == RunStatus.CANCELLED
    assert not run.chunks.filter(state=ChunkState.WORKING).exists()


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


def test_what_fails_for_a_moment_before_labeling_is_tried_again_after_a_while(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    clock = Mock(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(execution, "time", clock)
    trouble, notes = ProviderError("Too many requests.", permanent=False), []
    monkeypatch.setattr(prompts, "provider_of", Mock(side_effect=[trouble, trouble, get_provider("keyword")]))
    monkeypatch.setattr(runs, "note_trouble", lambda _, reason: notes.append(reason))
    assert execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 5)
    assert sum(pauses) == pytest.approx(2 + 4)
    assert notes == [*["Too many requests. The run tries again by itself."] * 2, ""]


@pytest.mark.usefixtures("short_waits")
def test_what_fails_again_and_again_before_labeling_fails_the_run(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = ProviderError("Too many requests.", permanent=False)
    monkeypatch.setattr(prompts, "provider_of", Mock(side_effect=trouble))
    execution.execute(run)
    assert (run.status, run.error) == (RunStatus.FAILED, "Preparing failed 3 times. Too many requests.")


def test_one_bad_text_does_not_fail_those_beside_it(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = KeywordEncoder.encode

    def refuse(self: KeywordEncoder, contents: Sequence[str], **options: bool) -> Encoding:
        if "business report" in contents:
            raise ProviderError("Too long a question.", permanent=False)
        return original(self, contents, **options)

    execution.execute(runs.start(project, provider="keyword", text_ids=[texts[0].pk]))
    monkeypatch.setattr(KeywordEncoder, "encode", refuse)
    run = runs.start(project, provider="keyword")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 3)
    assert Text.objects.get(status=TextStatus.FAILED).content == "business report"


def test_a_turn_that_ends_does_not_keep_a_bad_text_from_standing_alone(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, asked = KeywordEncoder.encode, 0

    def refuse(self: KeywordEncoder, contents: Sequence[str], **options: bool) -> Encoding:
        nonlocal asked
        asked += 1
        if "business report" in contents:
            raise ProviderError("Too long a question.", permanent=False)
        return encode(self, contents, **options)

    execution.execute(runs.start(project, provider="keyword", text_ids=[texts[0].pk]))
    monkeypatch.setattr(KeywordEncoder, "encode", refuse)
    run = runs.start(project, provider="keyword")
    for _ in range(10):
        before = asked
        if execution.execute(run, is_over=lambda before=before: asked > before):
            break
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 3)
    assert Text.objects.get(status=TextStatus.FAILED).content == "business report"


def test_a_relabeling_without_vectors_ends_its_turn_between_slices_and_counts_every_text_once(
    run: LabelingRun, project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution.execute(run)
    Embedding.objects.filter(content_hash__in=[text.content_hash for text in texts[::2]]).delete()
    monkeypatch.setattr(phases, "SLICE", 1)
    again, provider, gone_through = runs.start(project, provider="keyword", relabel=True), get_provider("keyword"), []
    for _ in range(10):
        before = provider.texts_encoded
        if execution.execute(again, is_over=lambda before=before: provider.texts_encoded > before):
            break
        gone_through.append(chunks.tally(again).texts)
    assert again.status == RunStatus.SUCCEEDED
    assert gone_through == [1, 3, 5]


def test_a_label_keeps_the_models_own_words_and_what_its_confidence_comes_from(
    project: Project, texts: list[Text]
) -> None:
    execution.execute(runs.start(project, provider="talkative"))
    label = Label.objects.get(text=texts[0])
    assert label.confidence_source == "stated"
    assert label.explanation.endswith("; in the model's own words: It says sports.")


def test_a_text_that_the_model_refuses_fails_with_its_reason(project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "sports news", "nothing at all", "business news")
    run = runs.start(project, provider="talkative")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 2)
    assert Text.objects.get(status=TextStatus.FAILED).error == "It says nothing."


@pytest.mark.parametrize("every", [100, 2])
def test_a_provider_that_fails_for_a_share_of_the_texts_labels_the_others(
    project: Project, add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    add_texts(project, *(f"sports number {n} {'bad' if n % every == 0 else 'good'}" for n in range(200)))
    original = KeywordScores.predict

    def refuse(self: KeywordScores, contents: Sequence[str], categories: Sequence[CategorySpec]) -> Any:
        if any(content.endswith("bad") for content in contents):
            raise ProviderError("Refused.", permanent=False)
        return original(self, contents, categories)

    monkeypatch.setattr(KeywordScores, "predict", refuse)
    run = runs.start(project, provider="scores")
    execution.execute(run)
    failed = 200 // every
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 200 - failed)
    assert run_progress.of(run).failures == (("Refused.", failed),)


def test_a_text_that_a_library_breaks_on_fails_alone(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = HeadLabeler.label

    def break_down(self: HeadLabeler, rows: Sequence[TextRow], **options: float) -> list[Prediction]:
        if "business report" in [row.content for row in rows]:
            raise ZeroDivisionError("division by zero")
        return original(self, rows, **options)

    monkeypatch.setattr(HeadLabeler, "label", break_down)
    run = runs.start(project, provider="keyword")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 4)
    assert Text.objects.get(status=TextStatus.FAILED).error == "ZeroDivisionError: division by zero"
    assert chunks.tally(run) == (5, 1)


def test_a_chunk_that_cannot_be_written_is_set_aside_and_the_run_goes_on(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = annotations.record_predictions

    def break_down(run: LabelingRun, predictions: Sequence[Prediction]) -> int:
        if texts[2].pk in [prediction.text_id for prediction in predictions]:
            raise ZeroDivisionError("division by zero")
        return original(run, predictions)

    monkeypatch.setattr(annotations, "record_predictions", break_down)
    run = runs.start(project, provider="keyword")
    assert execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 4)
    [aside] = run.chunks.filter(state=ChunkState.SET_ASIDE)
    assert (aside.attempts, aside.failed, aside.error) == (3, 1, "ZeroDivisionError: division by zero")
    assert Text.objects.get(status=TextStatus.FAILED) == texts[2]


def test_texts_that_kill_their_process_fail_and_the_run_goes_on(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "FIRST", 2)
    monkeypatch.setattr(chunks, "MOST", 2)
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    chunk = chunks.take(run, chunks.new_worker())
    assert chunk is not None
    run.chunks.filter(pk=chunk.pk).update(attempts=chunks.MOST_ATTEMPTS)
    pool = np.zeros((0, 256), dtype=np.float32)
    head = classifiers.fit_zero_shot(run.project, get_provider("keyword"), run.project.active_categories(), pool)
    LabelingRun.objects.filter(pk=run.pk).update(classifier=head)
    let_die(chunk)
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED_WITH_FAILURES, 3)
    assert set(Text.objects.filter(status=TextStatus.FAILED).values_list("error", flat=True)) == {
        "The process that worked on it died, 3 times."
    }


def test_a_run_whose_classifier_cannot_be_fitted_fails(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifiers, "fit_zero_shot", Mock(side_effect=ZeroDivisionError("division by zero")))
    execution.execute(run)
    assert (run.status, run.error) == (RunStatus.FAILED, "Fitting failed 3 times. ZeroDivisionError: division by zero")


def test_a_process_that_died_before_the_last_word_leaves_it_to_the_next(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(runs, "finish", Mock(side_effect=SystemExit))
        execution.execute(run)
    assert (run.status, run.done) == (RunStatus.RUNNING, 5)
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED


def test_a_run_in_which_nothing_works_gives_up(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "HOPELESS", 3)
    run = runs.start(project, provider="flaky")
    with pytest.raises(ProviderError, match="None of the first 4 texts"):
        execution.execute(run)
    assert run.status == RunStatus.FAILED
    assert "The server does not answer. Start it." in run.error


@pytest.mark.usefixtures("short_waits")
def test_a_run_whose_model_is_gone_gives_up_before_all_its_texts_have_failed(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "HOPELESS", 3)
    run = runs.start(project, provider="scores")
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    trouble = ProviderError("Too many requests.", permanent=False)
    monkeypatch.setattr(prompts, "provider_of", Mock(side_effect=trouble))
    with pytest.raises(ProviderError, match=r"None of the first 3 texts could be labeled\. Too many requests\."):
        execution.execute(run)
    assert run.status == RunStatus.FAILED
    assert Text.objects.filter(status=TextStatus.UNLABELED).count() == 2


def test_a_database_out_of_reach_costs_no_attempt(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(OperationalError, match="disk is full"):
        patch.setattr(annotations, "record_predictions", Mock(side_effect=OperationalError("database or disk is full")))
        execution.execute(run)
    assert run.status == RunStatus.RUNNING
    assert run.error.startswith("The database failed: database or disk is full. When it works again")
    execution.execute(run)
    assert (run.status, run.done, run.error) == (RunStatus.SUCCEEDED, 5, "")


def test_categories_that_change_meanwhile_are_used_as_they_were(
    run: LabelingRun, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.categories.filter(name="Weather").update(name="Sky", description="Rain, sun and wind.")
    project.categories.create(name="Science", position=9)
    execution.execute(run)
    assert set(Label.objects.values_list("category__name", flat=True)) == {"Sports", "Business", "Sky"}
    assert Label.objects.filter(explanation__contains="Weather").exists()


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
