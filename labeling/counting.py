"""How many texts of which projects stand where: one question for all of them, and no more than pages can pay for."""

import time
from collections import Counter
from collections.abc import Collection, Mapping

from django.core.cache import cache
from django.db.models import Count

from labeling.choices import WAITING, TextStatus
from labeling.models import Text

FREE = 0.02  # seconds: what is counted within these is counted whenever somebody asks
WAITS = 50  # what took longer is kept for so many times as it took, so that asking all the time costs a fiftieth of it
LONGEST_WAIT = 60.0

StatusCounts = Mapping[str, int]


def texts_by_status(project_ids: Collection[int]) -> dict[int, StatusCounts]:
    """The texts of each project by status, as they are or, where there are many, were some seconds ago."""
    keys = {_key(pk): pk for pk in project_ids}
    found: dict[int, StatusCounts] = {keys[key]: counts for key, counts in cache.get_many(keys).items()}
    if missing := [pk for pk in project_ids if pk not in found]:
        begin = time.perf_counter()
        counted = _count(missing)
        taken = time.perf_counter() - begin
        if taken > FREE:
            cache.set_many({_key(pk): counts for pk, counts in counted.items()}, min(WAITS * taken, LONGEST_WAIT))
        found |= counted
    return found


def waiting_for_people(project_ids: Collection[int]) -> dict[int, int]:
    """How many texts of each project wait for a person: that need review, that failed, and accepted audits."""
    counts = texts_by_status(project_ids)
    # Of all projects: asked for some, SQLite goes through their texts instead of the short index of audits.
    accepted = Text.objects.filter(is_audit=True, status=TextStatus.ACCEPTED).order_by()
    audits = dict(accepted.values_list("project").annotate(n=Count("*")))
    return {pk: sum(counts[pk].get(status, 0) for status in WAITING) + audits.get(pk, 0) for pk in project_ids}


def _count(project_ids: Collection[int]) -> dict[int, StatusCounts]:
    """From an index alone: no row is read."""
    counted: dict[int, Counter[str]] = {pk: Counter() for pk in project_ids}
    grouped = Text.objects.filter(project__in=project_ids).order_by().values_list("project", "status")
    for pk, status, texts in grouped.annotate(n=Count("*")):
        counted[pk][status] = texts
    return {pk: dict(counts) for pk, counts in counted.items()}


def _key(project_id: int) -> str:
    return f"labeling.texts_by_status.{project_id}"
