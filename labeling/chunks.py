"""A run in chunks: several processes work on it at once, and nothing is lost when one of them dies.

The broker only brings processes to a run. Which chunk is whose is decided here, by conditional writes of rows: a chunk
has one process, which proves that it lives by a heartbeat; when it dies, the next one takes the chunk and goes on where
it came to. Chunks are as wide as a few seconds of work, so that stopping and retrying are cheap.
"""

import os
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet, Sum
from django.utils import timezone

from labeling import processes
from labeling.choices import ChunkState, RunPhase, RunStatus
from labeling.models import LabelingRun, RunChunk, Text
from labeling.providers.base import Usage

LEASE = timedelta(minutes=3)  # one call of a slow model may take a minute or two
MOST_ATTEMPTS = 3
PARTS = 16  # into which a chunk is cut that was tried in vain: 256 of 65,536 texts are left after two attempts
FIRST, LEAST, MOST = 256, 16, 65_536  # texts in a chunk
SHORT_SECONDS, LONG_SECONDS = 5.0, 20.0  # a chunk that took less was too narrow, one that took more too wide
NEXT = {
    RunPhase.PREPARE: RunPhase.READ,
    RunPhase.READ: RunPhase.FIT,
    RunPhase.FIT: RunPhase.LABEL,
    RunPhase.LABEL: RunPhase.FINISH,
}
UNFINISHED = (ChunkState.OPEN, ChunkState.WORKING)
SHARED = (RunPhase.READ, RunPhase.LABEL)  # phases of more than one chunk
DIED = "The process that worked on it died, {} times."


class RunStopped(RuntimeError):
    """The run was paused, cancelled or ended; this process must stop writing."""


class ChunkLost(RuntimeError):
    """Another process has taken the chunk, because nothing was heard of this one."""


def new_worker() -> str:
    """A name for this process, from which others can tell whether it lives."""
    return f"{processes.this_machine()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


# --- Taking -----------------------------------------------------------------------------------------------------------


def take(
    run: LabelingRun, worker: str, *, on_set_aside: Callable[[RunChunk], None] = lambda chunk: None
) -> RunChunk | None:
    """A chunk of the run's phase for this process: one that somebody left, or a new one. None when there is none now.

    Chunks whose processes died too often are set aside on the way. Raises RunStopped when the run rests or has ended.
    """
    for chunk in run.chunks.filter(phase=run.phase, state__in=UNFINISHED).order_by("after"):
        if chunk.state == ChunkState.WORKING and is_held(chunk):
            continue
        if chunk.attempts >= MOST_ATTEMPTS:
            fail(chunk, chunk.error or DIED.format(chunk.attempts), on_set_aside=on_set_aside)
        elif _take_again(chunk, worker):
            return chunk
    return _hand_out(run, worker)


