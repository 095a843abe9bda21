"""The work of a run: fit a head when none holds, then label chunk after chunk, in as many processes as there are.

Models are called outside of transactions; what they said of some hundred texts is written in one. Whatever stops a
process, the rows say where the next one goes on.
"""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import Error, InterfaceError, OperationalError, connection

from labeling import chunks, runs
from labeling.choices import SUCCESSFUL_RUNS, ChunkState, RunPhase, RunStatus
from labeling.chunks import ChunkLost, RunStopped, Step
from labeling.models import LabelingRun, RunChunk
from labeling.phases import Progress, Work
from labeling.providers.base import ProviderError, ServerDown

logger = logging.getLogger(__name__)

GIVE_BACK_PAUSES = (0.5, 2.0, 5.0)  # seconds
LOOK_SECONDS = 0.5  # while other processes have the last chunks of a phase
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0  # seconds, for what passes by itself
WORKED_OUT = (*SUCCESSFUL_RUNS, RunStatus.FAILED)  # how a run ends that nobody stops

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
    somebody works on it again. While the provider's server is down it waits. What a person interrupts is paused.
    """
    try:
        runs.begin(run)
        with _few_objects_to_collect():
            return _take_parts(Work(run, on_progress), is_over, patience)
    except OutOfTime:
        return False
    except ProviderError as error:
        runs.fail(run, str(error))
        raise
    except RunStopped:
        runs.settle(run)
        if run.status not in WORKED_OUT:
            raise
        return True  # another process came to the end of it since this one last looked
    except KeyboardInterrupt:
        runs.pause(run)
        raise
    except (OperationalError, InterfaceError) as error:
        _note_trouble(run, error)
        raise
    finally:
        run.refresh_from_db()


@contextmanager
def _few_objects_to_collect() -> Iterator[None]:
    """The garbage collector leaves alone what is there already.

    That is a quarter of a million objects of Django and the program that outlive the run; going through them each time
    took a sixth of what a run from cached vectors computes.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _note_trouble(run: LabelingRun, error: Error) -> None:
    """Where the database can still write, the run's page says why nobody works on it now."""
    reason = " ".join(str(error).split()).rstrip(".")  # libpq writes several lines
    with suppress(Error):
        runs.note_trouble(run, f"The database failed: {reason}. When it works again, the run goes on by itself.")


def _take_parts(work: Work, is_over: IsOver, patience: float | None) -> bool:
    """Take part after part until the run is finished, or others have what is left; False when the time is up."""
    worker = chunks.new_worker()
    idle_since: float | None = None
    while not work.run.is_finished:
        if is_over():
            return False
        if _take_part(work, worker, is_over):
            idle_since = None
            continue
        idle_since = idle_since or time.monotonic()
        if patience is not None and time.monotonic() - idle_since > patience:
            return True
        time.sleep(LOOK_SECONDS)
    return True


def _take_part(work: Work, worker: str, is_over: IsOver) -> bool:
    """Do one chunk, or begin the next phase. False while others have all there is to do."""
    run = work.run
    chunk = chunks.take(run, worker, on_set_aside=work.give_up)
    run.refresh_from_db()  # also what other processes found out, such as the classifier
    if chunk is not None:
        _carry_out(work, chunk, is_over)
    elif chunks.is_done(run):
        _go_on(run)
    else:
        return False
    run.refresh_from_db()
    return True


def _go_on(run: LabelingRun) -> None:
    """After the last chunk of a phase: the next phase, or the end. Any process may come to this, also a second time."""
    if missing := chunks.missing(run):
        runs.fail(run, f"{missing.get_phase_display()} failed {missing.attempts} times. {missing.error}")
    elif run.phase == RunPhase.FINISH:
        runs.finish(run)
    else:
        chunks.advance(run)


def _carry_out(work: Work, chunk: RunChunk, is_over: IsOver) -> None:
    """Do one chunk, and write what became of it. Raises ProviderError when going on is useless."""

    since = time.monotonic()

    def keep_on(step: Step | None = None) -> None:
        nonlocal since
        seconds, since = time.monotonic() - since, time.monotonic() if step else since
        chunks.extend(chunk, step, seconds=seconds)
        if step and work.wait_seconds:
            work.wait_seconds = 0.0
            runs.note_trouble(work.run, "")
        if step and is_over():  # anywhere else the next turn would begin with the same, and end there again
            raise OutOfTime

    try:
        chunks.finish(chunk, **work.do(chunk, keep_on))
    except ChunkLost as reason:
        logger.warning("Run %s: %s", chunk.run_id, reason)
    except ServerDown as error:
        _give_back(chunk)  # not the chunk's fault either
        _wait(work, f"{error} The run waits for the server, and goes on by itself.", is_over)
    except ProviderError as error:
        _fail(work, chunk, str(error))
        if error.permanent:
            raise
        _wait(work, f"{error} The run tries again by itself.", is_over)
    except (OutOfTime, RunStopped, KeyboardInterrupt, OperationalError, InterfaceError):
        _give_back(chunk)  # not the chunk's fault
        raise
    except Exception as error:  # what one chunk breaks on must not stop all others
        logger.exception("Run %s: %s failed", chunk.run_id, chunk)
        _fail(work, chunk, f"{type(error).__name__}: {error}")


def _fail(work: Work, chunk: RunChunk, reason: str) -> None:
    """The attempt came to nothing. Raises ProviderError when that is so of all texts."""
    chunks.fail(chunk, reason, on_set_aside=work.give_up)
    if chunk.state == ChunkState.SET_ASIDE:
        work.refuse_to_go_on_in_vain()


def _wait(work: Work, reason: str, is_over: IsOver) -> None:
    """Each time twice as long, unless the run is to rest."""
    work.wait_seconds = min(2 * work.wait_seconds, LONGEST_WAIT) or FIRST_WAIT
    logger.warning("Run %s waits %.0f s: %s", work.run.pk, work.wait_seconds, reason)
    runs.note_trouble(work.run, reason)
    until = time.monotonic() + work.wait_seconds
    while time.monotonic() < until and not is_over() and runs.is_at_work(work.run):
        time.sleep(LOOK_SECONDS)


def _give_back(chunk: RunChunk) -> None:
    """Also by a new connection, when the old one was lost. Without a database the chunk waits for its lease to end."""
    for pause in GIVE_BACK_PAUSES:
        try:
            return chunks.give_back(chunk)
        except Error as error:
            logger.warning("%s could not be given back: %s", chunk, error)
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(pause)
    return None
