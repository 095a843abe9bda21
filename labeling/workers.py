"""Signs of life of the background workers: what supervisors and pages go by.

A supervisor says that it lives; a task says that it is being carried out. The broker's own signs are not used: it
believes in workers that hang, and forgets tasks of workers that were killed.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from labeling.models import Worker

logger = logging.getLogger(__name__)

LABELING, INTERACTIVE = settings.Q_CLUSTERS  # for runs, and for short work that people wait for
LEARNING = "learning"  # keeps the review queues in order; takes no tasks
KINDS = (LABELING, INTERACTIVE, LEARNING)
SILENCE = timedelta(seconds=15)  # a supervisor that was not seen for so long is gone
BEAT_SECONDS = 5.0
NONE_RUNNING = "No background worker is running, so it waits. Start one with: python manage.py run_worker"


def alive(cluster: str | None = None) -> QuerySet[Worker]:
    """The workers whose supervisor was seen lately."""
    workers = Worker.objects.filter(seen_at__gt=timezone.now() - SILENCE, is_stopping=False)
    return workers if cluster is None else workers.filter(cluster=cluster)


def is_stopping() -> bool:
    """Whether the worker that this process belongs to has been told to end, or its row is gone."""
    if not settings.WORKER_ID:
        return False
    return not Worker.objects.filter(pk=settings.WORKER_ID, is_stopping=False).exists()


def key_mark() -> str:
    """Tells the SECRET_KEY, with which tasks are signed, from another one, and reveals nothing of it."""
    return salted_hmac("labeling.workers", "key", algorithm="sha256").hexdigest()[:16]


def leads(kind: str) -> bool:
    """Whether this process is the one, of all machines, that does work of which once is enough."""
    first = alive(kind).order_by("pk").values_list("pk", flat=True).first
    return not settings.WORKER_ID or first() == settings.WORKER_ID


def beat() -> None:
    """Say that this process lives and works; outside of a worker this does nothing."""
    if settings.WORKER_ID:
        Worker.objects.filter(pk=settings.WORKER_ID).update(worked_at=timezone.now())


@contextmanager
def at_work() -> Iterator[None]:
    """Say that a task is being carried out, until it ends; outside of a worker this does nothing."""
    if not settings.WORKER_ID:
        yield
        return
    ended = threading.Event()
    beating = threading.Thread(target=_keep_beating, args=(ended,), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()


def _keep_beating(ended: threading.Event) -> None:
    try:
        while True:
            try:
                beat()
            except Error as error:  # the database may come back; the task itself will tell if it does not
                logger.warning("Worker %s could not say that it works: %s", settings.WORKER_ID, error)
                connection.close()
            if ended.wait(BEAT_SECONDS):
                return
    finally:
        connection.close()  # each thread has its own
