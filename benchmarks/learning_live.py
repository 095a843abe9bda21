"""How long after a decision the review queue is in the order of what it taught, on 100,000 texts.

    OMP_NUM_THREADS=1 [DATABASE_URL=postgres://...] python benchmarks/learning_live.py [--quick] [--texts N]

A made-up project (see kept_vectors.py) that a head has labeled; 200 texts are decided and a full training is done. Then
`manage.py keep_learning` runs as `manage.py start` starts it, and one person decides texts by `reviews.decisions`, as
`reviews.queue` hands them out, at random moments, 0.7 s apart on average. Measured is the time from a decision's commit
until a queue is written whose head was fitted to it. SQLite, or a database that is made and dropped on the PostgreSQL
server of DATABASE_URL.

The last line printed is one JSON object.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import kept_vectors
from review_server import ROOT, fresh_database, processor_seconds

DECIDED = 200
PAUSE_SECONDS = 0.7
FOLLOWED = re.compile(r"follows (\d+) decisions, (\d+) texts moved")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 decisions instead of 100")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--child", choices=["learn", "decide"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child == "learn":
        learn()
    elif options.child == "decide":
        print(json.dumps(decide(options.texts, 20 if options.quick else 100)))
    else:
        command = [sys.executable, __file__, "--child", "decide", *sys.argv[1:]]
        with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "live") as url:
            subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, cwd=ROOT, check=True)


def learn() -> None:
    kept_vectors.setup()
    from django.core.management import call_command

    call_command("keep_learning")


class Watched:
    """The learning process, and when its queue followed how many decisions."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", "learn"],
            env={**os.environ, "LOG_LEVEL": "INFO"},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.followed: list[tuple[float, int, int]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := FOLLOWED.search(line):
                self.followed.append((time.perf_counter(), int(found[1]), int(found[2])))

    def wait(self, decisions: int, seconds: float = 60) -> None:
        deadline = time.perf_counter() + seconds
        while not self.followed or self.followed[-1][1] < decisions:
            assert time.perf_counter() < deadline and self.process.poll() is None, self.followed[-3:]
            time.sleep(0.01)


def prepare(size: int) -> tuple[Any, Any]:
    """A project nearly all of whose texts wait for people, after a first training, and who decides them."""
    kept_vectors.setup()
    from labeling import training

    project = kept_vectors.add_project(size)
    kept_vectors.keep_head(project, kept_vectors.first_head(), "pool_aware")
    type(project).objects.filter(pk=project.pk).update(threshold=0.99)
    project.refresh_from_db()
    kept_vectors.label(project, kept_vectors.first_head())
    reviewer = add_reviewer(project)
    for _ in range(DECIDED):
        decide_next(reviewer, project)
    training.train(project)
    print("Labeled, decided and trained.", flush=True)
    return project, reviewer


def decide(size: int, count: int) -> dict[str, Any]:
    project, reviewer = prepare(size)
    begin, watched = time.perf_counter(), Watched()
    watched.wait(DECIDED)
    ready = time.perf_counter() - begin
    processor = processor_seconds([watched.process.pid])
    made: list[float] = []
    for _ in range(count):
        decide_next(reviewer, project)
        made.append(time.perf_counter())
        time.sleep(random.expovariate(1 / PAUSE_SECONDS))
    watched.wait(DECIDED + count)
    waited = [
        next(when for when, followed, _ in watched.followed if followed >= DECIDED + number) - moment
        for number, moment in enumerate(made, 1)
    ]
    times = len([1 for _, followed, _ in watched.followed if followed > DECIDED])
    figures = {
        "texts": size,
        "waiting": project.texts.filter(status="needs_review").count(),
        "seconds until the queue follows, p50": round(float(np.quantile(waited, 0.5)), 2),
        "p95": round(float(np.quantile(waited, 0.95)), 2),
        "most": round(max(waited), 2),
        "decisions": count,
        "times the queue was put in order": times,
        "processor seconds each": round((processor_seconds([watched.process.pid]) - processor) / times, 2),
        "texts moved each": round(float(np.mean([moved for _, _, moved in watched.followed[1:]]))),
        "peak MB": round(kept_vectors.peak_mb(watched.process.pid)),
        "seconds from start of the process": round(ready, 1),
        "load": os.getloadavg()[0],
    }
    watched.process.terminate()
    return figures


def add_reviewer(project: Any) -> Any:
    from django.contrib.auth.models import User

    from reviews.models import Reviewer

    reviewer = Reviewer.objects.create(user=User.objects.create_user("reviewer"))
    reviewer.projects.add(project)
    return reviewer


def decide_next(reviewer: Any, project: Any) -> None:
    from reviews import decisions, queue
    from reviews.models import Action

    claimed = queue.claim_next(reviewer, project)
    if claimed.text.is_audit:
        shown = claimed.text.current_label
        decision = decisions.Decision(Action.DECIDE, category_id=shown.category_id)
    else:
        decision = decisions.Decision(Action.APPROVE, claimed.text.current_label_id)
    decisions.record(reviewer, claimed.text_id, decision)


if __name__ == "__main__":
    main()
