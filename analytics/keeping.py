"""The counts of a project that its statistics are made from: counted now where that is quick, else as they were kept.

Nobody who opens a page waits for a million rows, and nobody who decides waits for counters: large projects are counted
in the background, at most a twentieth of the time, and every page says how old its figures are.
"""

import functools
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from analytics import budget, cells, comparing, quality, queries
from analytics.comparing import Comparison
from analytics.models import KeptFigures
from analytics.queries import Tables
from labeling.models import CertificateUse, Project
from labeling.queueing import queue
from reviews.models import Review, Reviewer

MOST_AT_ONCE = 2_000  # texts of a project that is counted whenever somebody asks: tens of milliseconds
OFTEN = timedelta(minutes=1)
SELDOM = timedelta(hours=1)  # where nothing seems to have happened
COMPARED = "comparison"  # the name under which it is kept
WAITS = 20  # a count is kept for so many times as it took


@dataclass(frozen=True, eq=False)
class Counted:
    """A project as it stood at `counted_at`. `details` are what cannot be summed from cells, as JSON."""

    tables: Tables
    details: dict[str, Any]
    counted_at: datetime
    seconds: float
    is_kept: bool = False


def of_project(project: Project) -> Counted | None:
    """The newest counts; None while a large project waits to be counted for the first time."""
    if is_small(project):
        return count(project)
    return kept_of(project)


def is_small(project: Project) -> bool:
    return project.texts.order_by()[: MOST_AT_ONCE + 1].count() <= MOST_AT_ONCE


def count(project: Project) -> Counted:
    """Counts everything anew: the truth, in seconds for a million texts."""
    begun, clock = timezone.now(), time.perf_counter()
    tables, details = queries.tables(project), _details(project)
    return Counted(tables, details, begun, time.perf_counter() - clock)


def _details(project: Project) -> dict[str, Any]:
    answers = quality.answers_of(project)
    return {
        "agreement": asdict(quality.of_project(answers)),
        "pairs": [asdict(pair) for pair in quality.by_pair(answers)],
        "with_others": {str(key): asdict(share) for key, share in quality.with_others(answers).items()},
        "is_cut": answers.is_cut,
        "certificates": [certificate_as_json(proof) for proof in budget.proofs(project)],
    }


def certificate_as_json(proof: budget.Proof) -> dict[str, Any]:
    certificate = proof.certificate
    names = ("budget", "delta", "threshold", "audited", "wrong", "upper_bound", "coverage", "labels", "sentence")
    return {name: getattr(certificate, name) for name in names} | {
        "id": certificate.pk,
        "promise": certificate.get_promise_display(),
        "standing": proof.standing,
        "ended": proof.ended or "",
        "made_at": certificate.created_at.isoformat(),
    }


# --- What is kept -----------------------------------------------------------------------------------------------------


def kept_of(project: Project) -> Counted | None:
    kept = KeptFigures.objects.filter(project=project).defer("cells").first()
    if kept is None:
        return None
    tables = _unpacked(kept.pk, kept.counted_at)
    return Counted(tables, kept.details, kept.counted_at, kept.seconds, is_kept=True)


def compared(project: Project) -> Comparison:
    """How the reviewers compare: as it was kept of a large project, else counted now."""
    kept = KeptFigures.objects.filter(project=project, details__has_key=COMPARED).defer("cells").first()
    if kept is None or is_small(project):
        return comparing.count(project)
    return comparing.of_json(kept.details[COMPARED], kept.counted_at)


@functools.lru_cache(maxsize=4)
def _unpacked(kept_id: int, counted_at: datetime) -> Tables:
    """Kept in the process as well: a few megabytes for 200,000 reviews, which would be read for every page."""
    kept = KeptFigures.objects.get(pk=kept_id)
    tables = cells.unpack(bytes(kept.cells))
    return Tables(**tables, sources=tuple(kept.details["sources"]), is_cut=kept.details["is_cut"])


def refresh(project: Project) -> Counted:
    """Count a project and keep it."""
    mark = mark_of(project)
    counted, compared = count(project), comparing.count(project)
    tables = {"texts": counted.tables.texts, "reviews": counted.tables.reviews, "runs": counted.tables.runs}
    KeptFigures.objects.update_or_create(
        project=project,
        defaults={
            "cells": cells.pack(tables),
            "details": {
                **counted.details,
                COMPARED: comparing.as_json(compared),
                "sources": counted.tables.sources,
                "is_cut": counted.tables.is_cut,
            },
            "mark": mark,
            "counted_at": counted.counted_at,
            "seconds": counted.seconds,
        },
    )
    return counted


# --- When it is counted -----------------------------------------------------------------------------------------------


def refresh_due(now: datetime | None = None) -> int:
    """Count the large projects whose figures are old; returns how many. Called by schedule, every minute."""
    return len([refresh(project) for project in _due(now or timezone.now())])


def ask_for(project: Project) -> None:
    """Have it counted in the background now, because somebody does not want to wait for the schedule."""
    queue("analytics.tasks.count_project", project.pk, cluster="interactive")


def _due(now: datetime) -> Iterator[Project]:
    kept = {one.project_id: one for one in KeptFigures.objects.defer("cells", "details")}
    for project in Project.objects.filter(is_archived=False):
        if not is_small(project) and is_due(project, kept.get(project.pk), now):
            yield project


def is_due(project: Project, kept: KeptFigures | None, now: datetime) -> bool:
    if kept is None:
        return True
    age = now - kept.counted_at
    if age < max(OFTEN, timedelta(seconds=WAITS * kept.seconds)):
        return False
    return age >= SELDOM or kept.mark != mark_of(project)


def mark_of(project: Project) -> str:
    """Changes when somebody decides, a run goes on, texts are imported or a certificate is made or used.

    A look at the ends of indexes. What it does not see is counted within the hour.
    """
    mine = Review.objects.filter(reviewer=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    people = Reviewer.objects.filter(projects=project).annotate(newest=Subquery(mine))
    runs = project.runs.order_by("-pk").annotate(lived=Max("chunks__heartbeat_at"))
    uses = CertificateUse.objects.filter(certificate__project=project).order_by("-pk")
    seen = (
        people.aggregate(Max("newest")),
        list(runs.values_list("pk", "status", "lived")[:1]),
        list(project.imports.order_by("-pk").values_list("pk", "added")[:1]),
        list(project.certificates.order_by("-pk").values_list("pk")[:1]),
        list(uses.values_list("pk", "undone_at")[:1]),
    )
    return blake2b(repr(seen).encode(), digest_size=16).hexdigest()
