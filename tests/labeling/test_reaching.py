"""Runs that are made to reach texts which came after they began."""

import pytest

from labeling import chunks, execution, runs
from labeling.choices import RunPhase
from labeling.models import LabelingRun, Project
from tests.labeling.working import done_with

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
