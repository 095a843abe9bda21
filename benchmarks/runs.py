"""Runs in the background: texts a second with cached vectors, what the background costs, what a second worker brings.

    [DATABASE_URL=postgres://...] [Q_BROKER_URL=redis://...] python benchmarks/runs.py [--quick | --texts N]

1. N made-up texts (1,000,000; --quick 20,000) whose vectors are cached and that nobody has labeled: a run fits a head
   and labels all of them, by two workers in the background. Each is a `manage.py run_worker` of its own.
2. The same for a tenth of the texts, in this process and by one worker, in turns: what the background costs.
3. 50,000 texts (--quick 5,000) and a provider that takes 2 ms a text and no processor: one worker, then two.

SQLite in a temporary folder, or a database that is made and dropped on the PostgreSQL server of DATABASE_URL. Time goes
from the run's first process to its end; `with_start` from the moment it was queued. Each run is checked to have labeled
every text once. Memory is the largest of a worker's processes, after a third of the run and at its end. Needs Linux.

The last line printed is one JSON object.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from review_server import ROOT, execute, fresh_database

SETTINGS = "benchmarks.background_settings"
BARS = {"sqlite": 5_000, "postgres": 8_000}
LOOK_SECONDS = 0.5
DONE = "SELECT SUM(texts) FROM run_chunks WHERE phase = 'label'"
TURNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 texts")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        step, size, provider = options.child
        print(json.dumps(CHILDREN[step](int(size), provider)))
        return
    texts = 20_000 if options.quick else options.texts
    database = os.environ.get("DATABASE_URL", "sqlite").split(":")[0].removesuffix("ql")
    figures: dict[str, Any] = {
        "database": database,
        "broker": "redis" if os.environ.get("Q_BROKER_URL") else "database",
    }
    figures["cached"] = told("Cached vectors, two workers", measured(texts, "kept", workers=2))
    figures["cached"]["bar"] = BARS.get(database)
    figures["cost"] = told("What the background costs", cost(max(texts // 10, 10_000)))
    delayed = 5_000 if options.quick else 50_000
    alone, both = (measured(delayed, "delay", workers=workers) for workers in (1, 2))
    figures["delay"] = {"one": alone, "two": both, "times": round(both["rate"] / alone["rate"], 2), "bar": 1.7}
    told("A provider that takes its time, one worker and two", figures["delay"])
    print(json.dumps(figures))


def told(what: str, figures: dict[str, Any]) -> dict[str, Any]:
    print(f"{what}: {figures}", flush=True)
    return figures


def measured(size: int, provider: str, *, workers: int) -> dict[str, Any]:
    """A new database, filled, and one run over it by so many workers."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "runs") as url:
        child(url, "fill", size, provider)
        return in_background(url, Path(folder), size, provider, workers=workers)


def cost(size: int) -> dict[str, Any]:
    """Seconds of the same run here and by a worker, in turns; `ratio` is of the medians."""
    here, there = [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "runs") as url:
            child(url, "fill", size, "kept")
            here.append(child(url, "here", size, "kept")["seconds"])
        there.append(measured(size, "kept", workers=1)["seconds"])
    ratio = sorted(there)[TURNS // 2] / sorted(here)[TURNS // 2]
    return {"texts": size, "here": here, "background": there, "ratio": round(ratio, 3), "bar": 1.1}


def in_background(url: str, folder: Path, size: int, provider: str, *, workers: int) -> dict[str, Any]:
    with supervisors(url, folder, workers) as processes:
        time.sleep(5)  # until they take tasks
        run = child(url, "queue", size, provider)["run"]
        begun, memory = time.monotonic(), [0.0, 0.0]
        while ask(url, "SELECT finished_at IS NULL FROM labeling_runs")[0][0]:
            place = 1 if (ask(url, DONE)[0][0] or 0) > size / 3 else 0
            memory[place] = max(memory[place], *(largest_mb(process.pid) for process in processes))
            time.sleep(LOOK_SECONDS)
        with_start = time.monotonic() - begun
    now = child(url, "look", run, provider)
    assert now["labeled"] == now["texts_labeled"] == size, now
    seconds = now["seconds"]
    return {
        "texts": size,
        "seconds": round(seconds, 2),
        "rate": round(size / seconds),
        "with_start": round(with_start, 1),
        "MB_by_a_third": round(memory[0]),
        "MB_after": round(memory[1]),
        "chunks": now["chunks"],
    }


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Past the program, whose processes take a second to start."""
    if url.startswith("postgres"):
        return execute(url, sql)
    with closing(sqlite3.connect(url.split("///")[1])) as connection:
        return connection.execute(sql).fetchall()


@contextmanager
def supervisors(url: str, folder: Path, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    environment = environment_for(url)
    processes = []
    for number in range(count):
        log = (folder / f"worker{number}.log").open("wb")
        command = [sys.executable, "manage.py", "run_worker"]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
    try:
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(timeout=60)


def environment_for(url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS, "OMP_NUM_THREADS": "1"}


def largest_mb(supervisor: int) -> float:
    """Resident memory of the largest process that the supervisor's groups consist of."""
    shown = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in shown.splitlines()]
    family = {supervisor}
    for _ in range(4):
        family |= {pid for pid, parent, _ in rows if parent in family}
    return max((rss / 1024 for pid, _, rss in rows if pid in family), default=0.0)


def child(url: str, step: str, number: int, provider: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", step, str(number), provider]
    done = subprocess.run(command, env=environment_for(url), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


# --- Steps, each in a process of its own ------------------------------------------------------------------------------


def django() -> None:
    import django as package

    package.setup()


def fill(size: int, provider: str) -> dict[str, Any]:
    django()
    import kept_vectors

    from labeling.models import Project

    kept_vectors.add_project(size)
    Project.objects.update(provider=provider)
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return {}


def here(size: int, provider: str) -> dict[str, Any]:
    django()
    from labeling import execution, runs
    from labeling.models import Project

    run = runs.start(Project.objects.get(name="Benchmark"), relabel=True)
    begun = time.monotonic()
    assert execution.execute(run)
    assert run.done == size
    return {"seconds": round(time.monotonic() - begun, 2)}


def queue(size: int, provider: str) -> dict[str, Any]:
    django()
    from labeling import runs
    from labeling.models import Project

    project = Project.objects.get(name="Benchmark")
    return {"run": runs.start_in_background(project, relabel=provider == "kept").pk}


def look(run_id: int, provider: str) -> dict[str, Any]:
    django()
    from labeling import run_progress
    from labeling.models import Label, LabelingRun

    run = LabelingRun.objects.get(pk=run_id)
    assert run.status == "succeeded", (run.status, run.error, run_progress.of(run).failures)
    labels = Label.objects.filter(run=run)
    return {
        "seconds": (run.finished_at - run.started_at).total_seconds(),
        "labeled": labels.count(),
        "texts_labeled": labels.values("text").distinct().count(),
        "chunks": run.chunks.count(),
    }


CHILDREN = {"fill": fill, "here": here, "queue": queue, "look": look}


if __name__ == "__main__":
    main()