@transaction.atomic
def _take_again(chunk: RunChunk, worker: str) -> bool:
    """What was tried in vain is taken in small parts, so that one bad text fails alone or with a few."""
    last = chunk.last
    if chunk.attempts and chunk.phase == RunPhase.LABEL:
        last = min(last, chunk.reached + max(1, (last - chunk.reached) // PARTS))
    taken = _while_running(_as_seen(chunk).filter(heartbeat_at=chunk.heartbeat_at), chunk).update(
        state=ChunkState.WORKING, worker=worker, heartbeat_at=timezone.now(), attempts=chunk.attempts + 1, last=last
    )
    if taken and last < chunk.last:
        RunChunk.objects.create(
            run_id=chunk.run_id,
            phase=chunk.phase,
            after=last,
            last=chunk.last,
            reached=last,
            state=ChunkState.OPEN,
            attempts=0,
            heartbeat_at=timezone.now(),
        )
    if taken:
        chunk.refresh_from_db()
    return bool(taken)


def _hand_out(run: LabelingRun, worker: str) -> RunChunk | None:
    """The next chunk of the phase. The one whose write of the cursor comes first has it."""
    while True:
        run.refresh_from_db(fields=["status", "phase", "cursor", "last_text_id", "sample_size"])
        if run.status != RunStatus.RUNNING:
            raise RunStopped(f"Run {run.pk} is {run.get_status_display().lower()}.")
        end = end_of(run)
        after, width = _next(run)
        if after >= end:
            return None
        last = min(after + width, end)
        with transaction.atomic():  # both or none, so that no chunk is written twice or left out
            as_seen = LabelingRun.objects.filter(pk=run.pk, phase=run.phase, cursor=run.cursor)
            if as_seen.filter(status=RunStatus.RUNNING).update(cursor=last):
                return RunChunk.objects.create(
                    run=run,
                    phase=run.phase,
                    after=after,
                    last=last,
                    reached=after,
                    worker=worker,
                    heartbeat_at=timezone.now(),
                )


def end_of(run: LabelingRun) -> int:
    """Where the run's phase ends, as a `RunChunk.last`; 0: there is nothing to do in it."""
    if run.phase == RunPhase.LABEL:
        return run.last_text_id
    if run.phase == RunPhase.READ:
        return run.sample_size
    return 1 if run.phase != RunPhase.FIT or run.sample_size else 0


def _next(run: LabelingRun) -> tuple[int, int]:
    """After which place the next chunk begins, and how wide it is.

    Twice or half as wide as the newest chunk that is done, where that took too little or too long. Where that held no
    text, the next chunk begins before the next text, and it says nothing of the width.
    """
    done = run.chunks.filter(phase=run.phase, state=ChunkState.DONE).order_by("-pk").first()
    if done is None:
        return run.cursor, FIRST
    width = done.last - done.after
    if run.phase == RunPhase.LABEL and not done.texts:
        return _before_next_text(run, run.cursor), width
    if done.seconds < SHORT_SECONDS:
        return run.cursor, min(2 * width, MOST)
    return run.cursor, max(width // 2, LEAST) if done.seconds > LONG_SECONDS else width


def withdraw(run: LabelingRun) -> None:
    """Of a run that labels: what lies after its cursor, and the last phase, will be handed out again.

    What was done there stays counted, out of the way of the chunks that will come.
    """
    labeling, finishing = run.chunks.filter(phase=RunPhase.LABEL), run.chunks.filter(phase=RunPhase.FINISH)
    labeling.filter(state__in=UNFINISHED, after__lt=run.cursor, last__gt=run.cursor).update(last=run.cursor)
    beyond = labeling.filter(after__gte=run.cursor)
    (beyond.filter(state__in=UNFINISHED) | finishing).update(state=ChunkState.DONE)
    (beyond | finishing).update(after=-F("pk"), last=F("last") - F("after") - F("pk"))  # as wide as before


# --- Working ----------------------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """How far a process came with a chunk, over how many texts more, how many of them could not be labeled, and what
    asking about them took."""

    reached: int
    texts: int
    failed: int = 0
    usage: Usage = Usage()
    cost: Decimal = Decimal(0)


def extend(chunk: RunChunk, step: Step | None = None, *, seconds: float = 0.0) -> None:
    """Prove that this process lives, and keep how far it came and the seconds spent since the last step.

    Raises RunStopped, or ChunkLost when the chunk is not its own any more.
    """
    come: dict[str, Any] = {}
    if step is not None:  # who takes the chunk next begins there, and with all attempts before it where that is farther
        attempts = 1 if step.reached > chunk.reached else chunk.attempts
        come = {"reached": step.reached, "attempts": attempts, "seconds": chunk.seconds + seconds}
        come |= {
            "texts": chunk.texts + step.texts,
            "failed": chunk.failed + step.failed,
            "cost": chunk.cost + step.cost,
        }
        come |= {name: getattr(chunk, name) + spent for name, spent in asdict(step.usage).items()}
    if not _while_running(_as_seen(chunk), chunk).update(heartbeat_at=timezone.now(), **come):
        status = LabelingRun.objects.values_list("status", flat=True).get(pk=chunk.run_id)
        if status != RunStatus.RUNNING:
            raise RunStopped(f"Run {chunk.run_id} is {RunStatus(status).label.lower()}.")
        raise ChunkLost(f"{chunk} was taken over by another process.")
    for name, value in come.items():
        setattr(chunk, name, value)


@transaction.atomic
def finish(chunk: RunChunk, **on_run: Any) -> None:
    """The chunk is done; what it found out for the run is written with it. Raises ChunkLost."""
    if not _as_seen(chunk).update(state=ChunkState.DONE, heartbeat_at=timezone.now()):
        raise ChunkLost(f"{chunk} was taken over by another process.")
    if on_run:
        LabelingRun.objects.filter(pk=chunk.run_id).update(**on_run)


def give_back(chunk: RunChunk) -> None:
    """Leave the chunk to whoever comes next. It is no attempt: nothing went wrong."""
    _as_seen(chunk).update(state=ChunkState.OPEN, worker="", attempts=chunk.attempts - 1)


@transaction.atomic
def fail(chunk: RunChunk, error: str, *, on_set_aside: Callable[[RunChunk], None] = lambda chunk: None) -> None:
    """The attempt came to nothing. After several the chunk is set aside, with what is to be done about its texts."""
    is_over = chunk.attempts >= MOST_ATTEMPTS
    state = ChunkState.SET_ASIDE if is_over else ChunkState.OPEN
    left = _as_seen(chunk).update(state=state, worker="", error=error)
    chunk.refresh_from_db()
    if left and is_over:
        on_set_aside(chunk)


def _while_running(rows: QuerySet[RunChunk], chunk: RunChunk) -> QuerySet[RunChunk]:
    """Those of a run that is not to rest.

    By a subquery on the run alone: with a join Django moves every condition into a subquery, and PostgreSQL then checks
    none of them again when it had to wait for another process's write of the chunk.
    """
    return rows.filter(run_id__in=LabelingRun.objects.filter(pk=chunk.run_id, status=RunStatus.RUNNING).values("pk"))


def _as_seen(chunk: RunChunk) -> QuerySet[RunChunk]:
    """The chunk, if nobody else has taken it since."""
    return RunChunk.objects.filter(pk=chunk.pk, state=chunk.state, worker=chunk.worker, attempts=chunk.attempts)


def is_done(run: LabelingRun) -> bool:
    """Whether every chunk of the run's phase is done or set aside, and none is left to hand out."""
    unfinished = run.chunks.filter(phase=run.phase, state__in=UNFINISHED)
    return not unfinished.exists() and _next(run)[0] >= end_of(run)


def missing(run: LabelingRun) -> RunChunk | None:
    """A chunk that was set aside and without which the run cannot go on: one that is a whole phase."""
    return run.chunks.filter(state=ChunkState.SET_ASIDE).exclude(phase__in=SHARED).first()


def advance(run: LabelingRun) -> None:
    """Let the next phase begin, if it has not. This one is done, unless the run was made to reach farther meanwhile."""
    following = NEXT[RunPhase(run.phase)]
    as_seen = LabelingRun.objects.filter(pk=run.pk, phase=run.phase, cursor=run.cursor, status=RunStatus.RUNNING)
    as_seen = as_seen.filter(last_text_id=run.last_text_id)
    as_seen.update(phase=following, cursor=_before_next_text(run, 0) if following == RunPhase.LABEL else 0)
    run.refresh_from_db(fields=["status", "phase", "cursor", "last_text_id"])


def _before_next_text(run: LabelingRun, after: int) -> int:
    """The place before the first text from there on, or the end: a project may lie far into the table."""
    # Without a look at labels: whether a text has one of the run is no matter here, and PostgreSQL, whose statistics
    # still say that there are none, looked through all for each text: minutes, while other processes added to them.
    first = Text.objects.in_reach(run).filter(pk__gt=after).order_by().aggregate(first=Min("pk"))["first"]
    return int(run.last_text_id if first is None else first - 1)


# --- Looking ----------------------------------------------------------------------------------------------------------


def is_held(chunk: RunChunk) -> bool:
    """Whether the process that took the chunk still works on it."""
    if chunk.state != ChunkState.WORKING or chunk.heartbeat_at < timezone.now() - LEASE:
        return False
    machine, pid, _ = chunk.worker.split(":")
    return machine != processes.this_machine() or processes.lives(int(pid))


def count_held(run: LabelingRun) -> int:
    """How many processes work on the run right now."""
    return sum(is_held(chunk) for chunk in run.chunks.filter(state=ChunkState.WORKING))


def not_gone_through(run: LabelingRun) -> Q:
    """Which texts no process has gone through while labeling: those never handed out, and the rests of chunks."""
    unfinished = run.chunks.filter(phase=RunPhase.LABEL, state__in=UNFINISHED).values_list("reached", "last")
    rests = (Q(pk__gt=reached, pk__lte=last) for reached, last in unfinished)
    return reduce(or_, rests, Q(pk__gt=run.cursor))


class Tally(NamedTuple):
    """Texts that were gone through, and those of them that could not be labeled."""

    texts: int
    failed: int


def tally(run: LabelingRun, phase: RunPhase = RunPhase.LABEL) -> Tally:
    """Counted from the chunks of a phase, whoever worked on them."""
    sums = run.chunks.filter(phase=phase).aggregate(texts=Sum("texts"), failed=Sum("failed"))
    return Tally(sums["texts"] or 0, sums["failed"] or 0)
