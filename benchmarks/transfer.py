"""Imports and exports over HTTP: seconds, memory of web and worker, and what others wait meanwhile.

    [DATABASE_URL=postgres://...] python benchmarks/transfer.py [--rows N]

Starts the web server and a worker as `manage.py start` does, with a database of their own. A CSV of N made-up rows
(100,000; texts of 195 characters, every tenth a duplicate) goes through the import wizard as a browser would send it:
upload, preview, start, progress until the end. Meanwhile another client asks for a page again and again. Then each
format is downloaded. Memory is the largest of the server's and of the worker's processes. Needs Linux. The last line
printed is one JSON object.
"""

import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from review_server import ROOT, Server, fresh_database

sys.path.insert(0, str(ROOT))  # the server's command is the program's own

from runs import largest_mb
from surface import manage

FORMATS = ("csv", "jsonl", "parquet", "xlsx", "hf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MEDIA_ROOT"] = str(folder / "uploads")
        with fresh_database(folder, "transfer") as url:
            manage(url, "migrate", "--verbosity", "0")
            manage(
                url, "createsuperuser", "--noinput", "--username", "admin", "--email", "", DJANGO_SUPERUSER_PASSWORD="x"
            )
            with Server(folder / "server.log", url, threads=None) as server, worker(url, folder) as background:
                measured = Measured(server, background)
                found: dict[str, Any] = {"database": url.split(":")[0], "load": os.getloadavg()[0]}
                found["import"] = told("import", measured.imported(table(folder, options.rows)))
                for file_format in FORMATS:
                    step = f"export {file_format}"
                    found[step] = told(step, measured.exported(file_format))
    print(json.dumps(found))


def told(step: str, figures: dict[str, Any]) -> dict[str, Any]:
    print(f"{step}: {figures}", flush=True)
    return figures


def table(folder: Path, rows: int) -> Path:
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "source"])
        for number in range(rows):
            writer.writerow([number, f"text number {number - (number % 10 == 9)} " + "and so on " * 18, "wire"])
    return path


@contextmanager
def worker(url: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "worker.log").open("wb") as log:
        command = [sys.executable, "manage.py", "run_worker"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


class Measured:
    """A person in a browser, and what their clicks take."""

    def __init__(self, server: Server, background: "subprocess.Popen[bytes]") -> None:
        self.server, self.background = server, background
        self.client = self._signed_in()
        self.project = re.search(r'/projects/(\d+)/"', self.client.get("/projects/").text)[1]  # type: ignore[index]

    def _signed_in(self) -> httpx.Client:
        client = httpx.Client(base_url=self.server.address, timeout=600, trust_env=False, follow_redirects=True)
        client.get("/admin/login/")
        data = {"username": "admin", "password": "x", "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/admin/login/", data=data).raise_for_status()
        return client

    def imported(self, path: Path) -> dict[str, Any]:
        token = {"csrfmiddlewaretoken": self.client.cookies["csrftoken"]}
        address = f"/projects/{self.project}/import/"
        with self._watched() as watched:
            begun = time.perf_counter()
            with path.open("rb") as file:
                page = self.client.post(address, data=token, files={"file": file})
            page.raise_for_status()
            looked = time.perf_counter()
            own = str(page.url)
            self.client.post(
                f"{own}start/", data={**token, "text_column": "text", "id_column": "id"}
            ).raise_for_status()
            started = time.perf_counter()
            while (progress := self.client.get(f"{own}progress.json").json())["is_unfinished"]:
                time.sleep(0.2)
            ended = time.perf_counter()
        return {
            "megabytes": round(path.stat().st_size / 1e6, 1),
            **{name: progress[name] for name in ("status", "added", "duplicate", "rejected")},
            "upload_and_preview_seconds": round(looked - begun, 2),
            "start_seconds": round(started - looked, 2),
            "import_seconds": round(ended - started, 2),
            **watched,
        }

    def exported(self, file_format: str) -> dict[str, Any]:
        address = f"/projects/{self.project}/export/download/?only=all&file_format={file_format}"
        with self._watched() as watched:
            begun, first, size = time.perf_counter(), 0.0, 0
            with self.client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
                answer.raise_for_status()
                for piece in answer.iter_raw():
                    first = first or time.perf_counter() - begun
                    size += len(piece)
            seconds = time.perf_counter() - begun
        return {
            "first_byte": round(first, 3),
            "seconds": round(seconds, 2),
            "megabytes": round(size / 1e6, 1),
            **watched,
        }

    @contextmanager
    def _watched(self) -> Iterator[dict[str, Any]]:
        """Largest memory, and what somebody else waits for a page meanwhile."""
        over, found = threading.Event(), {"web_mb": 0.0, "worker_mb": 0.0}
        waits: list[float] = []
        other = self._signed_in()

        def ask() -> None:
            while not over.is_set():
                begun = time.perf_counter()
                other.get("/projects/").raise_for_status()
                waits.append(time.perf_counter() - begun)
                time.sleep(0.05)

        def look() -> None:
            while not over.is_set():
                for name, process in (("web_mb", self.server.process), ("worker_mb", self.background)):
                    found[name] = max(found[name], round(largest_mb(process.pid), 1))
                over.wait(0.2)

        threads = [threading.Thread(target=work) for work in (ask, look)]
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            over.set()
            for thread in threads:
                thread.join()
            found["others_page_ms_median"] = round(1000 * statistics.median(waits), 1)
            found["others_page_ms_worst"] = round(1000 * max(waits), 1)


if __name__ == "__main__":
    main()
