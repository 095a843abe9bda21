"""The life of a labeling run: start, pause, resume, cancel, retry, finish.

Its work is in `labeling.execution`, its chunks in `labeling.chunks`.
"""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from labeling import chunks, prompts, queueing, workers
from labeling.choices import EXTENDABLE_RUNS, UNFINISHED_RUNS, ChunkState, RunOrigin, RunPhase, RunStatus, TextStatus
from labeling.chunks import RunStopped
from labeling.models import LabelingRun, Project, Text
from labeling.querysets import TextQuerySet

WHOLE = (RunOrigin.REQUESTED, RunOrigin.RELABEL)  # over all texts that have no label, or over all


class CannotStart(Exception):
    """Why no run was started, in words for whoever asked for one."""


class Archived(CannotStart):
    """The project is put away: nothing is labeled there."""


class NoActiveCategories(CannotStart):
    """The project has no category that a label could name."""


class NothingToLabel(CannotStart):
    """Every text of the project has the label this run would give."""


class RunInProgress(CannotStart):
    """A run is labeling this project."""


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

    Raises Archived, NoActiveCategories, NothingToLabel, or RunInProgress when the project has an unfinished run.
    """
    refuse_archived(project)
    if run := unfinished(project):
        raise _in_progress(run)
    if not project.active_categories():
        raise NoActiveCategories(
            f"Project {project} has no active categories. Add some on its page, under Categories, or create the "
            "project with manage.py create_project NAME --categories FILE.json."
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
        categories=project.category_snapshot(),
        prompt=prompts.snapshot(project),
        created_by_id=user.pk if user else None,
    )
    _reach(run)
    if not run.total:
        raise NothingToLabel(f"Project {project} has no text to label.")
    return _insert(run)


def refuse_archived(project: Project) -> None:
    """Before anything is asked or stored, whoever labels."""
    if project.is_archived:
        raise Archived(f"The project {project} is archived. Bring it back on its page, then label.")


def start_or_resume(
    project: Project, *, provider: str = "", limit: int | None = None, relabel: bool = False
) -> LabelingRun:
    """The project's unfinished run of the same kind, extended to the texts there are now; otherwise a new run.

    An interrupted run of another kind is cancelled; one that waits for the worker is left to it. Raises what `start`
    raises.
    """
    run = unfinished(project)
    if run and chunks.count_held(run):
        raise _in_progress(run)
    kind = (provider or project.provider_alias, relabel, None)
    if run and run.origin in WHOLE and (run.provider, run.relabel, run.text_ids) == kind:
        return _extended(run, limit)
    if run and run.status == RunStatus.RUNNING:
        raise _in_progress(run)
    if run and run.status == RunStatus.QUEUED:
        raise RunInProgress(
            f"Run {run.pk} of project {project} waits for a worker. Start one with manage.py run_worker, or cancel "
            "the run in the admin."
        )
    if run:
        cancel(run)
    return start(project, provider=provider, limit=limit, relabel=relabel)


@transaction.atomic
def reach_newest(run: LabelingRun) -> bool:
    """Let an unfinished run label also the texts that came since it was started. Whether it will.

    It will not when it labels only some texts, has labeled all and is about to end, or is being cancelled.
    """
    if run.origin not in WHOLE or run.text_ids is not None or run.limit is not None:
        return False
    newest = Text.objects.filter(project_id=run.project_id).aggregate(last=Max("pk"))["last"] or 0
    added = Text.objects.in_reach(run, last=newest).filter(pk__gt=run.last_text_id).count()
    # As seen: who lets the run go on to its next phase writes only where it ends where they saw it end.
    as_seen = LabelingRun.objects.filter(pk=run.pk, last_text_id=run.last_text_id, status__in=EXTENDABLE_RUNS)
    changed = as_seen.exclude(phase=RunPhase.FINISH).update(last_text_id=newest, total=F("total") + added)
    run.refresh_from_db()
    return bool(changed)


def _reach(run: LabelingRun) -> None:
    """Let the run end at the newest text there is, or at the last one within its limit."""
    newest = Text.objects.filter(project_id=run.project_id).aggregate(last=Max("pk"))["last"]
    run.last_text_id = max(run.text_ids) if run.text_ids else newest or 0
    waiting, gone_through = Text.objects.in_reach(run), 0
    if run.phase == RunPhase.LABEL:
        waiting, gone_through = waiting.filter(chunks.not_gone_through(run)), chunks.tally(run).texts
    count = waiting.count()
    if run.limit is not None and gone_through + count > run.limit:
        count = max(run.limit - gone_through, 0)
        run.last_text_id = waiting.order_by("pk").values_list("pk", flat=True)[count] - 1
    run.total = gone_through + count


@transaction.atomic
def _extended(run: LabelingRun, limit: int | None) -> LabelingRun:
    """The interrupted run, made to reach the texts that came meanwhile, and ready to be worked on.

    Raises RunInProgress when a process has come to it since it was read.
    """
    as_seen = LabelingRun.objects.filter(pk=run.pk, status=run.status, phase=run.phase, cursor=run.cursor)
    as_seen = as_seen.exclude(status=RunStatus.CANCELLING)
    run.limit = limit
    if run.phase == RunPhase.FINISH:  # it is labeled up to its end; there may be something to label again
        run.phase, run.cursor = RunPhase.LABEL, run.last_text_id
    _reach(run)
    if run.phase == RunPhase.LABEL:  # a limit may let it end before what was handed out
        run.cursor = min(run.cursor, run.last_text_id)
    changed = {name: getattr(run, name) for name in ("limit", "last_text_id", "total", "phase", "cursor")}
    # A process that is between two chunks just now goes on: both work on the run.
    status = run.status if run.status == RunStatus.RUNNING else RunStatus.QUEUED
    if not as_seen.update(**changed, status=status):
        raise _in_progress(run)
    if run.phase == RunPhase.LABEL:
        chunks.withdraw(run)
    run.refresh_from_db()
    return run


def _in_progress(run: LabelingRun) -> RunInProgress:
    done = chunks.tally(run).texts
    return RunInProgress(
        f"Run {run.pk} is labeling project {run.project} right now: {done} of {run.total} texts are done. "
        f"Wait for it, or pause it: on its page, by the API, or with manage.py runs pause {run.pk}."
    )


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


def queue(run: LabelingRun, *, processes: int | None = None) -> None:
    """Bring so many processes to the run, by default one of each background worker that is alive.

    Brought twice, they share its chunks, or find nothing to do.
    """
    LabelingRun.objects.filter(pk=run.pk).update(queued_at=timezone.now())
    for _ in range(processes or max(1, workers.alive(workers.LABELING).count())):
        queueing.queue("labeling.tasks.carry_out", run.pk, group=f"run-{run.pk}")


def unfinished(project: Project) -> LabelingRun | None:
    run = project.runs.filter(status__in=UNFINISHED_RUNS).first()
    return None if run and settle(run) else run


# --- Stop and go on ---------------------------------------------------------------------------------------------------


def pause(run: LabelingRun) -> bool:
    """Let the run rest; its processes leave their chunks within seconds. Whether there was something to pause."""
    return _change(run, RunStatus.PAUSED, (RunStatus.QUEUED, RunStatus.RUNNING))


@transaction.atomic
def resume(run: LabelingRun) -> bool:
    """Go on with a paused run in the background. Whether it was paused."""
    is_resumed = _change(run, RunStatus.QUEUED, (RunStatus.PAUSED,))
    if is_resumed:
        queue(run)
    return is_resumed


def cancel(run: LabelingRun) -> bool:
    """End the run; its labels stay. Its processes leave their chunks within seconds. Whether it was unfinished."""
    is_cancelled = _change(run, RunStatus.CANCELLING, (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED))
    return settle(run) or is_cancelled


def settle(run: LabelingRun) -> bool:
    """A run that is being cancelled ends when no process works on it any more; whether it has ended now."""
    run.refresh_from_db(fields=["status"])
    if run.status != RunStatus.CANCELLING or chunks.count_held(run):
        return False
    return _end(run, RunStatus.CANCELLED, RunStatus.CANCELLING)


def retry_failed(run: LabelingRun, *, user: AbstractBaseUser | None = None) -> LabelingRun:
    """A new run in the background over the texts that could not be labeled, and those only.

    Raises what `start` raises.
    """
    return start_in_background(run.project, provider=run.provider, origin=RunOrigin.RETRY, user=user)


def _change(run: LabelingRun, status: RunStatus, before: tuple[RunStatus, ...], **more: Any) -> bool:
    changed = LabelingRun.objects.filter(pk=run.pk, status__in=before).update(status=status, **more)
    run.refresh_from_db()
    return bool(changed)


# --- Begin and finish -------------------------------------------------------------------------------------------------


def begin(run: LabelingRun) -> None:
    """A process comes to the run. Raises RunStopped when it is not to be worked on."""
    _change(run, RunStatus.RUNNING, (RunStatus.QUEUED,), started_at=run.started_at or timezone.now())
    if run.status != RunStatus.RUNNING:
        raise RunStopped(f"Run {run.pk} is {run.get_status_display().lower()}.")
    LabelingRun.objects.filter(pk=run.pk).exclude(error="").update(error="")


def note_trouble(run: LabelingRun, reason: str) -> None:
    """Keep why a process had to leave the run; forgotten when one comes to it again."""
    LabelingRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(error=reason)


def is_at_work(run: LabelingRun) -> bool:
    """Whether nobody has stopped it since it was read."""
    return LabelingRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).exists()


def finish(run: LabelingRun) -> None:
    """Close the run; texts that could not be labeled make it a success with failures."""
    has_failures = chunks.tally(run).failed > 0 or run.chunks.filter(state=ChunkState.SET_ASIDE).exists()
    _close(run, RunStatus.SUCCEEDED_WITH_FAILURES if has_failures else RunStatus.SUCCEEDED)


def failed_texts(run: LabelingRun) -> TextQuerySet:
    """The texts in the run's reach that could not be labeled, by this run or before."""
    failed = Text.objects.filter(project_id=run.project_id, status=TextStatus.FAILED, pk__lte=run.last_text_id)
    return failed if run.text_ids is None else failed.filter(pk__in=run.text_ids)


def fail(run: LabelingRun, error: str) -> None:
    """Close the run because going on is useless; `error` says what to change."""
    _close(run, RunStatus.FAILED, error=error)


def _close(run: LabelingRun, status: RunStatus, error: str = "") -> None:
    _end(run, status, RunStatus.RUNNING, error=error)


@transaction.atomic
def _end(run: LabelingRun, status: RunStatus, before: RunStatus, **more: Any) -> bool:
    """With the word that who started it is to be told. Whether it ended by this call."""
    has_ended = _change(run, status, (before,), finished_at=timezone.now(), **more)
    if has_ended and run.created_by_id:
        queueing.queue("labeling.tasks.tell", run.pk, cluster=workers.INTERACTIVE)
    return has_ended
