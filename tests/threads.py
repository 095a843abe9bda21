"""Functions that run at the same moment, each with a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What functions that start at the same moment return, or the exceptions that they raise."""
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results
