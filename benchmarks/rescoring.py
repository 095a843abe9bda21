"""Labeling a whole project again from its cached vectors: seconds, processor time and memory.

    OMP_NUM_THREADS=1 [DATABASE_URL=postgres://...] python benchmarks/rescoring.py [--quick | --texts N ...]

100,000 made-up texts and, without --quick, 1,000,000, of vectors of 384 numbers around ten centers. One head labels
them, the next one is the same but for a change that is large enough for about 10 %, then 0.5 % of the labels (category,
route, or confidence by 0.05). Each is a run by `labeling.execution`, as the background worker does it, in a process of
its own. SQLite in a temporary folder, or the PostgreSQL server of DATABASE_URL, where a database is made and dropped.

The last line printed is one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import kept_vectors
from kept_vectors import peak_mb
from review_server import ROOT, backends, fresh_database, processor_seconds

SHARES = (0.1, 0.005)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 texts only")
    parser.add_argument("--texts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](float(options.child[1]))))
        return
    results: dict[str, Any] = {}
    for size in [100_000] if options.quick else options.texts:
        with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "rescoring") as url:
            results[f"{size} texts"] = measure(url, size)
    print(json.dumps(results))


def measure(url: str, size: int) -> dict[str, Any]:
    figures = {"fill": child(url, "fill", size)}
    print(f"{size:,} texts: {figures['fill']}", flush=True)
    for share in SHARES:
        figures[f"{share:.1%} change"] = child(url, "rescore", share)
        print(f"  {share:.1%}: {figures[f'{share:.1%} change']}", flush=True)
    return figures


def child(url: str, step: str, value: float) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", step, str(value)]
    environment = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


# --- Steps, each in a process of its own ------------------------------------------------------------------------------


def fill(size: float) -> dict[str, float]:
    """A project of so many texts with vectors, which the first head has labeled, and one text that was decided."""
    kept_vectors.setup()
    from django.utils import timezone

    begin = time.perf_counter()
    project = kept_vectors.add_project(int(size))
    kept_vectors.keep_head(project, kept_vectors.first_head())
    kept_vectors.label(project, kept_vectors.first_head())
    decided = project.texts.order_by("pk").values("pk")[:1]  # as when something was learned: the cold start is over
    project.texts.filter(pk__in=decided).update(status="reviewed", reviewed_at=timezone.now())
    analyze()
    return {"seconds": round(time.perf_counter() - begin)}


def rescore(share: float) -> dict[str, float]:
    """A new head that changes this share of the labels, and a run that labels again."""
    kept_vectors.setup()
    from labeling import classifiers
    from labeling.models import Project

    project = Project.objects.get(name="Benchmark")
    before = classifiers.load_head(project.classifiers.latest("version").pk)
    kept_vectors.keep_head(project, moved(before, share, project.threshold))
    return timed_run(project)


def moved(head: Any, share: float, threshold: float) -> Any:
    """The head with random changes of a size that changes so many labels of a sample."""
    from labeling.learning.classifier import LinearHead

    sample = np.concatenate([kept_vectors.vectors(start) for start in range(0, 20_000, kept_vectors.AT_ONCE)])
    noise = np.random.default_rng(int(share * 1e6)).normal(size=head.weights.shape)
    low, high = 0.0, 1.0
    for _ in range(20):
        size = (low + high) / 2
        other = LinearHead(head.weights + size * noise, head.bias, head.temperature)
        low, high = (size, high) if changed(head, other, sample, threshold) < share else (low, size)
    return other


def changed(head: Any, other: Any, sample: NDArray[np.float32], threshold: float) -> float:
    from labeling.rescoring import CONFIDENCE_MOVE

    old, new = head.probabilities(sample), other.probabilities(sample)
    sure = [rows.max(axis=1) for rows in (old, new)]
    is_new = (old.argmax(axis=1) != new.argmax(axis=1)) | (np.abs(sure[1] - sure[0]) >= CONFIDENCE_MOVE)
    return float((is_new | ((sure[0] >= threshold) != (sure[1] >= threshold))).mean())


def timed_run(project: Any) -> dict[str, float]:
    from labeling import execution, runs

    run = runs.start(project, relabel=True)
    database = backends(os.environ["DATABASE_URL"])
    wall, processor, of_database = time.perf_counter(), time.process_time(), processor_seconds(database)
    assert execution.execute(run)
    return {
        "texts": run.total,
        "seconds": round(time.perf_counter() - wall, 2),
        "processor": round(time.process_time() - processor, 2),
        "processor of PostgreSQL": round(processor_seconds(database) - of_database, 2),
        "changed": round(run.done / run.total, 4),
        "peak MB": round(peak_mb()),
    }


def analyze() -> None:
    """As PostgreSQL's autovacuum does within a minute."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


CHILDREN = {"fill": fill, "rescore": rescore}


if __name__ == "__main__":
    main()
