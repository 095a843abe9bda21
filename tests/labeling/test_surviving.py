"""Runs whose processes are killed, whose broker forgets and whose database is restarted: real ones, with real signals.

Each test kills once, with the broker that makes it hardest. With KILLS=10 in the environment each kills ten times, with
every broker; that takes half an hour for a database.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest
import redis
from django.db import connection

from tests.background import Installation, fresh_database, groups_of, wait_for, workers_of

KILLS = int(os.environ.get("KILLS", "1"))
TEXTS = 600 + 900 * KILLS  # at 4 ms a text: some seconds for each kill
BROKERS = ("orm", "redis")
REDIS = "redis://127.0.0.1:6379/{}"


def with_brokers(*hardest: str) -> pytest.MarkDecorator:
    """For a test of an installation: with which brokers it runs."""
    return pytest.mark.parametrize("installation", BROKERS if KILLS > 1 else hardest, indirect=True)


@pytest.fixture
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Texts to label, by a provider that takes its time."""
    environment = {"DJANGO_SETTINGS_MODULE": "tests.background_settings", "Q_BROKER_URL": "", "SECRET_KEY": "shared"}
    if request.param == "redis":
        environment["Q_BROKER_URL"] = own_redis()
    with fresh_database(tmp_path) as url:
        yield filled(Installation(url, tmp_path, **environment))


def filled(installation: Installation) -> Installation:
    categories = installation.folder / "categories.json"
    categories.write_text('[{"name": "Sports"}, {"name": "Weather"}]')
    texts = installation.folder / "texts.txt"
    texts.write_text("".join(f"match number {n} in the rain\n" for n in range(TEXTS)))
    installation.manage("create_project", "news", "--categories", str(categories))
    installation.manage("import_texts", str(texts), "--project", "news")
    return installation


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB in memory; where it may not be made, the test is left out."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)], check=False)
    if made.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def own_redis() -> str:
    """The address of an empty database on the Redis server, one for each process that runs tests."""
    number = 9 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 6
    url = REDIS.format(number)
    try:
        redis.Redis.from_url(url).flushdb()
    except redis.ConnectionError:
        if os.environ.get("CI"):
            raise
        pytest.skip("needs a Redis server on 127.0.0.1:6379")
    return url


def start(installation: Installation, provider: str = "slow") -> int:
    installation.manage("label_texts", "--project", "news", "--provider", provider, "--background")
    [(run,)] = installation.rows("SELECT id FROM labeling_runs")
    return int(run)


def labeled(installation: Installation) -> int:
    return int(installation.rows("SELECT COUNT(*) FROM labels")[0][0])


def status(installation: Installation) -> str:
    return str(installation.rows("SELECT status FROM labeling_runs")[0][0])


def assert_whole(installation: Installation) -> None:
    """Each text has exactly one label of the run, and nothing was set aside."""
    wait_for(lambda: status(installation) not in ("queued", "running"), 120 + 30 * KILLS)
    assert status(installation) == "succeeded", installation.rows("SELECT phase, state, error FROM run_chunks")
    assert installation.rows("SELECT COUNT(*), COUNT(DISTINCT text_id) FROM labels") == [(TEXTS, TEXTS)]
    assert installation.rows("SELECT COUNT(*) FROM text_data WHERE status = 'unlabeled'") == [(0,)]
    assert installation.rows("SELECT DISTINCT state FROM run_chunks") == [("done",)]


def labeling_group(supervisor: int) -> int:
    """The process group of the cluster that labels: its command line names no cluster, so by its environment."""
    for group in groups_of(supervisor):
        if b"Q_CLUSTER_NAME=labeling" in Path(f"/proc/{group}/environ").read_bytes():
            return group
    return 0


def kill_worker(supervisor: int) -> bool:
    group = labeling_group(supervisor)
    found = workers_of(group) if group else []
    if found:
        os.kill(found[0], signal.SIGKILL)
    return bool(found)


