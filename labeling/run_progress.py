"""How far a run is, counted from rows: what pages, the API and the terminal show of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, F, FloatField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from labeling import chunks, runs, workers
from labeling.choices import ChunkState, RunPhase, RunStatus
from labeling.models import LabelingRun, RunChunk

MOST_REASONS = 10
LATELY = 20  # chunks, by which the rate goes
LOADING = "No text has come through yet. Loading a model takes up to a minute the first time on a machine."
MOVED_ON = "The project's categories were changed since. This run labels with them as they were when it was started."


@dataclass(frozen=True)
class RunProgress:
    """A run at this moment. `done` of `total` texts of its phase; `rate` in texts a second and `seconds_left` are None
    while nothing is known of them."""

    id: int
    status: str
    status_name: str
    phase: str
    is_finished: bool
    done: int
    total: int
    processes: int
    rate: float | None
    seconds_left: float | None
    failed: int
    failures: tuple[tuple[str, int], ...]  # reason, texts
    requests: int
    tokens: int  # read and written
    cost: float
    set_aside: int  # chunks
    notes: tuple[str, ...]

    @property
    def percent(self) -> int:
        return 100 if self.status == RunStatus.SUCCEEDED else min(100, 100 * self.done // max(self.total, 1))

    @property
    def sentence(self) -> str:
        parts = [f"{self.status_name.lower()}, {self.done:,} of {self.total:,} texts"]
        if self.rate:
            parts.append(f"{self.rate:,.0f} texts/s")
        if self.seconds_left is not None:
            parts.append(f"{self.seconds_left / 60:,.0f} min left")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.tokens:
            parts.append(f"{self.tokens:,} tokens")
        if self.cost:
            parts.append(f"cost {self.cost:,.2f}")
        if self.set_aside:
            parts.append(f"{self.set_aside} chunks set aside")
        return ", ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"percent": self.percent}


def of(run: LabelingRun) -> RunProgress:
    """Read the run's chunks and what failed. The cost grows with these, and not with what was labeled."""
    done, total = _done(run)
    processes = 0 if run.is_finished else chunks.count_held(run)
    rate = _rate(run, processes)
    counted = run.chunks.aggregate(
        failed=Sum("failed", default=0),
        requests=Sum("requests", default=0),
        tokens=Sum(F("prompt_tokens") + F("completion_tokens"), default=0),
        cost=Sum("cost", default=0.0, output_field=FloatField()),
    )
    return RunProgress(
        id=run.pk,
        status=run.status,
        status_name=run.get_status_display(),
        phase=run.get_phase_display(),
        is_finished=run.is_finished,
        done=done,
        total=total,
        processes=processes,
        rate=rate,
        seconds_left=(total - done) / rate if rate and done < total else None,
        failures=tuple(_failures(run)) if counted["failed"] else (),
        **counted,
        set_aside=run.chunks.filter(state=ChunkState.SET_ASIDE).count(),
        notes=tuple(_notes(run, processes)),
    )


def texts_done(some: Sequence[LabelingRun]) -> dict[int, int]:
    """How many texts each of these runs has gone through, all by one question; for `of`, ask about one."""
    counted = LabelingRun.objects.filter(pk__in=[run.pk for run in some]).order_by().values_list("pk", texts_gone())
    gone = dict(counted)
    return {run.pk: min(gone.get(run.pk, 0), run.total) for run in some}


def texts_gone() -> Coalesce:
    """How many texts a run has gone through, as a column of runs."""
    chunks = RunChunk.objects.filter(run=OuterRef("pk"), phase=RunPhase.LABEL).order_by().values("run")
    return Coalesce(Subquery(chunks.annotate(n=Sum("texts")).values("n")), 0)


def _done(run: LabelingRun) -> tuple[int, int]:
    if run.phase == RunPhase.READ:
        return chunks.tally(run, RunPhase.READ).texts, run.sample_size
    return min(chunks.tally(run).texts, run.total), run.total


def _rate(run: LabelingRun, processes: int) -> float | None:
    """What a process did lately in the phase, for each of those at work: pauses and lost time do not count."""
    rows = run.chunks.filter(phase=run.phase, texts__gt=0).order_by("-heartbeat_at")
    lately = list(rows.values_list("texts", "seconds")[:LATELY])
    seconds = sum(spent for _, spent in lately)
    return processes * sum(texts for texts, _ in lately) / seconds if processes and seconds else None


def _failures(run: LabelingRun) -> list[tuple[str, int]]:
    failed = runs.failed_texts(run).order_by()
    return list(failed.values_list("error").annotate(n=Count("*")).order_by("-n", "error")[:MOST_REASONS])


def _notes(run: LabelingRun, processes: int) -> list[str]:
    aside = run.chunks.filter(state=ChunkState.SET_ASIDE).order_by("error").values_list("error", flat=True)
    notes = [note for note in (run.error, *aside.distinct()[:MOST_REASONS]) if note]
    if run.is_finished:
        return notes
    if not processes and not workers.alive(workers.LABELING).exists():
        notes.append(workers.NONE_RUNNING)
    if processes and not run.chunks.filter(texts__gt=0).exists():
        notes.append(LOADING)
    if run.categories != run.project.category_snapshot():
        notes.append(MOVED_ON)
    return notes
