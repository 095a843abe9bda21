"""What operators are told."""

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client

from labeling import health, workers
from labeling.models import Worker

NOBODY = "redis://:a-secret@127.0.0.1:1/0"  # no server listens on port 1


def test_all_is_well_with_a_worker(client: Client, db: None) -> None:
    for kind in workers.KINDS:
        Worker.objects.create(host="here", cluster=kind, supervisor_pid=1)
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok"}


def test_without_a_worker_pages_are_served_still(client: Client, db: None) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["worker"] == "none running for labeling, interactive, learning"


def test_work_that_nobody_does_is_named(client: Client, db: None) -> None:
    Worker.objects.create(host="with a graphics card", cluster=workers.LABELING, supervisor_pid=1)
    assert client.get("/health").json()["worker"] == "none running for interactive, learning"


def test_a_broker_that_is_gone_is_named_without_secrets(client: Client, db: None, settings: LazySettings) -> None:
    settings.Q_BROKER_URL = NOBODY
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["broker"] == "cannot be reached"
    assert "secret" not in answer.content.decode()


def test_a_database_that_is_gone_makes_it_unready_but_not_dead(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError('connection to "db.internal" as user "labeling" failed')

    with monkeypatch.context() as patch:
        patch.setattr(health.connection, "cursor", refuse)
        answer = client.get("/health")
        assert client.get("/health/live").json() == {"status": "ok"}
    assert answer.status_code == 503
    assert answer.json()["worker"] == "unknown"
    assert "internal" not in answer.content.decode()


def test_an_address_with_a_slash_is_answered_as_well(client: Client, db: None) -> None:
    assert client.get("/health/").json() == client.get("/health").json()
    assert client.get("/health/live/").json() == client.get("/health/live").json()
