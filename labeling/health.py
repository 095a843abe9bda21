"""Whether this process can do its work, for operators and load balancers: words without secrets."""

from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from labeling import workers

TIMEOUT_SECONDS = 2.0
FINE = "ok"


@dataclass(frozen=True)
class Health:
    """Each part is "ok" or says what is wrong. Pages are served without a worker too, so that it decides nothing."""

    database: str
    broker: str
    worker: str

    @property
    def is_ready(self) -> bool:
        return self.database == FINE and self.broker == FINE


def look() -> Health:
    """Asks the database and the broker now. An error's own words stay in the log: they may name hosts and users."""
    database = _database()
    return Health(database, _broker(database), _worker() if database == FINE else "unknown")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "cannot be reached"
    return FINE


def _broker(database: str) -> str:
    if not settings.Q_BROKER_URL:
        return database  # it is the broker
    try:
        with redis.from_url(
            settings.Q_BROKER_URL, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError:
        return "cannot be reached"
    return FINE


def _worker() -> str:
    alive = set(workers.alive().values_list("cluster", flat=True))
    missing = [kind for kind in workers.KINDS if kind not in alive]
    return f"none running for {', '.join(missing)}" if missing else FINE
