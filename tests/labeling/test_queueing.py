import pytest
from django.conf import LazySettings
from django.db import transaction
from django_q.models import OrmQ

from labeling import queueing

TASK = "labeling.tasks.learn"


@pytest.mark.django_db(transaction=True)
def test_a_task_is_gone_with_the_transaction_that_queued_it() -> None:
    with transaction.atomic():
        queueing.queue(TASK, 1)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_with_redis_a_task_is_queued_only_once_its_rows_can_be_seen(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.Q_BROKER_URL = "redis://127.0.0.1:6379/0"
    queued: list[tuple[object, ...]] = []
    monkeypatch.setattr(queueing, "async_task", lambda *args, **options: queued.append(args))
    with transaction.atomic():
        queueing.queue(TASK, 1)
        assert queued == []
    assert queued == [(TASK, 1)]
