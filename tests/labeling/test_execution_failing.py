"""Runs in which something fails: what fails with it, what is tried again, and what goes on."""

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from labeling import annotations, chunks, classifiers, execution, phases, prompts, run_progress, runs
from labeling.annotations import Prediction
from labeling.choices import ChunkState, RunStatus, TextStatus
from labeling.embeddings import TextRow
from labeling.labelers import HeadLabeler
from labeling.models import LabelingRun, Project, Text
from labeling.providers import get_provider
from labeling.providers.base import CategorySpec, Encoding, ProviderError
from tests.fakes import KeywordEncoder, KeywordScores
from tests.labeling.working import done_with, let_die

AddTexts = Callable[..., list[Text]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_WAIT", "LONGEST_WAIT", "LOOK_SECONDS"):
        monkeypatch.setattr(execution, name, 0.001)


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


def test_failed_texts_are_taken_up_by_the_next_run(project: Project, texts: list[Text]) -> None:
    execution.execute(runs.start(project, provider="flaky"))
    run = runs.start(project, provider="keyword")
    execution.execute(run)
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 5)
