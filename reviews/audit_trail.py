"""The audit trail: every review sealed into one chain of hashes, and the proof that none was changed or removed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connection, models, transaction

from labeling import bulk, triggers
from labeling.models import Classifier, Label
from reviews.hashing import is_unchanged
from reviews.models import Review, Seal

BATCH = 2_000  # rows in memory at once, and reviews sealed under one lock
LATE_IDS = 10_000  # how far below the newest sealed id `seal` looks for reviews that were committed late
LOCK = 7_325_001  # PostgreSQL's advisory lock of sealers; any number that nobody else uses
BEGINNING = "0" * 64
MOST_PROBLEMS = 1_000  # kept with words; beyond that they are counted
Row = TypeVar("Row", bound=models.Model)
FACTS: tuple[type[models.Model], ...] = (Label, Classifier, Review, Seal)


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was written. `position` is the place in the chain, 0 outside of it."""

    message: str
    position: int = 0
    review_id: int | None = None

    def __str__(self) -> str:
        return self.message


@dataclass
class Report:
    """What `verify` looked at, and what is wrong. `head` is the end of the chain: note it down somewhere else."""

    checked: int = 0
    unsealed: int = 0
    position: int = 0
    head: str = BEGINNING
    count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, message: str, *, position: int = 0, review_id: int | None = None) -> None:
        self.count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(message, position, review_id))


def chain_hash(previous_hash: str, content_hash: str) -> str:
    return hashlib.sha256((previous_hash + content_hash).encode()).hexdigest()


# --- Sealing ----------------------------------------------------------------------------------------------------------


def seal(*, everything: bool = False) -> int:
    """Append all reviews without a seal to the chain, by id; returns how many. Safe to run twice at the same time.

    Looks at ids near the end only, so that the cost does not grow with the history; `everything` looks at all.
    """
    total = 0
    # One transaction a batch: on SQLite nobody can decide while it lasts.
    while done := _seal_batch(everything=everything):
        total += done
    return total


@transaction.atomic
def _seal_batch(*, everything: bool) -> int:
    _lock()
    last = Seal.objects.order_by("-position").values_list("position", "chain_hash").first()
    position, previous = last or (0, BEGINNING)
    rows = []
    for review_id, content_hash in _unsealed(everything=everything).values_list("pk", "content_hash")[:BATCH]:
        position, chained = position + 1, chain_hash(previous, content_hash)
        rows.append((review_id, position, previous, chained))
        previous = chained
    return bulk.insert(Seal, ("review", "position", "previous_hash", "chain_hash"), rows)


def _lock() -> None:
    """One sealer at a time. On SQLite the IMMEDIATE transaction is the lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _unsealed(*, everything: bool) -> models.QuerySet[Review]:
    waiting = Review.objects.filter(seal__isnull=True).order_by("pk")
    newest = None if everything else Seal.objects.order_by("-review_id").values_list("review_id", flat=True).first()
    return waiting if newest is None else waiting.filter(pk__gt=newest - LATE_IDS)


# --- Verifying --------------------------------------------------------------------------------------------------------


def verify(*, noted: tuple[int, str] | None = None) -> Report:
    """Compute every hash and the chain again. Reads only, in bounded memory, while people go on deciding.

    Somebody who may write everything can also write the chain anew, or cut its end off. `noted`, a position and its
    chain hash from an earlier report, finds that too.
    """
    report = Report()
    for model in FACTS:
        if not triggers.are_installed(connection, model._meta.db_table):
            report.add(f"Table {model._meta.db_table} can be changed: its append-only triggers are missing.")
    for seals in _batches(Seal.objects.order_by("position"), "position"):
        reviews = Review.objects.in_bulk([seal.review_id for seal in seals])
        for one in seals:
            _check_link(report, one)
            _check_review(report, one, reviews.get(one.review_id))
    _check_unsealed(report)
    if noted and not Seal.objects.filter(position=noted[0], chain_hash=noted[1]).exists():
        report.add(f"Position {noted[0]} has not the hash that was noted: the chain was cut or written anew.")
    return report


def _check_link(report: Report, one: Seal) -> None:
    """Every position once, each on top of the one before."""
    at = {"position": one.position, "review_id": one.review_id}
    if one.position != report.position + 1:
        missing = f"{report.position + 1} to {one.position - 1}"
        report.add(f"Seals {missing} are missing: reviews were removed.", **at)
    elif one.previous_hash != report.head:
        report.add(f"Seal {one.position} is not on top of the one before: rows were removed or inserted here.", **at)
    # Goes on from what stands here, so that one fault is reported once and not at every later position.
    report.position, report.head = one.position, one.chain_hash


def _check_review(report: Report, one: Seal, review: Review | None) -> None:
    at = {"position": one.position, "review_id": one.review_id}
    if review is None:
        report.add(f"Review {one.review_id} (seal {one.position}) was removed.", **at)
        return
    report.checked += 1
    if not is_unchanged(review):
        report.add(f"Review {review.pk} (seal {one.position}) was changed: its content has another hash.", **at)
    elif one.chain_hash != chain_hash(one.previous_hash, review.content_hash):
        report.add(f"Review {review.pk} or its seal {one.position} was changed after sealing.", **at)


def _check_unsealed(report: Report) -> None:
    for reviews in _batches(Review.objects.filter(seal__isnull=True).order_by("pk"), "pk"):
        for review in reviews:
            report.checked += 1
            report.unsealed += 1
            if not is_unchanged(review):
                report.add(f"Review {review.pk} (not sealed) was changed or inserted by hand.", review_id=review.pk)


def _batches(rows: models.QuerySet[Row], key: str) -> Iterator[list[Row]]:
    """All rows in the order of `key`, without a transaction: on SQLite that would lock writers out."""
    last = -1
    while batch := list(rows.filter(**{f"{key}__gt": last})[:BATCH]):
        yield batch
        last = getattr(batch[-1], key)
