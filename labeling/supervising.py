"""Keeps background processes at work: starts them, ends them, and starts again what died or hangs.

The clusters of django-q2 run in process groups of their own and are watched from outside, because they cannot watch
themselves: killing an idle worker leaves a lock taken for ever, and killing the main process leaves children that go on
taking tasks. So a group is judged by what it does, not by what it says, and is only ever ended as a whole.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from redis import RedisError

from labeling import merging, processes, queueing, requeueing, uploads, workers
from labeling.models import Worker

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
REQUEUE_SECONDS = 5.0  # django-q2 fetches a task ahead: one process may sit on the task of another that is idle
STUCK_AFTER = timedelta(seconds=15)  # tasks wait and none is carried out
SILENT_AFTER = timedelta(minutes=5)  # of what looks for its work itself; reading a large project takes a while
BEAT = timedelta(seconds=workers.BEAT_SECONDS)
GRACE_SECONDS = 30.0  # for what is being done to be finished


class AnotherKey(RuntimeError):
    """Workers of this database sign tasks with another SECRET_KEY: each would throw away what the other queued."""


class Group:
    """Processes that do one kind of work on this machine. `command` starts them, with their worker's id in the
    environment; the kind is the cluster whose tasks they take, or `workers.LEARNING`."""

    def __init__(self, kind: str, command: Sequence[str]) -> None:
        self.kind = kind
        self.command = command
        self.worker = Worker.objects.create(
            host=processes.this_machine(), cluster=kind, supervisor_pid=os.getpid(), key_mark=workers.key_mark()
        )
        self._start()

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def look(self) -> bool:
        """Say that the group is watched, and start it again when it died or hangs; whether it was."""
        reason = self._trouble()
        if reason:
            self.restart(reason)
        if timezone.now() - self.worker.seen_at > BEAT:  # not at every look: each write waits for the disk
            self.worker.seen_at = timezone.now()
            Worker.objects.filter(pk=self.worker.pk).update(seen_at=self.worker.seen_at)
        return bool(reason)

    def _trouble(self) -> str:
        if self.is_dead:
            return "its main process died"
        self.worker.refresh_from_db(fields=["worked_at"])
        return "work waits and it does none" if self.hangs() else ""

    def hangs(self) -> bool:
        """Whether it has shown no sign of life for long, be there work or not."""
        return timezone.now() - self._last_sign() > SILENT_AFTER

    def _last_sign(self) -> datetime:
        return max(self.waiting_since, self.worker.worked_at or self.waiting_since)

    def restart(self, reason: str) -> None:
        logger.warning("Worker %s (%s) is started again: %s", self.worker.pk, self.kind, reason)
        self._kill()
        self.worker.restarts += 1
        self._start()

    def ask_to_stop(self) -> None:
        """Tell the group to finish what it does and take nothing more."""
        with suppress(Error):  # a database that is gone must not keep the processes alive
            Worker.objects.filter(pk=self.worker.pk).update(is_stopping=True)
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Wait for the group until `deadline` (of `time.monotonic`), then end what is left of it."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        self._kill()
        with suppress(Error):
            Worker.objects.filter(pk=self.worker.pk).delete()

    def _start(self) -> None:
        environment = (f"Q_CLUSTER_NAME={self.kind}", f"LABELING_WORKER_ID={self.worker.pk}")
        self.process = subprocess.Popen(["env", *environment, *self.command], start_new_session=True)
        self.waiting_since = timezone.now()
        self.worker.group_pid = self.process.pid
        self.worker.worked_at = None
        self.worker.save(update_fields=["group_pid", "worked_at", "restarts"])

    def _kill(self) -> None:
        processes.kill_group(self.process.pid)
        self.process.wait()


class Cluster(Group):
    """The processes of one of django-q2's clusters, which is idle while no task waits."""

    def __init__(self, kind: str, command: Sequence[str]) -> None:
        super().__init__(kind, command)
        self.broker = get_broker(kind)

    def hangs(self) -> bool:
        """Whether tasks have been waiting for a while in which none was carried out here."""
        now = timezone.now()
        if not self._work_waits(now):
            self.waiting_since = now
            return False
        return now - self._last_sign() > STUCK_AFTER

    def _work_waits(self, now: datetime) -> bool:
        """Tasks in the queue, or fetched from it and in nobody's hands: a group that hangs fetches one or two first.

        Redis does not tell what was fetched; there the runs do.
        """
        if self.broker.queue_size():
            return True
        if Worker.objects.filter(cluster=self.kind, worked_at__gt=now - 2 * BEAT).exists():
            return False
        return bool(self.broker.lock_size()) or (self.kind == workers.LABELING and requeueing.is_any_idle())

    def restart(self, reason: str) -> None:
        super().restart(reason)
        self._give_back()

    def _give_back(self) -> None:
        """Let what the group had fetched be fetched again, by anybody. Every task may run twice, so others' may come
        back as well. On Redis a fetched task is gone: there the rows of the work tell what is missing."""
        if isinstance(self.broker, ORM):
            OrmQ.objects.filter(key=self.broker.list_key, lock__gt=timezone.now()).update(lock=timezone.now())


