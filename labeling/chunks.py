"""A run in pieces: several processes work on it at once, and nothing is lost when one of them dies.

The broker only brings processes to a run. Which piece is whose is decided here, by conditional writes of rows: a piece
has one process, which proves that it lives by a heartbeat; when it dies, the next one takes the piece and goes on where
the labels say that it stopped. Pieces are as wide as a few seconds of work, so that stopping and retrying are cheap.
"""

import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from labeling.choices import ChunkState, RunPhase, RunStatus
from labeling.models import LabelingRun, RunChunk

LEASE = timedelta(minutes=3)  # one call of a slow model may take a minute or two
MOST_ATTEMPTS = 3
FIRST, LEAST, MOST = 256, 16, 65_536  # texts in a piece
SHORT_SECONDS, LONG_SECONDS = 5.0, 20.0  # a piece that took less was too narrow, one that took more too wide
NEXT = {
    RunPhase.PREPARE: RunPhase.READ,
    RunPhase.READ: RunPhase.FIT,
    RunPhase.FIT: RunPhase.LABEL,
    RunPhase.LABEL: RunPhase.FINISH,
}
SHARED = (RunPhase.READ, RunPhase.LABEL)  # phases of more than one piece
DIED = "The process that worked on it died, {} times."


class RunStopped(RuntimeError):
    """The run was paused, cancelled or ended; this process must stop writing."""


class ChunkLost(RuntimeError):
    """Another process has taken the piece, because nothing was heard of this one."""


def new_worker() -> str:
    """A name for this process, from which others can tell whether it lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


# --- Taking -----------------------------------------------------------------------------------------------------------


def take(run: LabelingRun, worker: str) -> RunChunk | None:
    """A piece of the run's phase for this process: one that somebody left, or a new one. None when there is none now.

    Raises RunStopped when the run is not to be worked on.
    """
    for chunk in run.chunks.filter(phase=run.phase, state__in=(ChunkState.OPEN, ChunkState.WORKING)).order_by("after"):
        if chunk.state == ChunkState.WORKING and is_held(chunk):
            continue
        if chunk.attempts >= MOST_ATTEMPTS:
            _leave(chunk, ChunkState.SET_ASIDE, error=chunk.error or DIED.format(chunk.attempts))
        elif _take_again(chunk, worker):
            return chunk
    return _hand_out(run, worker)


def _take_again(chunk: RunChunk, worker: str) -> bool:
    as_seen = RunChunk.objects.filter(
        pk=chunk.pk, state=chunk.state, worker=chunk.worker, heartbeat_at=chunk.heartbeat_at, attempts=chunk.attempts
    )
    taken = as_seen.filter(run__status=RunStatus.RUNNING).update(
        state=ChunkState.WORKING, worker=worker, heartbeat_at=timezone.now(), attempts=chunk.attempts + 1
    )
    chunk.refresh_from_db()
    return bool(taken)


def _hand_out(run: LabelingRun, worker: str) -> RunChunk | None:
    """The next piece of the phase. The one whose write of the cursor comes first has it."""
    while True:
        run.refresh_from_db(fields=["status", "phase", "cursor", "last_text_id", "sample_size"])
        if run.status != RunStatus.RUNNING:
            raise RunStopped(f"Run {run.pk} is {run.get_status_display().lower()}.")
        end = end_of(run)
        if run.cursor >= end:
            return None
        last = min(run.cursor + _width(run), end)
        try:
            with transaction.atomic():
                as_seen = LabelingRun.objects.filter(pk=run.pk, phase=run.phase, cursor=run.cursor)
                if as_seen.filter(status=RunStatus.RUNNING).update(cursor=last):
                    return RunChunk.objects.create(
                        run=run,
                        phase=run.phase,
                        after=run.cursor,
                        last=last,
                        reached=run.cursor,
                        worker=worker,
                        heartbeat_at=timezone.now(),
                    )
        except IntegrityError:  # a_chunk_begins_where_no_other_does
            continue


def end_of(run: LabelingRun) -> int:
    """Where the run's phase ends, as a `RunChunk.last`; 0: there is nothing to do in it."""
    if run.phase == RunPhase.LABEL:
        return run.last_text_id
    if run.phase == RunPhase.READ:
        return run.sample_size
    return 1 if run.phase != RunPhase.FIT or run.sample_size else 0


