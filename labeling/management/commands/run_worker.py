"""manage.py run_worker: background work, kept going."""

import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import supervising, workers


class Command(BaseCommand):
    help = "Carry out background work until Ctrl-C or SIGTERM; what dies or hangs is started again."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = list(commands())
        parser.add_argument("--only", action="append", choices=kinds, help="Only this kind of work; repeatable.")

    def handle(self, *, only: list[str] | None, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        chosen = {kind: command for kind, command in commands().items() if kind in (only or commands())}
        try:
            supervising.supervise(chosen, is_over=over.is_set)
        except supervising.AnotherKey as error:
            raise CommandError(str(error)) from error


def commands() -> dict[str, Sequence[str]]:
    """What starts each kind of background work."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    clusters = {cluster: [*manage, "qcluster"] for cluster in settings.Q_CLUSTERS}
    return {**clusters, workers.LEARNING: [*manage, "keep_learning"]}
