"""Runs that wait, stop, or change hands before all their texts are labeled."""

from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from labeling import annotations, chunks, execution, phases, runs
from labeling.choices import ChunkState, RunPhase, RunStatus
from labeling.models import Embedding, Label, LabelingRun, Project, RunChunk, Text
from labeling.providers import get_provider
from tests.labeling.working import let_die, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


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


def test_a_process_that_has_nothing_to_do_leaves_the_run_to_others(run: LabelingRun) -> None:
    take(run)
    assert execution.execute(run, patience=0.1)
    assert (run.status, run.done) == (RunStatus.RUNNING, 0)


def test_a_run_that_another_process_ends_between_two_looks_is_finished_for_this_one_too(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_chunk = chunks.take

    def take_late(*args: Any, **options: Any) -> RunChunk | None:
        monkeypatch.setattr(chunks, "take", take_chunk)
        execution.execute(LabelingRun.objects.get(pk=run.pk))  # in another process
        return take_chunk(*args, **options)

    monkeypatch.setattr(chunks, "take", take_late)
    assert execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED


def test_a_run_that_has_ended_before_this_process_comes_to_it_is_finished(run: LabelingRun) -> None:
    execution.execute(LabelingRun.objects.get(pk=run.pk))  # in another process
    assert execution.execute(run)
    assert run.done == 5


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


def test_a_process_that_died_before_the_last_word_leaves_it_to_the_next(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(runs, "finish", Mock(side_effect=SystemExit))
        execution.execute(run)
    assert (run.status, run.done) == (RunStatus.RUNNING, 5)
    execution.execute(run)
    assert run.status == RunStatus.SUCCEEDED


def test_a_database_out_of_reach_costs_no_attempt(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(OperationalError, match="disk is full"):
        patch.setattr(annotations, "record_predictions", Mock(side_effect=OperationalError("database or disk is full")))
        execution.execute(run)
    assert run.status == RunStatus.RUNNING
    assert run.error.startswith("The database failed: database or disk is full. When it works again")
    execution.execute(run)
    assert (run.status, run.done, run.error) == (RunStatus.SUCCEEDED, 5, "")
