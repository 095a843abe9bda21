"""`manage.py keep_learning`: the review queues follow what people decide."""

import logging
import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from threadpoolctl import threadpool_limits

from labeling import workers

if TYPE_CHECKING:
    from labeling.reordering import Learner

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.3  # between two looks: with the fit and the scoring the next text is about a second behind
LONG_PAUSE_SECONDS = 5.0  # while another machine does it, or the database is away


class Command(BaseCommand):
    help = "Keeps the review queues in the order of what people just decided, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *, once: bool, **_: Any) -> None:
        if not once:
            os.nice(5)  # who waits at the desk goes first
        from labeling.reordering import Learner  # after that: `start` starts the web server at the same moment

        with threadpool_limits(1):  # two threads that wait for each other are slower than one where others work
            if once:
                Learner().look()
            else:
                keep_looking(Learner())


def keep_looking(learner: "Learner") -> NoReturn:
    beat_at = 0.0
    while True:
        close_old_connections()
        try:
            if time.monotonic() > beat_at + workers.BEAT_SECONDS:
                workers.beat()
                beat_at = time.monotonic()
            leads = workers.leads(workers.LEARNING)
            if leads:
                learner.look()
            time.sleep(PAUSE_SECONDS if leads else LONG_PAUSE_SECONDS)
        except (OperationalError, InterfaceError) as error:
            logger.warning("The queues cannot be put in order now: %s", error)
            connection.close()
            time.sleep(LONG_PAUSE_SECONDS)
