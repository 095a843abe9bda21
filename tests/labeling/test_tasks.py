import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django_q.models import OrmQ

from labeling import phases, runs, tasks, workers
from labeling.choices import RunStatus
from labeling.models import Label, LabelingRun, Project
from tests.labeling.working import take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "sports", "business", "weather", "weather and sports")
    return runs.start(project, provider="keyword")


def test_a_task_carries_a_run_out(run: LabelingRun) -> None:
    tasks.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.done) == (RunStatus.SUCCEEDED, 4)


def test_a_second_delivery_changes_nothing(run: LabelingRun) -> None:
    tasks.carry_out(run.pk)
    tasks.carry_out(run.pk)
    assert Label.objects.count() == 4


def test_a_delivery_beside_a_living_process_leaves_it_its_chunk(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "PATIENCE_SECONDS", 0.1)
    take(run)
    tasks.carry_out(run.pk)
    assert not Label.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_long_run_queues_its_rest(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "TASK_SECONDS", 0.0001)
    tasks.carry_out(run.pk)
    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_a_paused_run_is_left_alone(run: LabelingRun) -> None:
    runs.pause(run)
    tasks.carry_out(run.pk)
    assert not Label.objects.exists()


def test_a_failed_run_ends_the_task_without_an_error(project: Project, add_texts) -> None:
    add_texts(project, "sports")
    run = runs.start(project, provider="broken")
    tasks.carry_out(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED


def test_a_worker_that_is_told_to_end_queues_the_rest(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "SLICE", 2)
    monkeypatch.setattr(workers, "is_stopping", run.labels.exists)
    tasks.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.done, OrmQ.objects.get().task["args"]) == (2, (run.pk,))


def test_a_check_of_the_model_is_told_to_who_asked_for_it(project: Project, django_user_model: type[User]) -> None:
    user = django_user_model.objects.create_user("maria")
    Project.objects.filter(pk=project.pk).update(provider="scores")
    assert tasks.check_model(project.pk, user.pk)
    entry = LogEntry.objects.get(user=user)
    assert entry.object_id == str(project.pk)
    assert "scores: KeywordScores" in entry.change_message


def test_a_model_that_does_not_work_says_what_to_do(project: Project, django_user_model: type[User]) -> None:
    user = django_user_model.objects.create_user("maria")
    Project.objects.filter(pk=project.pk).update(provider="broken")
    assert not tasks.check_model(project.pk, user.pk)
    assert LogEntry.objects.get(user=user).change_message == "The server does not answer. Start it."
