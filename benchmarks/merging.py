"""Merging one category into another: how long the page waits, how long all labels take, how long a decision waits.

    [DATABASE_URL=postgres://...] python benchmarks/merging.py [--texts 100000] [--others 0]

Makes a project in a database of its own (a SQLite file, or a new database on the PostgreSQL server of DATABASE_URL), in
which the category has so many texts and the others have so many. The last line printed is one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.review_database import BATCH, analyze, made_up_text
from benchmarks.review_server import ROOT, fresh_database
from labeling import annotations, bulk, merging
from labeling.choices import RunStatus
from labeling.models import Category, Label, LabelingRun, Project, Text
from labeling.normalizing import content_hash


def fill(project: Project, category: Category, other: Category, count: int) -> None:
    run = LabelingRun.objects.create(
        project=project, provider="local", model_name="a-model", threshold=0.8, audit_share=0
    )
    for start in range(0, count, BATCH):
        last = Text.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        contents = [made_up_text(number) for number in range(last, last + min(BATCH, count - start))]
        rows = [(content, content_hash(content)) for content in contents]
        bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk})
        keys = Text.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        annotations.record_predictions(run, [predicted(pk, category.pk, other.pk) for pk in keys])
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)


def predicted(pk: int, category: int, other: int) -> annotations.Prediction:
    return annotations.Prediction(
        text_id=pk,
        category_id=category,
        confidence=0.7,
        raw_score=0.7,
        margin=0.5,
        scores=[(category, 0.7), (other, 0.2)],
        explanation="Sure; because of: parcel, late",
        evidence=[(0, 7, 0.4)],
        is_truncated=False,
        is_audit=False,
    )


class Decider(threading.Thread):
    """Somebody who writes to a text again and again meanwhile; `waits` are the seconds that each took."""

    def __init__(self, text_id: int) -> None:
        super().__init__(daemon=True)
        self.text_id = text_id
        self.is_over = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        while not self.is_over.wait(0.05):
            begin = time.perf_counter()
            with transaction.atomic():
                Text.objects.select_for_update(no_key=True).get(pk=self.text_id)
                Text.objects.filter(pk=self.text_id).update(priority=0.5)
            self.waits.append(time.perf_counter() - begin)
        connection.close()


def measured(work: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds it took, and what came of it."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--others", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child:
        print(json.dumps(merge_one(wanted)))
        return
    command = [sys.executable, __file__, "--child", *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "merging") as url:
        subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, cwd=ROOT, check=True)


def merge_one(wanted: argparse.Namespace) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    project = Project.objects.create(name="Merging")
    source, target, rest = (project.categories.create(name=name) for name in ("Source", "Target", "Rest"))
    fill(project, rest, target, wanted.others)
    fill(project, source, target, wanted.texts)
    analyze()
    decider = Decider(Text.objects.latest("pk").pk)
    preview_seconds, _ = measured(lambda: merging.preview(source))
    decider.start()
    start_seconds, merge = measured(lambda: merging.start(source, target))
    rest_seconds, _ = measured(lambda: merging.carry_on(merge))
    decider.is_over.set()
    decider.join()
    waits = sorted(decider.waits)
    moved = Label.objects.filter(merge=merge).count()
    assert moved == wanted.texts, moved
    return {
        "database": connection.vendor,
        "texts": wanted.texts,
        "others": wanted.others,
        "preview_ms": round(1000 * preview_seconds),
        "page_waits_ms": round(1000 * start_seconds),
        "rest_seconds": round(rest_seconds, 1),
        "a_write_waits_p50_ms": round(1000 * waits[len(waits) // 2], 1),
        "a_write_waits_most_ms": round(1000 * waits[-1], 1),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
