"""What the review desk costs over HTTP, for one reviewer and for eight, and that it does not grow with what is decided.

    python benchmarks/review.py [--texts N] [--quick | --decided N ...] [--seconds S] [--threads T]

Starts gunicorn as `manage.py start` does (--threads 1: with sync workers) on a database of N texts that wait for review
(default 100,000; --quick 5,000), 5 % of them of the blind audit: a fresh SQLite file, or, when DATABASE_URL names a
PostgreSQL server, a new database there that is dropped at the end. People send what the desk's page sends:

1. one reviewer, 500 times a decision and the next text: wall time, processor time of the web server's processes, and
   apart from it that of the database's;
2. eight reviewers as processes for S seconds (default 20), without pause: decisions a second, errors, texts given to
   two people; afterwards the database is asked whether it holds exactly the decisions that were answered;
3. the same as 1 on fresh databases where 10,000 and 200,000 texts (or those of --decided) are decided besides, how many
   times the cost of 1 this is, and the time to seal and verify these decisions.

The client's own processor time is the same work at every request: where it differs, the machine was busier.

Needs Linux, for the processor time. The last line printed is one JSON object.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from review_desk import Desk, Sent, in_turn, without_pause
from review_server import ROOT, Server, backends, execute, fresh_database, processor_seconds

REVIEWERS = 8
WARM_UP = 10
ERRORS_IN_LOG = ("Traceback", "ERROR", "CRITICAL", "database is locked", "Internal Server Error")
MOST_PROCESSOR, MOST_WALL = 15.0, 30.0  # milliseconds, the bars of one reviewer
LEAST_RATE = {"sqlite": 25.0, "postgresql": 60.0}  # decisions a second, the bars of eight reviewers

Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--requests", type=int, default=500, help="decisions of the one reviewer")
    parser.add_argument("--threads", type=int, help="of each worker, instead of those of manage.py start; 1: sync")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="5,000 texts, 5 seconds, 2,000 decided: under a minute")
    size.add_argument("--decided", type=int, nargs="*", default=[10_000, 200_000], help="texts decided before")
    options = parser.parse_args()
    options.decided = [0, *options.decided]
    if options.quick:
        options.texts, options.seconds, options.requests, options.decided = 5_000, 5.0, 100, [0, 2_000]
    os.environ |= {"SECRET_KEY": secrets.token_hex(), "DEBUG": "False", "LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        print(json.dumps({**surroundings(), "texts": options.texts, **measure(Path(folder), options)}))


def surroundings() -> Figures:
    names = ("django", "gunicorn", "psycopg2-binary", "httpx")
    url = os.environ.get("DATABASE_URL", "")
    is_postgresql = url.startswith("postgres")
    version = execute(url, "SHOW server_version")[0][0] if is_postgresql else sqlite3.sqlite_version
    return {
        "database": "postgresql" if is_postgresql else "sqlite",
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "system": platform.platform()},
        "versions": {
            "python": platform.python_version(),
            "database": version,
            **{name: importlib.metadata.version(name) for name in names},
        },
    }


def measure(folder: Path, options: argparse.Namespace) -> Figures:
    stages = {f"{decided} decided": stage(folder, options, decided) for decided in options.decided}
    first = stages["0 decided"]["one"]
    for title, figures in stages.items():
        growth = {name: figures["one"][name] / value for name, value in first.items() if "processor p50" in name}
        show(f"{title}, times the cost of none decided", growth, {})
    return stages


def stage(folder: Path, options: argparse.Namespace, decided: int) -> Figures:
    """All figures of one fresh database; eight reviewers only where nothing is decided before."""
    with fresh_database(folder, f"decided_{decided}") as url:
        cast = step(url, "fill", str(options.texts), str(decided))
        figures: Figures = {}
        with Server(folder / f"server-{decided}.log", url, threads=options.threads) as server:
            desk = Desk(server.address, cast["sessions"][0], cast["project"])
            figures["one"] = one(desk, server, options.requests)
            show(f"{decided:,} decided, one reviewer", figures["one"], bars_of_one())
            everybody = [desk.sent]
            if decided == 0:
                everybody += eight(server, cast, options.seconds)
                figures["eight"] = rates(everybody[1:], options.seconds)
                show("eight reviewers", figures["eight"], bars_of_eight(url))
            figures["check"] = check(everybody, decided, server, step(url, "check"))
            show("afterwards", figures["check"], dict.fromkeys(figures["check"], (0.0, 0.0)))
        if decided:
            figures["trail"] = step(url, "trail")
            show("audit trail", figures["trail"], {"problems": (0.0, 0.0)})
        return figures


def step(url: str, *args: str) -> Figures:
    command = [sys.executable, str(ROOT / "benchmarks" / "review_database.py"), *args]
    environment = {**os.environ, "DATABASE_URL": url}
    return dict(json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout))


# --- One reviewer, eight reviewers ------------------------------------------------------------------------------------


def one(desk: Desk, server: Server, requests: int) -> Figures:
    in_turn(desk, WARM_UP, lambda: ())  # connects, and loads what is loaded once
    for times in desk.sent.wall.values():
        times.clear()
    web, database = server.workers(), backends(server.url)
    used = in_turn(desk, requests, lambda: (processor_seconds(web), processor_seconds(database), time.process_time()))
    figures: Figures = {}
    for verb, times in desk.sent.wall.items():
        server_times, database_times, client_times = zip(*used[verb], strict=True)
        figures |= percentiles(f"{verb}, server's processor", server_times, (50, 95))
        if database:
            figures |= percentiles(f"{verb}, database's processor", database_times, (50,))
        figures |= percentiles(f"{verb}, client's processor", client_times, (50,))
        figures |= percentiles(f"{verb}, wall", times, (50, 95, 99))
    return figures


def eight(server: Server, cast: Figures, seconds: float) -> list[Sent]:
    """What each of the people got, the one reviewer of before among them."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(REVIEWERS, mp_context=context) as people:
        everybody_is_there = manager.Barrier(REVIEWERS)
        running = [
            people.submit(without_pause, server.address, session, cast["project"], everybody_is_there, seconds)
            for session in cast["sessions"]
        ]
        return [one.result() for one in running]