def supervise(commands: dict[str, Sequence[str]], *, is_over: Callable[[], bool]) -> None:
    """Run a group for each kind of work (its name -> the command) until `is_over`; then end them, their tasks
    finished. Raises AnotherKey when other workers have another SECRET_KEY."""
    end_leftovers()
    _require_same_key()
    groups = [_group_for(kind)(kind, command) for kind, command in commands.items()]
    requeued_at = time.monotonic()
    try:
        while not is_over():
            restarted = [_look(group) for group in groups]
            if any(restarted) or time.monotonic() > requeued_at + REQUEUE_SECONDS:
                requeued_at = time.monotonic()
                # What a group of ours had fetched is lost with it: no need to wait and see.
                _requeue(timedelta(0) if any(restarted) else queueing.REST)
            time.sleep(LOOK_SECONDS)
    finally:
        for group in groups:
            group.ask_to_stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for group in groups:
            group.end(deadline)


def _require_same_key() -> None:
    other = workers.alive().exclude(key_mark=workers.key_mark()).first()
    if other is not None:
        raise AnotherKey(
            f"The worker of {other.host} has another SECRET_KEY. Set the same one in .env on every machine: tasks are "
            "signed with it, and one's tasks would be lost to the other."
        )


def _group_for(kind: str) -> type[Group]:
    return Cluster if kind in settings.Q_CLUSTERS else Group


def _look(group: Group) -> bool:
    try:
        close_old_connections()
        return group.look()
    except (Error, RedisError) as error:  # the database or the broker is being restarted: the processes go on meanwhile
        logger.warning("Worker %s cannot be looked after now: %s", group.worker.pk, error)
        return False


def _requeue(rest: timedelta) -> None:
    try:
        for run in requeueing.requeue(rest=rest):
            logger.warning("Run %s is queued again: fewer processes than could work on it", run.pk)
        for record in uploads.requeue(rest=rest):
            logger.warning("Import %s is queued again: nobody works on it", record.pk)
        for merge in merging.requeue(rest=rest):
            logger.warning("Merge %s is queued again: its labels have stopped to follow", merge.pk)
    except (Error, RedisError) as error:
        logger.warning("Work cannot be looked after now: %s", error)


def end_leftovers() -> None:
    """End groups of this machine whose supervisor was killed, and forget workers that were not seen for a day."""
    Worker.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()
    for worker in Worker.objects.filter(host=processes.this_machine()):
        if processes.runs_command(worker.supervisor_pid, "run_worker"):
            continue
        if worker.group_pid and processes.group_runs_command(worker.group_pid, "manage.py"):
            processes.kill_group(worker.group_pid)
        worker.delete()
