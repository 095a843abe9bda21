"""Answers that are slow to reckon, kept for a while in the process that reckoned them."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

WAITS = 10  # an answer is kept for so many times as it took, so that asking all the time costs a tenth of it
LONGEST_WAIT = 60.0

Answer = TypeVar("Answer")


def remembered(key: str, reckon: Callable[[], Answer]) -> Answer:
    """What was reckoned under this key lately, or else is reckoned now. Never None."""
    found: Answer | None = cache.get(key)
    if found is None:
        begin = time.perf_counter()
        found = reckon()
        cache.set(key, found, min(WAITS * (time.perf_counter() - begin), LONGEST_WAIT))
    return found
