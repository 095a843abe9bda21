"""The web server and the databases of benchmarks/review.py, and what they cost in processor time (Linux only)."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2


class Server:
    """gunicorn as `manage.py start` starts it, as a process group of its own, with its log in a file."""

    def __init__(self, log: Path, url: str, *, threads: int | None) -> None:
        self.log, self.url = log, url
        self.port = free_port()
        self.threads = [] if threads is None else ["--threads", str(threads)]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        command = [*command_of_start(f"127.0.0.1:{self.port}"), *self.threads]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "DATABASE_URL": self.url},
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except RuntimeError:
            self._stop()
            self.show_end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()
        if error is not None:
            self.show_end()

    def show_end(self) -> None:
        print("The end of the server's log:", *self.lines()[-20:], sep="\n  ")

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _stop(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=30)

    def _wait(self) -> None:
        """Until it listens and all workers run."""
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                if len(self.workers()) == WORKERS:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("The server did not start.")


def command_of_start(address: str) -> list[str]:
    """At this address only: gunicorn would listen at the usual one besides, where the user's own program may run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    from labeling.management.commands import start

    command = start.commands()["web"]
    command[command.index("--bind") + 1] = address
    return command


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# --- Databases --------------------------------------------------------------------------------------------------------


@contextmanager
def fresh_database(folder: Path, name: str) -> Iterator[str]:
    """The address of a new SQLite file, or of a new database on the PostgreSQL server that DATABASE_URL names."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    name = f"review_bench_{os.getpid()}_{name}"
    execute(server, f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []


def backends(url: str) -> list[int]:
    """The PostgreSQL processes that serve the database, where they run on this machine; none for SQLite."""
    if not url.startswith("postgres"):
        return []
    rows = execute(url, "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return [pid for (pid,) in rows if name_of(pid).startswith("postgres")]


# --- Processor time ---------------------------------------------------------------------------------------------------


def name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def processor_seconds(pids: list[int]) -> float:
    """What the processes' threads have used: in nanoseconds, where utime and stime count in hundredths of a second."""
    threads = [thread for pid in pids for thread in Path("/proc").glob(f"{pid}/task/*/schedstat")]
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
