import pytest
from django_q.models import OrmQ

from labeling import chunks, runs
from labeling.choices import ChunkState, RunOrigin, RunPhase, RunStatus, TextStatus
from labeling.chunks import Step
from labeling.models import Category, LabelingRun, Project, RunChunk, Text, Worker
from tests.labeling.working import done_with, let_die, take

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


def test_a_run_of_an_archived_project_is_refused(project: Project, texts: list) -> None:
    Project.objects.update(is_archived=True)
    project.refresh_from_db()
    with pytest.raises(runs.Archived, match=r"News is archived\. Bring it back on its page"):
        runs.start(project)
    assert not LabelingRun.objects.exists()


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


def test_a_process_for_each_worker_is_brought_to_the_run(project: Project, texts: list) -> None:
    for host in ("one", "two"):
        Worker.objects.create(host=host, cluster="labeling", supervisor_pid=1)
    runs.start_in_background(project)
    assert OrmQ.objects.count() == 2


def test_the_first_process_makes_a_run_running(run: LabelingRun) -> None:
    runs.begin(run)
    assert run.status == RunStatus.RUNNING
    assert run.started_at is not None


def test_a_later_process_does_not_begin_it_anew(run: LabelingRun) -> None:
    runs.begin(run)
    started_at = run.started_at
    runs.begin(LabelingRun.objects.get(pk=run.pk))
    run.refresh_from_db()
    assert run.started_at == started_at


def test_a_paused_run_is_left_alone_until_it_is_resumed(run: LabelingRun) -> None:
    assert runs.pause(run)
    with pytest.raises(runs.RunStopped, match="paused"):
        runs.begin(run)
    assert runs.resume(run)
    assert OrmQ.objects.get().task["args"] == (run.pk,)
    runs.begin(run)


def test_what_is_not_paused_is_not_resumed(run: LabelingRun) -> None:
    assert not runs.resume(run)
    assert not OrmQ.objects.exists()


def test_a_run_that_nobody_works_on_is_cancelled_at_once(run: LabelingRun) -> None:
    runs.begin(run)
    assert runs.cancel(run)
    assert run.status == RunStatus.CANCELLED
    assert run.finished_at is not None


def test_a_run_at_work_is_cancelled_when_its_process_leaves(run: LabelingRun) -> None:
    chunk = take(run)
    assert runs.cancel(run)
    assert run.status == RunStatus.CANCELLING
    with pytest.raises(runs.RunStopped, match="cancelling"):
        chunks.extend(chunk)
    chunks.give_back(chunk)
    assert runs.settle(run)
    assert run.status == RunStatus.CANCELLED


def test_a_run_whose_process_died_while_it_was_cancelled_is_in_nobodys_way(project: Project, run: LabelingRun) -> None:
    chunk = take(run)
    runs.cancel(run)
    let_die(chunk)
    assert runs.unfinished(project) is None
    assert runs.start(project).pk != run.pk


def test_a_finished_run_cannot_be_cancelled(run: LabelingRun) -> None:
    runs.begin(run)
    runs.finish(run)
    assert not runs.cancel(run)
    assert run.status == RunStatus.SUCCEEDED


def test_a_run_with_a_chunk_set_aside_says_so(run: LabelingRun) -> None:
    chunk = take(run)
    RunChunk.objects.filter(pk=chunk.pk).update(state=ChunkState.SET_ASIDE)
    runs.finish(run)
    assert run.status == RunStatus.SUCCEEDED_WITH_FAILURES


def test_failed_texts_alone_are_tried_once_more(project: Project, texts: list) -> None:
    Text.objects.filter(pk=texts[1].pk).update(status=TextStatus.FAILED, error="The server does not answer.")
    run = runs.start(project, provider="keyword")
    runs.begin(run)
    runs.finish(run)
    again = runs.retry_failed(run)
    assert (again.origin, again.provider, again.total) == (RunOrigin.RETRY, "keyword", 1)
    assert list(Text.objects.in_reach(again)) == [texts[1]]


