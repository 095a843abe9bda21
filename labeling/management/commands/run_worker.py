"""manage.py run_worker: background work, kept going."""

import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from labeling import supervising


class Command(BaseCommand):
    help = "Carry out background work until Ctrl-C or SIGTERM; what dies or hangs is started again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cluster", action="append", choices=settings.Q_CLUSTERS, help="Only this; repeatable.")

    def handle(self, *, cluster: list[str] | None, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        supervising.supervise(dict.fromkeys(cluster or settings.Q_CLUSTERS, command), is_over=over.is_set)
