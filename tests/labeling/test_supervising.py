"""Real supervisors and clusters, with real kills."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.background import Installation, fresh_database, groups_of, members_of, wait_for, workers_of

LAST_WORK = "SELECT worked_at FROM workers WHERE worked_at IS NOT NULL"
WORKERS = "SELECT id FROM workers ORDER BY id"
LONG = 90  # seconds: a process that starts on a busy machine takes twenty
QUEUE = "from django_q.tasks import async_task; async_task('reviews.tasks.release_expired', cluster='interactive')"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with fresh_database(tmp_path) as url:
        installed = Installation(url, tmp_path)
        # The schedules of each minute would hide what becomes of our own task.
        installed.do("from django_q.models import Schedule; Schedule.objects.all().delete()")
        yield installed


def works(installation: Installation, seconds: float) -> bool:
    """Whether a task that is queued now is carried out in time."""
    before = installation.rows(LAST_WORK)
    installation.do(QUEUE)
    return bool(wait_for(lambda: installation.rows(LAST_WORK) not in ([], before), seconds))


def test_a_group_works_again_after_its_idle_worker_was_killed(installation: Installation) -> None:
    with installation.supervisor("--only", "interactive") as process:
        [group] = wait_for(lambda: groups_of(process.pid), LONG)
        [worker] = wait_for(lambda: workers_of(group), LONG)
        assert works(installation, LONG)
        time.sleep(2)  # until it waits again, with the lock that it takes into its grave
        os.kill(worker, signal.SIGKILL)
        assert works(installation, LONG)
        assert "is started again" in installation.log


def test_a_group_whose_main_process_is_killed_is_ended_and_started_again(installation: Installation) -> None:
    with installation.supervisor("--only", "interactive") as process:
        [group] = wait_for(lambda: groups_of(process.pid), LONG)
        wait_for(lambda: workers_of(group), LONG)
        os.kill(group, signal.SIGKILL)
        wait_for(lambda: not members_of(group), LONG)
        assert works(installation, LONG)


def test_nothing_is_left_after_sigterm(installation: Installation) -> None:
    with installation.supervisor() as process:
        groups = wait_for(lambda: len(found := groups_of(process.pid)) == 3 and found, LONG)
        for group in groups[:2]:
            wait_for(lambda group=group: workers_of(group), LONG)
    assert process.returncode == 0
    assert [member for group in groups for member in members_of(group)] == []
    assert installation.rows("SELECT * FROM workers") == []


def test_what_a_killed_supervisor_left_is_ended_by_the_next(installation: Installation) -> None:
    with installation.supervisor("--only", "interactive") as killed:
        [group] = wait_for(lambda: groups_of(killed.pid), LONG)
        wait_for(lambda: workers_of(group), LONG)
        killed.kill()
    assert members_of(group)
    with installation.supervisor("--only", "interactive"):
        wait_for(lambda: not members_of(group), LONG)
        assert works(installation, LONG)


def test_what_is_left_of_a_group_that_was_killed_with_its_supervisor_is_ended_by_the_next(
    installation: Installation,
) -> None:
    with installation.supervisor("--only", "interactive") as killed:
        [group] = wait_for(lambda: groups_of(killed.pid), LONG)
        wait_for(lambda: workers_of(group), LONG)
        killed.kill()
        os.kill(group, signal.SIGKILL)
    assert members_of(group)
    with installation.supervisor("--only", "interactive"):
        wait_for(lambda: not members_of(group), LONG)
        assert works(installation, LONG)


def test_the_learning_is_started_again_when_it_dies(installation: Installation) -> None:
    with installation.supervisor("--only", "learning") as process:
        [learning] = wait_for(lambda: groups_of(process.pid), LONG)
        wait_for(lambda: installation.rows(LAST_WORK), LONG)
        os.kill(learning, signal.SIGKILL)
        wait_for(lambda: groups_of(process.pid) not in ([], [learning]), LONG)


def test_of_two_supervisors_one_keeps_the_queues_in_order(installation: Installation) -> None:
    leads = "from labeling import workers; print(workers.leads('learning'))"
    with installation.supervisor("--only", "learning"), installation.supervisor("--only", "learning"):
        wait_for(lambda: len(installation.rows(WORKERS)) == 2, LONG)
        pks = [str(pk) for (pk,) in installation.rows(WORKERS)]
        said = [installation.manage("shell", "--no-imports", "-c", leads, LABELING_WORKER_ID=pk) for pk in pks]
    assert said == ["True\n", "False\n"]


def test_a_worker_with_another_key_refuses_to_start_beside_others(installation: Installation) -> None:
    with installation.supervisor("--only", "interactive"):
        wait_for(lambda: installation.rows(WORKERS), LONG)
        with pytest.raises(AssertionError, match="has another SECRET_KEY"):
            installation.manage("run_worker", "--only", "learning", SECRET_KEY="another")