def rates(everybody: list[Sent], seconds: float) -> Figures:
    figures: Figures = {"decisions/s": sum(len(sent.decided) for sent in everybody) / seconds}
    for verb in ("decide", "next"):
        figures |= percentiles(f"{verb}, wall", [wait for sent in everybody for wait in sent.wall[verb]], (50, 95, 99))
    return figures


def check(everybody: list[Sent], decided_before: int, server: Server, found: Figures) -> Figures:
    """Numbers that are all zero when nothing went wrong."""
    answered = sum(len(sent.decided) for sent in everybody) + decided_before
    desks = Counter(text_id for _, text_id in {(sent.person, text_id) for sent in everybody for text_id in sent.given})
    errors = sum((sent.errors for sent in everybody), Counter())
    log = [line for line in server.lines() if any(word in line for word in ERRORS_IN_LOG)]
    for error, count in errors.items():
        print(f"  {count} x {error}")
    if log:
        server.show_end()
    return {
        "requests refused or failed": errors.total(),
        "errors in the server's log": len(log),
        "texts given to two people": sum(count > 1 for count in desks.values()),
        "texts decided twice": found["texts decided twice"],
        "reviews less answered decisions": found["reviews"] - answered,
        "texts reviewed less answered decisions": found["texts reviewed"] - answered,
    }


# --- Figures and bars -------------------------------------------------------------------------------------------------


def percentiles(name: str, seconds: Any, wanted: tuple[int, ...]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"{name} p{percent}, ms": cuts[percent - 1] * 1000 for percent in wanted}


def bars_of_one() -> dict[str, tuple[float, float]]:
    """Least and most of the figures that have a bar."""
    wall = {"next": MOST_WALL, "decide": MOST_PROCESSOR}
    return {
        **{f"{verb}, server's processor p50, ms": (0.0, MOST_PROCESSOR) for verb in wall},
        **{f"{verb}, wall p50, ms": (0.0, most) for verb, most in wall.items()},
    }


def bars_of_eight(url: str) -> dict[str, tuple[float, float]]:
    return {"decisions/s": (LEAST_RATE["postgresql" if url.startswith("postgres") else "sqlite"], float("inf"))}


def show(title: str, figures: Figures, bars: dict[str, tuple[float, float]]) -> None:
    print(title)
    for name, value in figures.items():
        least, most = bars.get(name, (0.0, float("inf")))
        bar = f"at most {most:g}" if most < float("inf") else f"at least {least:g}"
        verdict = f"  bar: {bar}, {'held' if least <= value <= most else 'MISSED'}" if name in bars else ""
        print(
            f"  {name:42} {value:10,.2f}{verdict}" if isinstance(value, float) else f"  {name:42} {value:10}{verdict}"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