def _width(run: LabelingRun) -> int:
    """Twice or half as wide as the newest piece that is done, where that took too little or too long."""
    done = run.chunks.filter(phase=run.phase, state=ChunkState.DONE).order_by("-pk").first()
    if done is None or done.seconds is None:
        return FIRST
    width = done.last - done.after
    if done.seconds < SHORT_SECONDS:
        return min(2 * width, MOST)
    return max(width // 2, LEAST) if done.seconds > LONG_SECONDS else width


# --- Working ----------------------------------------------------------------------------------------------------------


def extend(chunk: RunChunk, *, reached: int | None = None, texts: int = 0) -> None:
    """Prove that this process lives, and keep how far it came, with so many texts more.

    Raises RunStopped, or ChunkLost when the piece is not its own any more.
    """
    come: dict[str, int] = {}
    if reached is not None:  # who takes the piece next begins there, with all attempts before it
        come = {"reached": reached, "texts": chunk.texts + texts, "attempts": 1}
    if not _mine(chunk).filter(run__status=RunStatus.RUNNING).update(heartbeat_at=timezone.now(), **come):
        status = LabelingRun.objects.values_list("status", flat=True).get(pk=chunk.run_id)
        if status != RunStatus.RUNNING:
            raise RunStopped(f"Run {chunk.run_id} is {RunStatus(status).label.lower()}.")
        raise ChunkLost(f"{chunk} was taken over by another process.")
    for name, value in come.items():
        setattr(chunk, name, value)


@transaction.atomic
def finish(chunk: RunChunk, *, seconds: float, **on_run: Any) -> None:
    """The piece is done; what it found out for the run is written with it. Raises ChunkLost."""
    done = _mine(chunk).update(state=ChunkState.DONE, seconds=seconds, heartbeat_at=timezone.now())
    if not done:
        raise ChunkLost(f"{chunk} was taken over by another process.")
    if on_run:
        LabelingRun.objects.filter(pk=chunk.run_id).update(**on_run)


def give_back(chunk: RunChunk) -> None:
    """Leave the piece to whoever comes next. It is no attempt: nothing went wrong."""
    _mine(chunk).update(state=ChunkState.OPEN, worker="", attempts=chunk.attempts - 1)


def fail(chunk: RunChunk, error: str) -> bool:
    """The attempt came to nothing; returns whether the piece is set aside for good."""
    is_over = chunk.attempts >= MOST_ATTEMPTS
    _leave(chunk, ChunkState.SET_ASIDE if is_over else ChunkState.OPEN, error=error)
    return is_over


def _leave(chunk: RunChunk, state: ChunkState, *, error: str) -> None:
    _mine(chunk).update(state=state, worker="", error=error)


def _mine(chunk: RunChunk) -> Any:
    return RunChunk.objects.filter(pk=chunk.pk, state=chunk.state, worker=chunk.worker, attempts=chunk.attempts)


def advance(run: LabelingRun) -> bool:
    """Let the next phase begin if every piece of this one is done or set aside; whether there is something to do."""
    unfinished = run.chunks.filter(phase=run.phase, state__in=(ChunkState.OPEN, ChunkState.WORKING))
    if run.phase not in NEXT or run.cursor < end_of(run) or unfinished.exists():
        return False
    as_seen = LabelingRun.objects.filter(pk=run.pk, phase=run.phase, cursor=run.cursor, status=RunStatus.RUNNING)
    as_seen.update(phase=NEXT[RunPhase(run.phase)], cursor=0)
    run.refresh_from_db(fields=["status", "phase", "cursor"])
    return True


# --- Looking ----------------------------------------------------------------------------------------------------------


def is_held(chunk: RunChunk) -> bool:
    """Whether the process that took the piece still works on it."""
    if chunk.state != ChunkState.WORKING or chunk.heartbeat_at < timezone.now() - LEASE:
        return False
    host, pid, _ = chunk.worker.split(":")
    return host != socket.gethostname() or _process_lives(int(pid))


def count_held(run: LabelingRun) -> int:
    """How many processes work on the run right now."""
    return sum(is_held(chunk) for chunk in run.chunks.filter(state=ChunkState.WORKING))


def count_texts(run: LabelingRun, phase: RunPhase) -> int:
    """Texts that were gone through in a phase."""
    return run.chunks.filter(phase=phase).aggregate(texts=Sum("texts"))["texts"] or 0


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, under another user
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # only Linux tells
        return True
    return state != "Z"  # killed, but its parent has not looked
