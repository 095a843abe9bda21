"""The life of a labeling run: start, take, release, finish. The work itself is in `labeling.execution`.

A run belongs to one process at a time. The process proves that it lives by a heartbeat; when it dies, the next one
takes the run over and goes on where the rows say it stopped.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from labeling import queueing
from labeling.choices import UNFINISHED_RUNS, RunOrigin, RunStatus, TextStatus
from labeling.models import LabelingRun, Project, Text

LEASE = timedelta(minutes=3)  # a slow model may need a minute for one chunk


class NoActiveCategories(ValueError):
    """The project has no category that a label could name."""


class NothingToLabel(ValueError):
    """Every text of the project has the label this run would give."""


class RunInProgress(RuntimeError):
    """Another process is labeling this project."""


class RunTakenAway(RuntimeError):
    """The run was cancelled, or another process took it over; this process must stop writing."""


@dataclass(frozen=True)
class Lease:
    """The right of this process to work on one run."""

    run_id: int
    worker: str

    def extend(self, **reached: int) -> None:
        """Prove that this process lives, and keep how far it came. Raises RunTakenAway when the run is not its own."""
        mine = LabelingRun.objects.filter(pk=self.run_id, worker=self.worker, status=RunStatus.RUNNING)
        if not mine.update(heartbeat_at=timezone.now(), **reached):
            raise RunTakenAway(f"Run {self.run_id} was stopped or taken over by another process.")


# --- Start ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def start(
    project: Project,
    *,
    provider: str = "",
    limit: int | None = None,
    relabel: bool = False,
    text_ids: list[int] | None = None,
    origin: RunOrigin = RunOrigin.REQUESTED,
    user: AbstractBaseUser | None = None,
) -> LabelingRun:
    """Write a queued run with the settings as they are now: over the whole project, or over the texts picked.

    Raises NoActiveCategories, NothingToLabel, or RunInProgress when the project has an unfinished run.
    """
    categories = project.active_categories()
    if not categories:
        raise NoActiveCategories(
            f"Project {project} has no active categories. Add some in the admin, or create the project with "
            "manage.py create_project NAME --categories FILE.json."
        )
    run = LabelingRun(
        project=project,
        provider=provider or project.provider_alias,
        limit=limit,
        relabel=relabel,
        origin=origin,
        text_ids=text_ids,
        threshold=project.threshold,
        audit_share=project.audit_share,
        categories=[{"id": c.pk, "name": c.name, "description": c.description} for c in categories],
        created_by_id=user.pk if user else None,
    )
    _reach(run)
    if not run.total:
        raise NothingToLabel(f"Project {project} has no text to label.")
    return _insert(run)


def start_or_resume(
    project: Project, *, provider: str = "", limit: int | None = None, relabel: bool = False
) -> LabelingRun:
    """The project's unfinished run of the same kind, extended to the texts there are now; otherwise a new run.

    An interrupted run of another kind is cancelled; one that waits for the worker is left to it. Raises what `start`
    raises.
    """
    run = unfinished(project)
    if run and run.status == RunStatus.RUNNING and is_alive(run):
        raise _in_progress(run)
    kind = (provider or project.provider_alias, relabel, None)
    if run and (run.provider, run.relabel, run.text_ids) == kind:
        run.limit = limit
        _reach(run)
        run.save(update_fields=["limit", "last_text_id", "total"])
        return run
    if run and run.status == RunStatus.QUEUED:
        raise RunInProgress(
            f"Run {run.pk} of project {project} waits for a worker. Start one with manage.py run_worker, or cancel "
            "the run in the admin."
        )
    if run:
        cancel(run)
    return start(project, provider=provider, limit=limit, relabel=relabel)


def _reach(run: LabelingRun) -> None:
    """Let the run end at the newest text there is."""
    newest = Text.objects.filter(project_id=run.project_id).order_by("-pk").values_list("pk", flat=True).first()
    run.last_text_id = newest or 0
    waiting = Text.objects.of_run(run).count()
    done = run.done if run.pk else 0
    run.total = done + (waiting if run.limit is None else min(waiting, run.limit))


def _insert(run: LabelingRun) -> LabelingRun:
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:  # one_unfinished_run_per_project
        raise RunInProgress(f"Project {run.project} has an unfinished run. Wait for it, or cancel it.") from error
    return run


@transaction.atomic
def start_in_background(project: Project, **options: Any) -> LabelingRun:
    """`start`, handed to the background worker in the same transaction: no run is written that nobody works on."""
    run = start(project, **options)
    queue(run)
    return run


def queue(run: LabelingRun) -> None:
    """Hand the run to the background worker. Queued twice, it is worked on once."""
    queueing.queue("labeling.tasks.carry_out", run.pk, group=f"run-{run.pk}")


def unfinished(project: Project) -> LabelingRun | None:
    return project.runs.filter(status__in=UNFINISHED_RUNS).first()


def cancel(run: LabelingRun) -> bool:
    """End the run; its labels stay. The process that works on it stops before its next chunk."""
    open_runs = LabelingRun.objects.filter(pk=run.pk, status__in=UNFINISHED_RUNS)
    return bool(open_runs.update(status=RunStatus.CANCELLED, finished_at=timezone.now()))


# --- Take and release -------------------------------------------------------------------------------------------------


def take(run: LabelingRun) -> Lease:
    """Make the run this process's own, by one conditional write. Raises RunInProgress when a living process has it."""
    lease = Lease(run.pk, f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    now = timezone.now()
    free = Q(status__in=[RunStatus.QUEUED, RunStatus.PAUSED]) | Q(
        status=RunStatus.RUNNING, worker=run.worker, heartbeat_at=run.heartbeat_at
    )
    if run.status == RunStatus.RUNNING and is_alive(run):
        raise _in_progress(run)
    taken = LabelingRun.objects.filter(free, pk=run.pk).update(
        status=RunStatus.RUNNING, worker=lease.worker, heartbeat_at=now, started_at=run.started_at or now
    )
    run.refresh_from_db()
    if not taken:
        raise _in_progress(run)
    return lease


def _in_progress(run: LabelingRun) -> RunInProgress:
    return RunInProgress(
        f"Run {run.pk} is labeling project {run.project} right now: {run.done} of {run.total} texts are done. "
        "Wait for it, or stop it where it was started."
    )


def is_alive(run: LabelingRun) -> bool:
    """Whether the process that took the run still works on it."""
    if run.heartbeat_at is None or run.heartbeat_at < timezone.now() - LEASE:
        return False
    host, pid, _ = run.worker.split(":")
    return host != socket.gethostname() or _process_exists(int(pid))


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it exists, under another user
    return True


def release(lease: Lease) -> None:
    """Give an interrupted run back, so that the next process goes on with it at once."""
    mine = LabelingRun.objects.filter(pk=lease.run_id, worker=lease.worker, status=RunStatus.RUNNING)
    mine.update(status=RunStatus.PAUSED, heartbeat_at=None)


# --- Finish -----------------------------------------------------------------------------------------------------------


def finish(lease: Lease, run: LabelingRun) -> None:
    """Close the run; texts that could not be labeled make it a success with failures."""
    failed = Text.objects.filter(project_id=run.project_id, status=TextStatus.FAILED, pk__lte=run.last_text_id)
    _close(lease, RunStatus.SUCCEEDED_WITH_FAILURES if failed.exists() else RunStatus.SUCCEEDED)


def fail(lease: Lease, error: str) -> None:
    """Close the run because going on is useless; `error` says what to change."""
    _close(lease, RunStatus.FAILED, error)


def _close(lease: Lease, status: RunStatus, error: str = "") -> None:
    mine = LabelingRun.objects.filter(pk=lease.run_id, worker=lease.worker, status=RunStatus.RUNNING)
    mine.update(status=status, error=error, finished_at=timezone.now(), heartbeat_at=None)
