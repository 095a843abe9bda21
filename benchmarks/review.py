"""What one decision costs, for one reviewer and for eight, and that it does not grow with what is decided already.

    python benchmarks/review.py [--texts N] [--quick | --full] [--seconds S]

On N texts that wait for review (default 100,000; --quick 5,000), in a fresh SQLite file, or in the empty PostgreSQL
database that DATABASE_URL names. Each step is a process of its own:

1. one reviewer: claim_next and record, 500 times, wall and processor time of each;
2. eight reviewers as processes for S seconds (default 20): decisions a second, errors, texts decided twice;
3. the same as 1 again when 10,000 and 200,000 texts (--full: 1,000,000) are decided already, and the time to seal and
   verify them.

The last line printed is one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REVIEWERS = 8
ONE_REVIEWER = 500  # decisions timed
BATCH = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="5,000 texts, 5 seconds, 2,000 decided: under a minute")
    size.add_argument("--full", action="store_true", help="1,000,000 decided texts instead of 200,000")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](*options.child[1:])))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(database(Path(folder)), options)))


def measure(url: str, options: argparse.Namespace) -> dict[str, Any]:
    texts, seconds, decided = options.texts, options.seconds, (10_000, 1_000_000 if options.full else 200_000)
    if options.quick:
        texts, seconds, decided = 5_000, min(seconds, 5.0), (2_000,)
    child(url, "fill", str(texts), str(REVIEWERS))
    results = {"database": url.split(":")[0], "texts": texts}
    results["one reviewer"] = show("one reviewer", child(url, "one"))
    results["eight reviewers"] = show("eight reviewers", eight(url, seconds))
    for count in decided:
        title = f"{count} decided"
        child(url, "decide", str(count))
        results[title] = show(title, {**child(url, "trail"), **child(url, "one")})
    return results


def show(title: str, figures: dict[str, Any]) -> dict[str, Any]:
    print(title)
    for name, value in figures.items():
        print(f"  {name:45} {value:,.2f}" if isinstance(value, float) else f"  {name:45} {value}")
    return figures


def eight(url: str, seconds: float) -> dict[str, Any]:
    start = time.time() + 3.0  # all have started by then
    running = [begin(url, "worker", str(number), str(start), str(seconds)) for number in range(REVIEWERS)]
    answers = [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]
    decided = Counter(key for answer in answers for key in answer["texts"])
    waits = [wait for answer in answers for wait in answer["waits"]]
    errors = Counter(error for answer in answers for error in answer["errors"])
    return {
        "decisions/s": len(waits) / seconds,
        **percentiles("wall", waits),
        "errors": dict(errors),
        "texts given to two people": sum(count > 1 for count in decided.values()),
        **child(url, "twice"),
    }


def database(folder: Path) -> str:
    """A fresh SQLite file, or the PostgreSQL database of DATABASE_URL, which must be empty."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        url = f"sqlite:///{folder / 'review.sqlite3'}"
    environment = {**os.environ, "DATABASE_URL": url}
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], env=environment, check=True)
    return url


def begin(url: str, *args: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, __file__, "--child", *args]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def child(url: str, *args: str) -> dict[str, Any]:
    process = begin(url, *args)
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"Step {args[0]} failed.")
    return dict(json.loads(out.splitlines()[-1]))


def percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=20)
    return {f"{name} p50, ms": statistics.median(seconds) * 1000, f"{name} p95, ms": cuts[18] * 1000}


# --- Steps, each in a process of its own ------------------------------------------------------------------------------


def setup() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    import django

    django.setup()


def add_texts(project: Any, count: int) -> list[int]:
    """Texts of about 140 characters that a model labeled, unsure; a twentieth of them for the blind audit."""
    from labeling import annotations, bulk
    from labeling.models import LabelingRun, Text

    start = Text.objects.count()
    rows = ((f"{n} " + "parcel order late again please " * 4, f"{n:032d}") for n in range(start, start + count))
    bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk})
    run = LabelingRun.objects.create(
        project=project, provider="local", threshold=0.8, audit_share=0.05, status="succeeded"
    )
    category = project.categories.first().pk
    keys = list(project.texts.filter(status="unlabeled").values_list("pk", flat=True))
    for begin_at in range(0, len(keys), BATCH):
        annotations.record_predictions(
            run,
            [
                annotations.Prediction(
                    pk, category, 0.5, 0.5, pk % 1000 / 1000, [(category, 0.5)], "", [], False, pk % 20 == 0
                )
                for pk in keys[begin_at : begin_at + BATCH]
            ],
        )
    return keys


def fill(texts: str, reviewers: str) -> dict[str, Any]:
    setup()
    from django.contrib.auth.models import User

    from labeling.models import Category, Project, Text
    from reviews.models import Reviewer

    if Text.objects.exists():
        raise SystemExit("The database has texts. Name an empty one in DATABASE_URL.")
    project = Project.objects.get(name="Default")
    for position in range(8):
        Category.objects.create(project=project, name=f"Category {position}", position=position)
    for number in range(int(reviewers)):
        reviewer = Reviewer.objects.create(user=User.objects.create_user(f"reviewer-{number}"))
        reviewer.projects.add(project)
    add_texts(project, int(texts))
    return {}


