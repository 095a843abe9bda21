"""What the API takes of time over HTTP: labeling one text, what others wait meanwhile, and texts created in bulk.

    [DATABASE_URL=postgres://...] python benchmarks/surface.py [label] [bulk] [--requests N] [--texts N]

Starts the web server as `manage.py start` does, on a free port, with a database of its own: a SQLite file, or a new
database on the PostgreSQL server that DATABASE_URL names. The last line printed is one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from review_server import ROOT, Server, fresh_database, processor_seconds

sys.path.insert(0, str(ROOT))  # the server's command is the program's own

PROJECT = "Demo"
WARM_UP = 40  # requests: both processes load the model, and whatever else is made once
BEGINNING = (  # and a number: forty words, never the same text
    "hello the parcel that you sent me came two weeks too late and the box was open so I would like to give it back "
    "and get my money returned to the card that I paid with please tell me"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", choices=[*SUBJECTS, []], help="Default: all.")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--texts", type=int, default=50_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder)) as site:
        found: dict[str, Any] = {"database": site.kind, "load": os.getloadavg()[0]}
        for name in options.subjects or SUBJECTS:
            found[name] = SUBJECTS[name](site, options)
            print(f"{name}: {found[name]}", flush=True)
    print(json.dumps(found))


# --- The program ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """The running program and a key of its administrator."""

    server: Server
    key: str
    kind: str

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.server.address, headers=headers, timeout=120, trust_env=False)


@contextmanager
def installation(folder: Path) -> Iterator[Site]:
    """The demo project, labeled once so that it has a classifier, behind the web server."""
    with fresh_database(folder, "surface") as url:
        manage(url, "migrate", "--verbosity", "0")
        manage(url, "load_demo")
        manage(url, "label_texts", "--project", PROJECT)
        manage(url, "createsuperuser", "--noinput", "--username", "admin", "--email", "", DJANGO_SUPERUSER_PASSWORD="x")
        key = manage(url, "create_api_key", "admin", "--name", "bench", "--scopes", "read,label,manage").strip()
        with Server(folder / "server.log", url, threads=None) as server:
            yield Site(server, key, url.split(":")[0])


def manage(url: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    given = {**os.environ, "DATABASE_URL": url, **environment}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def milliseconds(seconds: list[float]) -> dict[str, float]:
    hundredths = statistics.quantiles(seconds, n=100)
    return {"p50": round(hundredths[49] * 1000, 1), "p95": round(hundredths[94] * 1000, 1), "n": len(seconds)}


def timed(request: Callable[[], httpx.Response]) -> float:
    begun = time.perf_counter()
    response = request()
    seconds = time.perf_counter() - begun
    if response.status_code >= 300:
        raise RuntimeError(f"{response.status_code}: {response.text[:500]}")
    return seconds


# --- One text ---------------------------------------------------------------------------------------------------------

numbers = count()


def patient(request: Callable[[], httpx.Response]) -> None:
    """Again as long as the server says so: while a process loads its model, others are told to come back."""
    while (response := request()).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        time.sleep(float(response.headers["Retry-After"]))
    response.raise_for_status()


def label(site: Site, options: argparse.Namespace) -> dict[str, Any]:
    """One text after another; then with another reader beside it, who must not wait."""

    def ask(client: httpx.Client, **more: Any) -> httpx.Response:
        text = f"{BEGINNING} {next(numbers)}"
        return client.post("/api/label", json={"text": text, "project": PROJECT, **more})

    with ThreadPoolExecutor(4) as pool, site.client() as client:
        list(pool.map(lambda _: patient(lambda: ask(client)), range(WARM_UP)))
        begun = processor_seconds(site.server.workers())
        stored = [timed(lambda: ask(client)) for _ in range(options.requests)]
        processor = processor_seconds(site.server.workers()) - begun
        answered = [timed(lambda: ask(client, store=False)) for _ in range(options.requests)]
        alone = [timed(lambda: client.get("/api/runs")) for _ in range(options.requests)]
        beside = reading_beside(site, lambda: timed(lambda: ask(client)), options.requests)
    return {
        "stored_ms": milliseconds(stored),
        "stored_processor_ms": round(processor / options.requests * 1000, 1),
        "answered_only_ms": milliseconds(answered),
        "other_endpoint_alone_ms": milliseconds(alone),
        "other_endpoint_beside_labeling_ms": milliseconds(beside),
    }


def reading_beside(site: Site, work: Callable[[], float], requests: int) -> list[float]:
    """What reading the list of runs takes while `work` is done again and again by two callers."""
    ended = threading.Event()

    def keep_working() -> None:
        while not ended.is_set():
            work()

    workers = [threading.Thread(target=keep_working) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        with site.client() as reader:
            return [timed(lambda: reader.get("/api/runs")) for _ in range(requests)]
    finally:
        ended.set()
        for worker in workers:
            worker.join()


# --- Many texts -------------------------------------------------------------------------------------------------------


def bulk(site: Site, options: argparse.Namespace) -> dict[str, Any]:
    """Texts of forty words created in one request, as NDJSON and as a JSON array; then updated by their external id."""
    rows = [{"text": f"{BEGINNING} {next(numbers)} in bulk", "external_id": str(n)} for n in range(options.texts)]
    half = options.texts // 2
    lines = "\n".join(map(json.dumps, rows[:half])).encode()
    with site.client() as client:

        def send(body: bytes, kind: str) -> tuple[float, float]:
            address, workers = f"/api/texts?project={PROJECT}", site.server.workers()
            begun = processor_seconds(workers)
            wall = timed(lambda: client.post(address, content=body, headers={"Content-Type": kind}))
            return wall, processor_seconds(workers) - begun

        spent = {
            "ndjson": send(lines, "application/x-ndjson"),
            "json": send(json.dumps(rows[half:]).encode(), "application/json"),
            "ndjson_updated": send(lines.replace(b"}", b', "source": "mail"}'), "application/x-ndjson"),
        }
    rates = {name: [round(half / seconds) for seconds in both] for name, both in spent.items()}
    return {f"{name}_texts_per_second_and_per_processor_second": both for name, both in rates.items()}


SUBJECTS: dict[str, Callable[[Site, argparse.Namespace], dict[str, Any]]] = {
    "label": label,
    "bulk": bulk,
}

if __name__ == "__main__":
    main()
