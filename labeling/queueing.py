"""Hands work to the background, by dotted name and with ids, from inside the transaction that creates the work."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task


def queue(task: str, *ids: int, **options: Any) -> None:
    """Queue a task for a worker. Queued twice, it must do its work once.

    With the database as broker the task is a row of the same transaction: both are kept, or none. Redis would hand it
    out before the rows can be seen, so there it is queued when they are written.
    """
    if settings.Q_BROKER_URL:
        transaction.on_commit(partial(async_task, task, *ids, **options))
    else:
        async_task(task, *ids, **options)
