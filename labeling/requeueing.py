"""Finds runs that the broker has lost, and brings processes to them again.

Redis forgets a task whose worker was killed, and all tasks when it is flushed; the rows of the runs tell what is
missing. So this goes by what is done, and not by what was queued.
"""

from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django_q.brokers import get_broker

from labeling import chunks, runs, workers
from labeling.choices import WORKED_ON_RUNS, ChunkState, RunStatus
from labeling.models import LabelingRun
from labeling.queueing import LONG_REST, REST


def requeue(*, rest: timedelta = REST) -> list[LabelingRun]:
    """Queue every run that is short of processes; returns those runs.

    Not while a task waits in the queue, which may be what seems to be missing, except for runs that nobody has come to
    for LONG_REST. A run that nobody works on is given `rest` since its last sign of life. Also ends runs that were
    cancelled and whose processes are gone.
    """
    for run in LabelingRun.objects.filter(status=RunStatus.CANCELLING):
        runs.settle(run)
    unfinished = list(LabelingRun.objects.filter(status__in=WORKED_ON_RUNS).order_by("pk"))
    if get_broker(workers.LABELING).queue_size():
        short = [run for run in unfinished if _is_forgotten(run)]
    else:
        short = [run for run in unfinished if _is_short(run, rest)]
    for run in short:
        runs.queue(run, processes=1)
    return short


def _is_forgotten(run: LabelingRun) -> bool:
    brought = run.queued_at or run.created_at
    return not chunks.count_held(run) and max(brought, _last_sign(run)) < timezone.now() - LONG_REST


def is_any_idle() -> bool:
    """Whether a run waits that nobody works on."""
    return any(not chunks.count_held(run) for run in LabelingRun.objects.filter(status__in=WORKED_ON_RUNS))


def _is_short(run: LabelingRun, rest: timedelta) -> bool:
    """Whether nobody works on it, or fewer than there are workers."""
    at_work = list(run.chunks.filter(state=ChunkState.WORKING))
    held = sum(map(chunks.is_held, at_work))
    if held:
        is_more = held < len(at_work) or run.cursor < chunks.end_of(run)
        return is_more and run.phase in chunks.SHARED and held < workers.alive(workers.LABELING).count()
    return bool(at_work) or _last_sign(run) < timezone.now() - rest  # a chunk whose process is known to be dead


def _last_sign(run: LabelingRun) -> datetime:
    beat = run.chunks.aggregate(last=Max("heartbeat_at"))["last"]
    return max(when for when in (run.created_at, run.started_at, beat) if when)
