import pytest
from django.utils import timezone

from labeling import execution, run_progress, runs, workers
from labeling.choices import ChunkState, RunPhase, TextStatus
from labeling.models import LabelingRun, Project, RunChunk, Text, Worker
from tests.labeling.working import done_with, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "sports", "business", "weather", "weather and sports")
    return runs.start(project, provider="keyword")


@pytest.fixture
def labeling(run: LabelingRun) -> LabelingRun:
    """About to label."""
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    return run


def add_done(run: LabelingRun, after: int, *, texts: int, seconds: float, failed: int = 0) -> None:
    RunChunk.objects.create(
        run=run,
        phase=RunPhase.LABEL,
        after=after,
        last=after + 1,
        reached=after + 1,
        state=ChunkState.DONE,
        texts=texts,
        failed=failed,
        seconds=seconds,
        heartbeat_at=timezone.now(),
    )


def test_a_run_that_has_not_begun_says_nothing_of_time(run: LabelingRun) -> None:
    now = run_progress.of(run)
    assert (now.phase, now.done, now.total, now.rate, now.seconds_left) == ("Preparing", 0, 4, None, None)


def test_chunks_that_are_done_are_counted(labeling: LabelingRun) -> None:
    add_done(labeling, 0, texts=3, seconds=1.0)
    now = run_progress.of(labeling)
    assert (now.phase, now.done, now.total, now.percent) == ("Labeling", 3, 4, 75)


def test_the_rate_is_what_each_process_at_work_did_lately(labeling: LabelingRun) -> None:
    for place in range(4):
        add_done(labeling, 5000 + place, texts=100, seconds=10.0)
    assert run_progress.of(labeling).rate is None  # nobody works on it
    take(labeling)
    labeling.total = 1000
    now = run_progress.of(labeling)
    assert (now.rate, now.seconds_left) == (pytest.approx(10.0), pytest.approx(60.0))


def test_processes_at_work_are_counted(run: LabelingRun) -> None:
    take(run)
    assert run_progress.of(run).processes == 1


def test_failures_are_told_by_reason(run: LabelingRun) -> None:
    failed = list(run.project.texts.all()[:3])
    add_done(run, 0, texts=4, failed=3, seconds=1.0)
    for text, error in zip(failed, ["Too long.", "No answer.", "No answer."], strict=True):
        Text.objects.filter(pk=text.pk).update(status=TextStatus.FAILED, error=error)
    now = run_progress.of(run)
    assert (now.failed, now.failures) == (3, (("No answer.", 2), ("Too long.", 1)))


def test_without_a_worker_it_says_how_to_start_one(run: LabelingRun) -> None:
    assert workers.NONE_RUNNING in run_progress.of(run).notes
    Worker.objects.create(host="here", cluster="labeling", supervisor_pid=1)
    assert run_progress.of(run).notes == ()


def test_a_run_says_that_the_categories_have_changed_since(run: LabelingRun) -> None:
    run.project.categories.filter(name="Weather").update(description="Rain and sun.")
    assert run_progress.MOVED_ON in run_progress.of(run).notes


def test_a_finished_run_is_whole(run: LabelingRun) -> None:
    execution.execute(run)
    now = run_progress.of(run)
    assert (now.is_finished, now.percent, now.done, now.notes) == (True, 100, 4, ())


def test_the_number_of_queries_does_not_grow(labeling: LabelingRun, django_assert_max_num_queries) -> None:
    for place in range(30):
        add_done(labeling, place, texts=1, seconds=1.0)
    with django_assert_max_num_queries(10):
        run_progress.of(labeling)


def test_until_the_first_text_has_come_through_it_says_what_takes_so_long(run: LabelingRun) -> None:
    take(run)
    assert run_progress.LOADING in run_progress.of(run).notes
    add_done(run, 0, texts=3, seconds=1.0)
    assert run_progress.LOADING not in run_progress.of(run).notes


def test_a_run_that_was_cancelled_or_failed_is_not_shown_as_done(labeling: LabelingRun) -> None:
    add_done(labeling, 0, texts=1, seconds=1.0)
    runs.cancel(labeling)
    now = run_progress.of(labeling)
    assert (now.status, now.done, now.percent) == ("cancelled", 1, 25)
    LabelingRun.objects.update(status="failed")
    labeling.refresh_from_db()
    assert run_progress.of(labeling).percent == 25
