import os
import socket
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import runs
from labeling.choices import RunStatus
from labeling.models import Category, LabelingRun, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(project: Project, add_texts) -> list:
    return add_texts(project, "The striker scored.", "Shares fell.", "Rain is expected.")


@pytest.fixture
def run(project: Project, texts: list) -> LabelingRun:
    return runs.start(project, provider="keyword")


def test_a_run_keeps_the_settings_as_they_were(project: Project, run: LabelingRun) -> None:
    Project.objects.filter(pk=project.pk).update(threshold=0.1)
    Category.objects.filter(project=project, name="Sports").update(name="Games")
    run.refresh_from_db()
    assert run.threshold == 0.8
    assert [category["name"] for category in run.categories] == ["Sports", "Business", "Weather"]


def test_a_run_counts_what_there_is_to_do(run: LabelingRun) -> None:
    assert (run.status, run.total, run.done) == (RunStatus.QUEUED, 3, 0)


def test_a_limit_bounds_the_total(project: Project, texts: list) -> None:
    assert runs.start(project, limit=2).total == 2


def test_picked_texts_are_the_whole_run(project: Project, texts: list) -> None:
    assert runs.start(project, text_ids=[texts[1].pk]).total == 1


def test_a_project_without_categories_is_told_what_to_do(add_texts) -> None:
    empty = Project.objects.create(name="Empty")
    add_texts(empty, "Some text.")
    with pytest.raises(runs.NoActiveCategories, match="create_project"):
        runs.start(empty)


def test_retired_categories_do_not_count(project: Project, texts: list) -> None:
    project.categories.update(is_active=False)
    with pytest.raises(runs.NoActiveCategories):
        runs.start(project)


def test_a_project_without_texts_has_nothing_to_label(project: Project) -> None:
    with pytest.raises(runs.NothingToLabel):
        runs.start(project)


def test_a_second_run_is_refused_while_the_first_is_unfinished(project: Project, run: LabelingRun) -> None:
    with pytest.raises(runs.RunInProgress):
        runs.start(project)


def test_a_run_in_the_background_is_queued_with_its_id(project: Project, texts: list) -> None:
    run = runs.start_in_background(project)
    (task,) = OrmQ.objects.all()
    assert task.task["func"] == "labeling.tasks.carry_out"
    assert task.task["args"] == (run.pk,)


def test_taking_a_run_makes_it_running(run: LabelingRun) -> None:
    lease = runs.take(run)
    assert (run.status, run.worker) == (RunStatus.RUNNING, lease.worker)


def test_a_run_is_taken_once(run: LabelingRun) -> None:
    runs.take(run)
    with pytest.raises(runs.RunInProgress, match="0 of 3"):
        runs.take(LabelingRun.objects.get(pk=run.pk))


def test_two_processes_that_saw_the_same_free_run_do_not_both_get_it(run: LabelingRun) -> None:
    other = LabelingRun.objects.get(pk=run.pk)
    runs.take(run)
    with pytest.raises(runs.RunInProgress):
        runs.take(other)


def _held_by(run: LabelingRun, worker: str, age: timedelta) -> LabelingRun:
    LabelingRun.objects.filter(pk=run.pk).update(
        status=RunStatus.RUNNING, worker=worker, heartbeat_at=timezone.now() - age
    )
    return LabelingRun.objects.get(pk=run.pk)


def test_the_run_of_a_dead_process_on_this_machine_is_taken_over_at_once(run: LabelingRun) -> None:
    dead = os.spawnlp(os.P_WAIT, "true", "true") or 2**22 + 1  # above the largest process id
    assert runs.take(_held_by(run, f"{socket.gethostname()}:{dead}:x", timedelta(seconds=1)))


def test_the_run_of_a_living_process_on_another_machine_is_left_alone(run: LabelingRun) -> None:
    with pytest.raises(runs.RunInProgress):
        runs.take(_held_by(run, "elsewhere:1:x", timedelta(seconds=1)))


def test_a_run_without_a_heartbeat_for_long_is_taken_over(run: LabelingRun) -> None:
    assert runs.take(_held_by(run, "elsewhere:1:x", runs.LEASE * 2))


def test_a_process_that_lost_its_run_learns_of_it(run: LabelingRun) -> None:
    lease = runs.take(run)
    LabelingRun.objects.filter(pk=run.pk).update(worker="elsewhere:1:x")
    with pytest.raises(runs.RunTakenAway):
        lease.extend()


def test_cancelling_stops_the_process_before_its_next_chunk(run: LabelingRun) -> None:
    lease = runs.take(run)
    assert runs.cancel(run)
    with pytest.raises(runs.RunTakenAway):
        lease.extend()


def test_a_finished_run_cannot_be_cancelled(run: LabelingRun) -> None:
    runs.finish(runs.take(run), run)
    assert not runs.cancel(run)


def test_a_released_run_can_be_taken_again(run: LabelingRun) -> None:
    runs.release(runs.take(run))
    run.refresh_from_db()
    assert runs.take(run)


def test_resuming_reaches_texts_that_arrived_meanwhile(project: Project, run: LabelingRun, add_texts) -> None:
    runs.release(runs.take(run))
    add_texts(project, "The final whistle blew.")
    resumed = runs.start_or_resume(project, provider="keyword")
    assert (resumed.pk, resumed.total) == (run.pk, 4)


def test_a_run_that_waits_for_the_worker_is_left_to_it(project: Project, run: LabelingRun) -> None:
    with pytest.raises(runs.RunInProgress, match="run_worker"):
        runs.start_or_resume(project, provider="scores")


def test_an_interrupted_run_of_another_kind_is_cancelled(project: Project, run: LabelingRun) -> None:
    runs.release(runs.take(run))
    other = runs.start_or_resume(project, provider="scores")
    run.refresh_from_db()
    assert (run.status, other.provider) == (RunStatus.CANCELLED, "scores")


def test_a_living_run_is_not_resumed_by_another_process(project: Project, run: LabelingRun) -> None:
    runs.take(run)
    with pytest.raises(runs.RunInProgress):
        runs.start_or_resume(project, provider="keyword")