def decide_next(reviewer: Any, project: Any) -> int:
    """What a request does: the next text onto the desk, and the decision about it."""
    from reviews import decisions, queue
    from reviews.models import Action

    claim = queue.claim_next(reviewer, project)
    if isinstance(claim, queue.Nothing):
        raise LookupError(str(claim))
    text = claim.text
    blind = text.is_audit
    decisions.record(
        reviewer,
        text.pk,
        decisions.Decision(
            Action.DECIDE if blind else Action.APPROVE,
            label_id=None if blind else text.current_label_id,
            category_id=text.current_label.category_id if blind else None,
            seconds_spent=3.0,
        ),
    )
    return int(text.pk)


def cast(number: int) -> tuple[Any, Any]:
    setup()
    from labeling.models import Project
    from reviews.models import Reviewer

    reviewer = Reviewer.objects.get(user__username=f"reviewer-{number}")
    return reviewer, Project.objects.get(name="Default")


def one() -> dict[str, Any]:
    reviewer, project = cast(0)
    decide_next(reviewer, project)  # connects, and loads what is loaded once
    wall, processor = [], []
    for _ in range(ONE_REVIEWER):
        begin_at, begin_cpu = time.perf_counter(), time.process_time()
        decide_next(reviewer, project)
        wall.append(time.perf_counter() - begin_at)
        processor.append(time.process_time() - begin_cpu)
    return {**percentiles("wall", wall), **percentiles("processor", processor)}


def worker(number: str, start: str, seconds: str) -> dict[str, Any]:
    reviewer, project = cast(int(number))
    time.sleep(max(0.0, float(start) - time.time()))
    from django.db import DatabaseError

    from reviews.decisions import Conflict

    end, texts, waits, errors = float(start) + float(seconds), [], [], []
    while time.time() < end:
        begin_at = time.perf_counter()
        try:
            texts.append(decide_next(reviewer, project))
            waits.append(time.perf_counter() - begin_at)
        except (Conflict, DatabaseError, LookupError) as error:
            errors.append(f"{type(error).__name__}: {str(error)[:80]}")
    return {"texts": texts, "waits": waits, "errors": errors}


def twice() -> dict[str, Any]:
    setup()
    from django.db.models import Count

    from reviews.models import Assignment, Review

    decided = Review.objects.order_by().values("text").annotate(n=Count("pk")).filter(n__gt=1)
    return {"texts decided twice": decided.count(), "claims left over": Assignment.objects.count()}


def decide(target: str) -> dict[str, Any]:
    """Bring the number of decided texts to the target, in bulk; every second text added stays open."""
    _, project = cast(0)
    from django.db.models import F
    from django.utils import timezone

    from labeling import bulk
    from labeling.models import Text
    from reviews.hashing import content_hash
    from reviews.models import Review, Reviewer

    reviewer = Reviewer.objects.order_by("pk")[0]
    missing = max(0, int(target) - Review.objects.count())
    names = ("text", "label", "category_before", "category_after", "is_blind")
    shared = {"reviewer": reviewer.pk, "action": "approve", "status_before": "needs_review", "seconds_spent": 3.0}
    for _ in range(0, missing, BATCH):
        add_texts(project, BATCH)
        waiting = (
            project.texts.filter(status="needs_review")
            .order_by("-priority", "pk")
            .annotate(category=F("current_label__category_id"))[:BATCH]
        )
        rows, now = [], timezone.now()
        for text in waiting:
            values = (text.pk, text.current_label_id, text.category, text.category, text.is_audit)
            filled = {f"{name}_id" if name != "is_blind" else name: v for name, v in zip(names, values, strict=True)}
            review = Review(**filled, **{"reviewer_id" if k == "reviewer" else k: v for k, v in shared.items()})
            review.created_at = now
            rows.append((*values, content_hash(review)))
        bulk.insert(Review, (*names, "content_hash"), rows, shared={**shared, "created_at": now})
        Text.objects.filter(pk__in=[row[0] for row in rows]).update(status="reviewed", reviewed_by=reviewer.user_id)
    return {}


def trail() -> dict[str, Any]:
    """Seal and verify all of it; the second sealing is what the schedule does every minute."""
    setup()
    from reviews import audit_trail

    begin_at = time.perf_counter()
    count = audit_trail.seal()
    sealed_at = time.perf_counter()
    audit_trail.seal()
    again_at = time.perf_counter()
    report = audit_trail.verify()
    ended_at = time.perf_counter()
    return {
        "reviews": report.checked,
        "problems": report.count,
        "sealed/s": count / (sealed_at - begin_at),
        "seal nothing, ms": (again_at - sealed_at) * 1000,
        "verified/s": report.checked / (ended_at - again_at),
        "peak MB": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024,
    }


CHILDREN: dict[str, Callable[..., dict[str, Any]]] = {
    "fill": fill,
    "one": one,
    "worker": worker,
    "twice": twice,
    "decide": decide,
    "trail": trail,
}


if __name__ == "__main__":
    main()
