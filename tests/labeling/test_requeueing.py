from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import queueing, requeueing, runs
from labeling.choices import RunPhase, RunStatus
from labeling.models import LabelingRun, Project, Worker
from tests.labeling.working import done_with, let_die, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    """A run that was started a while ago."""
    add_texts(project, "The striker scored.")
    made = runs.start(project, provider="keyword")
    LabelingRun.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    made.refresh_from_db()
    return made


def test_a_run_that_the_broker_lost_is_queued_again(run: LabelingRun) -> None:
    assert requeueing.requeue() == [run]
    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_a_run_that_waits_in_the_queue_is_left_there(run: LabelingRun) -> None:
    requeueing.requeue()
    assert requeueing.requeue() == []
    assert OrmQ.objects.count() == 1


def test_a_run_that_nobody_came_to_for_long_is_queued_although_others_wait(run: LabelingRun) -> None:
    queueing.queue("labeling.tasks.carry_out", 7)
    assert requeueing.requeue() == []
    LabelingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - queueing.LONG_REST * 2)
    assert requeueing.requeue() == [run]
    assert requeueing.requeue() == []  # somebody was brought to it just now


def test_a_new_run_is_given_time(project: Project, add_texts) -> None:
    add_texts(project, "Rain is expected.")
    runs.start(project, provider="keyword")
    assert requeueing.requeue() == []


def test_a_run_at_work_is_left_alone(run: LabelingRun) -> None:
    take(run)
    assert requeueing.requeue() == []


def test_a_run_whose_process_died_is_queued_again(run: LabelingRun) -> None:
    chunk = take(run)
    assert not requeueing.is_any_idle()
    let_die(chunk)
    assert requeueing.is_any_idle()
    assert requeueing.requeue() == [run]


def test_a_worker_that_came_later_is_brought_to_a_run_that_can_be_shared(run: LabelingRun) -> None:
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    assert run.phase == RunPhase.LABEL
    LabelingRun.objects.filter(pk=run.pk).update(last_text_id=run.last_text_id + 600)
    take(run)
    for host in ("one", "two"):
        Worker.objects.create(host=host, cluster="labeling", supervisor_pid=1)
    assert requeueing.requeue() == [run]


def test_nobody_is_brought_to_a_run_whose_last_chunk_is_taken(run: LabelingRun) -> None:
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    take(run)
    for host in ("one", "two"):
        Worker.objects.create(host=host, cluster="labeling", supervisor_pid=1)
    assert requeueing.requeue() == []


def test_a_paused_run_is_left_alone(run: LabelingRun) -> None:
    runs.pause(run)
    assert requeueing.requeue() == []


def test_a_cancelled_run_whose_process_died_is_ended(run: LabelingRun) -> None:
    chunk = take(run)
    runs.cancel(run)
    let_die(chunk)
    requeueing.requeue()
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
