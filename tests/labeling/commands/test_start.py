"""The real thing: `manage.py start` on an empty database, with its web server and worker."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
COUNTING = """
from labeling.models import Label, Project, Text
print(Project.objects.count(), Text.objects.count(), Label.objects.count())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    database = f"sqlite:///{tmp_path / 'start.sqlite3'}"
    return {**os.environ, "PORT": str(free_port()), "DATABASE_URL": database, "PYTHONUNBUFFERED": "1"}


def manage(environment: dict[str, str], *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *args], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


class Running:
    """`manage.py start`, until the end of the block, where it gets the signal: from a terminal, as Ctrl-C, with all of
    its process group, or alone."""

    def __init__(self, environment: dict[str, str], log: Path, ended_by: signal.Signals) -> None:
        self.environment = environment
        self.log = log
        self.ended_by = ended_by

    def __enter__(self) -> "Running":
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "start"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        return self

    def __exit__(self, *exception: object) -> None:
        send = os.killpg if self.ended_by == signal.SIGINT else os.kill
        send(self.process.pid, self.ended_by)
        assert self.process.wait(timeout=20) == 0

    def page(self, path: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{self.environment['PORT']}{path}") as response:
                    return str(response.read().decode())
            except (URLError, ConnectionError):
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.2)
        raise AssertionError(f"No answer within {seconds} s:\n{self.log.read_text()}")


def test_first_and_second_start(environment: dict[str, str], tmp_path: Path) -> None:
    with Running(environment, tmp_path / "first.log", signal.SIGINT) as first:
        assert "password" in first.page("/admin/login/", seconds=120)
        assert len(re.findall(r"with the password \w{14}", first.log.read_text())) == 1
    counts = manage(environment, "shell", "--no-imports", "-c", COUNTING).split()
    assert counts[0] == "2" and counts[1] == counts[2] != "0"

    begin = time.monotonic()
    with Running(environment, tmp_path / "second.log", signal.SIGTERM) as second:
        second.page("/admin/login/", seconds=20)
        assert time.monotonic() - begin < 15
        assert "password" not in second.log.read_text()
    assert manage(environment, "shell", "--no-imports", "-c", COUNTING).split() == counts


def test_a_port_in_use_is_refused_and_says_what_to_do(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        done = subprocess.run(
            [sys.executable, "manage.py", "start"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "set PORT" in done.stderr