def kill_main(supervisor: int) -> bool:
    group = labeling_group(supervisor)
    if group:
        os.kill(group, signal.SIGKILL)
    return bool(group)


@with_brokers("redis")
@pytest.mark.parametrize("kill", [kill_worker, kill_main])
def test_a_run_whose_processes_are_killed_ends_whole(installation: Installation, kill: Callable[[int], bool]) -> None:
    start(installation)
    with installation.supervisor() as process:
        for _ in range(KILLS):
            before = labeled(installation)
            wait_for(lambda before=before: labeled(installation) > before or status(installation) == "succeeded", 90)
            time.sleep(random.uniform(0, 2))  # at any moment of a chunk
            wait_for(lambda: kill(process.pid), 60)
        assert_whole(installation)


@with_brokers("redis")
def test_a_run_that_comes_after_an_idle_worker_was_killed_ends_whole(installation: Installation) -> None:
    with installation.supervisor() as process:
        for _ in range(KILLS):
            wait_for(lambda: kill_worker(process.pid), 60)
            time.sleep(random.uniform(0, 2))
        start(installation)
        assert_whole(installation)


@pytest.mark.parametrize("installation", ["redis"], indirect=True)
def test_what_a_flushed_redis_forgot_is_queued_again(installation: Installation) -> None:
    start(installation)
    redis.Redis.from_url(installation.environment["Q_BROKER_URL"]).flushdb()
    with installation.supervisor():
        assert_whole(installation)


@with_brokers("orm")
def test_two_supervisors_share_a_run(installation: Installation) -> None:
    """As on two machines: each has a folder and settings of its own, and only the database is the same."""
    with installation.supervisor(), installation.elsewhere().supervisor():
        wait_for(lambda: installation.rows("SELECT COUNT(*) FROM workers WHERE cluster = 'labeling'") == [(2,)], 90)
        start(installation, "slower")
        assert_whole(installation)
    took_part = "SELECT COUNT(DISTINCT worker) FROM run_chunks WHERE phase = 'label'"
    assert installation.rows(took_part) == [(2,)]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file is not restarted")
@with_brokers("orm")
def test_a_run_goes_on_after_the_database_was_away(installation: Installation) -> None:
    url = installation.environment["DATABASE_URL"]
    start(installation)
    with installation.supervisor():
        wait_for(lambda: labeled(installation) > 0, 60)
        with psycopg2.connect(url) as client, client.cursor() as cursor:  # as a restart does to its clients
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert_whole(installation)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="its disk is the server's")
def test_a_run_goes_on_after_the_disk_was_full(small_disk: Path, tmp_path: Path) -> None:
    with fresh_database(small_disk) as url:
        installation = filled(Installation(url, tmp_path, DJANGO_SETTINGS_MODULE="tests.background_settings"))
    start(installation)
    with installation.supervisor():
        wait_for(lambda: labeled(installation) > 0, 60)
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_for(lambda: "database or disk is full" in installation.log, 60)
        assert labeled(installation) < TEXTS
        ballast.unlink()
        assert_whole(installation)


@with_brokers("orm")
def test_a_cancelled_run_ends_within_seconds(installation: Installation) -> None:
    run = start(installation)
    with installation.supervisor():
        wait_for(lambda: labeled(installation) > 0, 60)
        installation.rows(f"UPDATE labeling_runs SET status = 'cancelling' WHERE id = {run}")
        wait_for(lambda: status(installation) == "cancelled", 20)
    assert labeled(installation) < TEXTS


@with_brokers("orm")
def test_sigterm_gives_the_chunk_back(installation: Installation) -> None:
    start(installation)
    with installation.supervisor():
        wait_for(lambda: labeled(installation) > 0, 60)
    assert status(installation) == "running"
    assert ("working",) not in installation.rows("SELECT DISTINCT state FROM run_chunks")
    with installation.supervisor():
        assert_whole(installation)
