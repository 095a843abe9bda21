"""Hands work to the background, by dotted name and with ids, from inside the transaction that creates the work."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

REST = timedelta(seconds=30)  # without a sign of life; a worker that starts needs some of it to load its model
LONG_REST = timedelta(minutes=10)  # the same while other tasks wait, one of which may be its own


def queue(task: str, *ids: int, **options: Any) -> None:
    """Queue a task for a worker. Queued twice, it must do its work once.

    With the database as broker the task is a row of the same transaction: both are kept, or none. Redis would hand it
    out before the rows can be seen, so there it is queued when they are written.
    """
    if settings.Q_BROKER_URL:
        transaction.on_commit(partial(async_task, task, *ids, **options))
    else:
        async_task(task, *ids, **options)


def lost_before(cluster: str, rest: timedelta = REST) -> datetime:
    """Work whose last sign of life is older has to be queued again: the broker may have lost its task."""
    waits = get_broker(cluster).queue_size()
    return timezone.now() - (max(rest, LONG_REST) if waits else rest)
