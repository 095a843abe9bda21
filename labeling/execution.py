"""The work of a run: fit a head when none holds, then label piece after piece, in as many processes as there are.

Models are called outside of transactions; what they said of some hundred texts is written in one. Whatever stops a
process, the rows say where the next one goes on.
"""

import logging
import time
from collections.abc import Callable

from django.db import Error, InterfaceError, OperationalError, connection

from labeling import chunks, runs
from labeling.choices import RunPhase
from labeling.chunks import ChunkLost, RunStopped
from labeling.models import LabelingRun, RunChunk
from labeling.phases import Work
from labeling.providers.base import ProviderError

logger = logging.getLogger(__name__)

GIVE_BACK_PAUSES = (0.5, 2.0, 5.0)  # seconds
LOOK_SECONDS = 0.5  # while other processes have the last pieces of a phase

Progress = Callable[[str, int, int], None]  # phase, texts done, texts in all
IsOver = Callable[[], bool]


class OutOfTime(Exception):
    """This process has to leave the run to others, or to itself a little later."""


def ignore_progress(phase: str, done: int, total: int) -> None:
    """For callers that show nothing."""


def never() -> bool:
    """For callers that wait until the run is finished."""
    return False


def execute(
    run: LabelingRun, *, on_progress: Progress = ignore_progress, is_over: IsOver = never, patience: float | None = None
) -> bool:
    """Work on the run until it is finished; True then. `is_over` may say that the time is up: False.

    While other processes have all there is to do, it waits, for at most `patience` seconds if given, and leaves it to
    them: True. Raises RunStopped when the run is paused or cancelled, ProviderError when going on is useless (the run
    is then failed, with the reason), and what the database raises when it is out of reach: then the run goes on when
    somebody works on it again. What a person interrupts is paused.
    """
    runs.begin(run)
    work = Work(run, on_progress)
    worker = chunks.new_worker()
    idle_since: float | None = None
    try:
        while not run.is_finished:
            if is_over():
                return False
            chunk = chunks.take(run, worker, on_set_aside=work.give_up)
            if chunk is not None:
                idle_since = None
                run.refresh_from_db()  # another process may have fitted the classifier
                _carry_out(work, chunk, is_over)
                run.refresh_from_db()
            elif chunks.is_done(run):
                _go_on(run)
            else:
                idle_since = idle_since or time.monotonic()
                if patience is not None and time.monotonic() - idle_since > patience:
                    return True
                time.sleep(LOOK_SECONDS)
                run.refresh_from_db()
        return True
    except OutOfTime:
        return False
    except RunStopped:
        runs.settle(run)
        raise
    except KeyboardInterrupt:
        runs.pause(run)
        raise
    finally:
        run.refresh_from_db()


def _go_on(run: LabelingRun) -> None:
    """After the last piece of a phase: the next phase, or the end. Any process may come to this, also a second time."""
    if missing := chunks.missing(run):
        runs.fail(run, f"{missing.get_phase_display()} failed {missing.attempts} times. {missing.error}")
    elif run.phase == RunPhase.FINISH:
        runs.finish(run)
    else:
        chunks.advance(run)


def _carry_out(work: Work, chunk: RunChunk, is_over: IsOver) -> None:
    """Do one piece, and write what became of it."""

    def keep_on(reached: int | None = None, texts: int = 0) -> None:
        chunks.extend(chunk, reached=reached, texts=texts)
        if is_over():
            raise OutOfTime

    begun = time.monotonic()
    try:
        found = work.do(chunk, keep_on)
        chunks.finish(chunk, seconds=time.monotonic() - begun, **found)
    except ChunkLost as reason:
        logger.warning("Run %s: %s", chunk.run_id, reason)
    except ProviderError as error:
        chunks.fail(chunk, str(error))
        runs.fail(work.run, str(error))
        raise
    except (OutOfTime, RunStopped, KeyboardInterrupt, OperationalError, InterfaceError):
        _give_back(chunk)  # not the piece's fault
        raise
    except Exception as error:  # a text that a model or a library breaks on must not stop all others
        logger.exception("Run %s: %s failed", chunk.run_id, chunk)
        if chunks.fail(chunk, f"{type(error).__name__}: {error}"):
            work.give_up(chunk)


def _give_back(chunk: RunChunk) -> None:
    """Also by a new connection, when the old one was lost. Without a database the piece waits for its lease to end."""
    for pause in GIVE_BACK_PAUSES:
        try:
            return chunks.give_back(chunk)
        except Error as error:
            logger.warning("%s could not be given back: %s", chunk, error)
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(pause)
    return None
