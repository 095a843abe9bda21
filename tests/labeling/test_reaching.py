"""Runs that are made to reach texts which came after they began."""

from unittest.mock import Mock

import pytest

from labeling import annotations, chunks, drifting, execution, runs
from labeling.choices import RunPhase, RunStatus
from labeling.chunks import Step
from labeling.models import Label, LabelingRun, Project, Text
from tests.labeling.working import done_with, take
from tests.predictions import predicted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "sports", "business")
    return runs.start(project, provider="keyword")


def test_it_labels_what_came_while_it_labeled(run: LabelingRun, add_texts) -> None:
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    assert run.phase == RunPhase.LABEL
    add_texts(run.project, "weather")
    assert runs.reach_newest(run)
    assert run.total == 3
    execution.execute(run)
    assert not run.project.texts.filter(status="unlabeled").exists()


def test_a_phase_that_another_process_is_about_to_end_goes_on(run: LabelingRun, add_texts) -> None:
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    while (chunk := chunks.take(run, chunks.new_worker())) is not None:
        chunks.finish(chunk)
    assert chunks.is_done(run)
    add_texts(run.project, "weather")
    assert runs.reach_newest(LabelingRun.objects.get(pk=run.pk))
    chunks.advance(run)
    assert (run.phase, chunks.is_done(run)) == (RunPhase.LABEL, False)


def test_one_that_ends_or_labels_only_some_texts_does_not(run: LabelingRun) -> None:
    LabelingRun.objects.filter(pk=run.pk).update(phase=RunPhase.FINISH)
    assert not runs.reach_newest(run)
    run.limit = 1
    assert not runs.reach_newest(run)
    runs.cancel(run)
    run.limit = None
    assert not runs.reach_newest(run)


@pytest.fixture
def many(project: Project, add_texts, monkeypatch: pytest.MonkeyPatch) -> list[Text]:
    """Twelve texts, which are handed out four at a time."""
    monkeypatch.setattr(chunks, "FIRST", 4)
    monkeypatch.setattr(chunks, "MOST", 4)
    return add_texts(project, *(f"sports number {n}" for n in range(12)))


def interrupted(project: Project, *labeled: list[Text]) -> LabelingRun:
    """A run whose processes have labeled these texts, each of its own chunk."""
    run = runs.start(project, provider="scores")
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    sports = project.categories.get(name="Sports").pk
    for chunk, texts in [(take(run), texts) for texts in labeled]:
        annotations.record_predictions(run, [predicted(text.pk, sports, 0.6) for text in texts])
        if texts:
            chunks.extend(chunk, Step(texts[-1].pk, len(texts)))
        chunks.give_back(chunk)
    runs.pause(run)
    return run


def interrupted_at_the_end(project: Project, limit: int, monkeypatch: pytest.MonkeyPatch) -> LabelingRun:
    """The run goes on with a limit, and is stopped when all within it is labeled."""
    run = runs.start_or_resume(project, provider="scores", limit=limit)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(drifting, "compare", Mock(side_effect=KeyboardInterrupt))
        execution.execute(run)
    assert (run.phase, chunks.tally(run).texts) == (RunPhase.FINISH, limit)
    return run


def test_what_a_limit_cut_off_a_chunk_is_labeled_when_the_limit_is_gone(
    project: Project, many: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(project, many[:1])
    interrupted_at_the_end(project, 2, monkeypatch)
    run = runs.start_or_resume(project, provider="scores")
    execution.execute(run)
    assert (run.status, chunks.tally(run).texts, Label.objects.count()) == (RunStatus.SUCCEEDED, 12, 12)


def test_what_a_limit_cut_off_while_it_was_labeled_is_labeled_too(project: Project, many: list[Text]) -> None:
    interrupted(project, many[:1])
    run = runs.start_or_resume(project, provider="scores", limit=2)
    runs.begin(run)
    chunks.finish(take(run))
    runs.pause(run)
    assert runs.start_or_resume(project, provider="scores").cursor == many[1].pk


def test_chunks_that_lie_beyond_a_limit_are_handed_out_again_and_stay_counted(
    project: Project, many: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(project, many[:1], many[4:6])
    interrupted_at_the_end(project, 3, monkeypatch)
    run = runs.start_or_resume(project, provider="scores")
    assert run.total == 12
    execution.execute(run)
    assert (run.status, chunks.tally(run).texts, Label.objects.count()) == (RunStatus.SUCCEEDED, 12, 12)


def test_a_chunk_may_begin_again_where_one_beyond_the_limit_began(
    project: Project, many: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(project, [], many[4:5])
    interrupted_at_the_end(project, 1, monkeypatch)
    run = runs.start_or_resume(project, provider="scores")
    execution.execute(run)
    assert (run.status, chunks.tally(run).texts, Label.objects.count()) == (RunStatus.SUCCEEDED, 12, 12)
