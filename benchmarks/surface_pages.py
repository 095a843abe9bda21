"""What every list of the API and every page takes at 1,000,000 texts and 200,000 reviews.

    [DATABASE_URL=postgres://...] python benchmarks/surface_pages.py [--texts N] [--reviews N] [--requests N] [--only W]

Fills a database of its own (benchmarks/surface_database.py): a SQLite file, or a new database on the PostgreSQL server
that DATABASE_URL names. Then asks the web server, as `manage.py start` starts it, as one client: each list of the API
for its first page and for one in its middle, each page as the manager. Milliseconds of wall time at the client (median)
and of processor time in the server (mean; what a PostgreSQL server does for it is not in it). The last line printed is
one JSON object.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from review_server import ROOT, Server, fresh_database, processor_seconds
from surface import manage

WARM_UP = 4  # requests: both processes
LISTS = {  # and the number of rows, in whose middle the deep page begins
    "/api/texts?project=Surface": "texts",
    "/api/texts?project=Surface&status=needs_review": "texts",
    "/api/texts?project=Surface&min_confidence=0.5&max_confidence=0.6": "texts",
    "/api/texts?project=Surface&category=Category%20number%203": "texts",
    "/api/labels?project=Surface": "labels",
    "/api/labels?text=17": None,
    "/api/reviews?project=Surface": "reviews",
    "/api/reviews?project=Surface&action=reject": "reviews",
    "/api/reviews/pending?project=Surface": None,
    "/api/assignments?project=Surface": None,
    "/api/runs?project=Surface": None,
    "/api/categories?project=Surface": None,
    "/api/projects": None,
    "/api/classifiers?project=Surface": None,
    "/api/certificates?project=Surface": None,
    "/api/imports?project=Surface": None,
    "/api/keys": None,
    "/api/statistics?project=Surface": None,
}
PAGES = [
    "/",
    "/label/",
    "/runs/",
    "/runs/1/",
    "/dashboard/live.json",
    "/dashboard/{project}/proof.json",
    "/statistics/?project=Surface",
    "/statistics/?project=Surface&category=3",
    "/statistics/texts/?project=Surface&machine=3&human=4",
    "/statistics/quality-report.html?project=Surface",
    "/projects/",
    "/projects/{project}/",
    "/projects/{project}/edit/",
    "/projects/{project}/categories/",
    "/projects/{project}/categories/1/",
    "/projects/{project}/categories/1/merge/",
    "/projects/{project}/members/",
    "/projects/{project}/prompt/",
    "/projects/{project}/import/",
    "/projects/{project}/export/",
    "/admin/review/",
    "/admin/review/{project}/",
    "/admin/review/{project}/list/",
    "/admin/review/{project}/live/",
    "/admin/review/{project}/live.json",
    "/admin/review/{project}/cases/",
    "/admin/review/{project}/second-look/",
    "/admin/review/{project}/new-categories/",
    "/admin/review/{project}/near-duplicates/",
    "/admin/review/history/text/17/",
    "/admin/review/history/reviewer/1/",
    "/admin/agreement/{project}/",
    "/admin/budget/{project}/",
    "/admin/budget/{project}/plan.json",
    "/admin/budget/{project}/quality/",
    "/admin/budget/{project}/draw/?size=10",
    "/admin/budget/{project}/certify/?promise=dataset&budget=5&confidence=95",
    "/admin/labeling/text/",
    "/admin/labeling/text/17/change/",
    "/admin/labeling/label/",
    "/admin/labeling/project/{project}/change/",
    "/admin/labeling/labelingrun/",
    "/admin/reviews/review/",
    "/admin/reviews/assignment/",
    "/admin/reviews/reviewer/",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--reviews", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=15)
    parser.add_argument("--only", default="", help="a word of the addresses to ask")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "pages") as url:
        filled = fill(url, options.texts, options.reviews)
        session = filled.pop("session")
        manage(url, "add_reviewer", "manager", "--project", "Surface")
        with Server(Path(folder) / "server.log", url, threads=None) as server:
            cookies = {"sessionid": session}
            site = httpx.Client(base_url=server.address, cookies=cookies, timeout=120, trust_env=False)
            found = measure(site, server, filled, options)
    print(json.dumps({"database": url.split(":")[0], "load": os.getloadavg()[0], **filled, **found}))


def fill(url: str, texts: int, reviews: int) -> dict[str, Any]:
    command = [sys.executable, "benchmarks/surface_database.py", "--texts", str(texts), "--reviews", str(reviews)]
    environment = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(
    site: httpx.Client, server: Server, filled: dict[str, Any], options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    def ask(path: str) -> dict[str, float]:
        found = timed(site, server, path, options.requests)
        print(f"{path}: {found}", flush=True)
        return found

    pages = [path.format(project=filled["project"]) for path in PAGES if options.only in path]
    lists = {path: rows for path, rows in LISTS.items() if options.only in path}
    deep = {
        f"{path}&cursor={middle(filled[rows])}": f"{path} (deep)" for path, rows in lists.items() if rows is not None
    }
    return {
        "pages": {path: ask(path) for path in pages},
        "lists": {path: ask(path) for path in lists} | {name: ask(path) for path, name in deep.items()},
    }


def middle(rows: int) -> str:
    """The cursor of the page that begins in the middle of so many rows, numbered from 1."""
    return quote(base64.b64encode(f"p={rows // 2}".encode()).decode())


def timed(site: httpx.Client, server: Server, path: str, requests: int) -> dict[str, float]:
    for _ in range(WARM_UP):
        answer = site.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
    seconds, before = [], processor_seconds(server.workers())
    for _ in range(requests):
        begin = time.perf_counter()
        site.get(path)
        seconds.append(time.perf_counter() - begin)
    processor = (processor_seconds(server.workers()) - before) / requests
    return {"ms": round(1000 * statistics.median(seconds), 1), "processor_ms": round(1000 * processor, 1)}


if __name__ == "__main__":
    main()
