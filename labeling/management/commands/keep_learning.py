"""`manage.py keep_learning`: the review queues follow what people decide."""

import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from threadpoolctl import threadpool_limits

PAUSE_SECONDS = 0.3  # between two looks: with the fit and the scoring the next text is about a second behind


class Command(BaseCommand):
    help = "Keeps the review queues in the order of what people just decided, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *, once: bool, **_: Any) -> None:
        if not once:
            os.nice(5)  # who waits at the desk goes first
        from labeling.reordering import Learner  # after that: `start` starts the web server at the same moment

        learner = Learner()
        with threadpool_limits(1):  # two threads that wait for each other are slower than one where others work
            learner.look()
            while not once:
                time.sleep(PAUSE_SECONDS)
                close_old_connections()
                learner.look()
