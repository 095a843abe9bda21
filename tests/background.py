"""Real background workers for tests: a database of their own, `manage.py run_worker`, and looks at its processes."""

import atexit
import copy
import functools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
SERVER = os.environ.get("DATABASE_URL", "")
SHARED = ("DATABASE_URL", "Q_BROKER_URL", "SECRET_KEY")  # what the machines of an installation have in common


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """The address of a migrated database beside the one of the tests: a file, or a new one on the same server."""
    if not SERVER.startswith("postgres"):
        path = folder / "background.sqlite3"
        shutil.copy(migrated_file(), path)
        yield f"sqlite:///{path}"
        return
    name = f"background_{uuid.uuid4().hex[:12]}"
    execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_database()}"')
    try:
        yield address_of(name)
    finally:
        execute(f'DROP DATABASE "{name}" WITH (FORCE)')


# Migrations take as long as many a test: they are carried out once in each process of tests, then copied.


@functools.cache
def migrated_file() -> Path:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "migrated.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@functools.cache
def migrated_database() -> str:
    """Its name, on the server of the tests."""
    name = f"migrated_{uuid.uuid4().hex[:12]}"
    execute(f'CREATE DATABASE "{name}"')
    atexit.register(execute, f'DROP DATABASE "{name}" WITH (FORCE)')
    migrate(address_of(name))
    return name


def migrate(url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)


def address_of(name: str) -> str:
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def execute(sql: str) -> None:
    with closing(psycopg2.connect(address_of("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


class Installation:
    """The program on a database of its own, as an operator sees it: commands in, rows out."""

    def __init__(self, url: str, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.root = ROOT
        self.environment = {**os.environ, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1", **environment}

    def manage(self, *args: str, **more: str) -> str:
        command = [sys.executable, "manage.py", *args]
        environment = {**self.environment, **more}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database answers, past the program: its commands take some seconds each to start."""
        url = self.environment["DATABASE_URL"]
        connection = psycopg2.connect(url) if url.startswith("postgres") else sqlite3.connect(url.split("///")[1])
        with closing(connection):
            cursor = connection.cursor()
            cursor.execute(sql)
            connection.commit()
            return cursor.fetchall() if cursor.description else []

    def do(self, statement: str) -> None:
        self.manage("shell", "--no-imports", "-c", statement)

    @contextmanager
    def supervisor(self, *args: str) -> Iterator["subprocess.Popen[bytes]"]:
        """`manage.py run_worker`, until the end of the block, however that comes."""
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "manage.py", "run_worker", *args]
            process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)

    @contextmanager
    def web(self) -> Iterator[str]:
        """The web server as in production, until the end of the block; gives its address."""
        address = f"127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "gunicorn", "labeling_site.wsgi", "--bind", address, "--threads", "4"]
        with (self.folder / "web.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: _listens(address), 60)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=60)

    def elsewhere(self) -> "Installation":
        """The same installation as another machine has it: in a folder of its own, with its settings in an `.env`."""
        other = copy.copy(self)
        other.root = self.folder / "elsewhere"
        unwanted = shutil.ignore_patterns(".*", "docs", "benchmarks", "*.sqlite3*")
        shutil.copytree(ROOT, other.root, ignore=unwanted)
        other.environment = {key: value for key, value in self.environment.items() if key not in SHARED}
        settings = "".join(f"{key}={self.environment.get(key, '')}\n" for key in SHARED)
        (other.root / ".env").write_text(settings)
        return other

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text()


def _listens(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as caller:
        return caller.connect_ex((host, int(port))) == 0


def groups_of(supervisor: int) -> list[int]:
    """The process groups that a supervisor has started."""
    return _pids("--ppid", str(supervisor))


def workers_of(group: int) -> list[int]:
    """The processes that carry tasks out, in the group of one cluster. They are started before its helpers."""
    sentinels = _pids("--ppid", str(group))
    return sorted(_pids("--ppid", str(sentinels[0])))[:1] if sentinels else []


def members_of(group: int) -> list[int]:
    """All living processes of a group."""
    return _pids("--sid", str(group))


def _pids(*selection: str) -> list[int]:
    found = subprocess.run(["ps", *selection, "-o", "pid=,stat="], capture_output=True, text=True, check=False).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(pid) for pid, state in rows if not state.startswith("Z")]


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    """What `what` gives as soon as it is true; an AssertionError when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError(f"Nothing came within {seconds} s.")