def test_without_failed_texts_there_is_nothing_to_try_once_more(run: LabelingRun) -> None:
    runs.cancel(run)
    with pytest.raises(runs.NothingToLabel):
        runs.retry_failed(run)


def test_resuming_reaches_texts_that_arrived_meanwhile(project: Project, run: LabelingRun, add_texts) -> None:
    runs.begin(run)
    runs.pause(run)
    add_texts(project, "The final whistle blew.")
    resumed = runs.start_or_resume(project, provider="keyword")
    assert (resumed.pk, resumed.total, resumed.status) == (run.pk, 4, RunStatus.QUEUED)


def test_resuming_after_the_last_label_labels_what_came_meanwhile(
    project: Project, run: LabelingRun, add_texts
) -> None:
    runs.begin(run)
    for _ in range(4):
        done_with(run)
    assert run.phase == RunPhase.FINISH
    runs.pause(run)
    [new] = add_texts(project, "The final whistle blew.")
    resumed = runs.start_or_resume(project, provider="keyword")
    assert (resumed.phase, resumed.last_text_id) == (RunPhase.LABEL, new.pk)
    assert resumed.cursor < new.pk


def test_a_run_that_waits_for_the_worker_is_left_to_it(project: Project, run: LabelingRun) -> None:
    with pytest.raises(runs.RunInProgress, match="run_worker"):
        runs.start_or_resume(project, provider="scores")


def test_an_interrupted_run_of_another_kind_is_cancelled(project: Project, run: LabelingRun) -> None:
    runs.begin(run)
    runs.pause(run)
    other = runs.start_or_resume(project, provider="scores")
    run.refresh_from_db()
    assert (run.status, other.provider) == (RunStatus.CANCELLED, "scores")


def test_a_run_between_two_chunks_is_shared_and_not_stopped(project: Project, run: LabelingRun) -> None:
    runs.begin(run)
    assert runs.start_or_resume(project, provider=run.provider) == run
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


@pytest.fixture
def interrupted(run: LabelingRun, texts: list) -> LabelingRun:
    """After one of its three texts, in the midst of a chunk."""
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    chunk = take(run)
    chunks.extend(chunk, Step(texts[0].pk, 1))
    chunks.give_back(chunk)
    runs.pause(run)
    return run


def test_resuming_counts_the_rest_of_what_was_interrupted(project: Project, interrupted: LabelingRun) -> None:
    assert runs.start_or_resume(project, provider="keyword").total == 3


def test_a_limit_holds_for_what_is_done_and_what_is_left_together(
    project: Project, interrupted: LabelingRun, texts: list, add_texts
) -> None:
    add_texts(project, "The final whistle blew.", "The match was drawn.")
    resumed = runs.start_or_resume(project, provider="keyword", limit=2)
    assert (resumed.total, list(Text.objects.of_chunk(resumed, after=texts[0].pk, last=10**9))) == (2, [texts[1]])


def test_a_limit_below_what_is_done_leaves_nothing_to_do(
    project: Project, interrupted: LabelingRun, texts: list
) -> None:
    interrupted.chunks.filter(phase=RunPhase.LABEL).update(reached=texts[1].pk, texts=2)
    resumed = runs.start_or_resume(project, provider="keyword", limit=1)
    assert (resumed.total, resumed.last_text_id < texts[2].pk) == (2, True)


def test_a_run_of_which_labels_say_little_tells_the_texts_it_went_through(
    project: Project, interrupted: LabelingRun
) -> None:
    assert not interrupted.labels.exists()  # as where the same labels come out again
    runs.resume(interrupted)
    take(interrupted)
    with pytest.raises(runs.RunInProgress, match="1 of 3"):
        runs.start_or_resume(project, provider="keyword")


def test_a_living_run_is_not_resumed_by_another_process(project: Project, run: LabelingRun) -> None:
    take(run)
    with pytest.raises(runs.RunInProgress, match="0 of 3"):
        runs.start_or_resume(project, provider="keyword")
