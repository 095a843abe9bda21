"""How many requests a minute are answered, counted over all web processes.

A process takes a share of the minute's allowed requests at a time, and answers as many without asking the database: the
limit is never exceeded, and reading does not become writing. What a process took and did not need is lost for that
minute.
"""

import math
import time
from threading import Lock

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from labeling.models import RequestCount
from labeling.requests import caller_of

SECONDS = 60
SHARES = 50  # of a limit
MOST_IN_HAND = 10_000  # callers that a process remembers

_in_hand: dict[str, tuple[int, int]] = {}  # bucket -> minute, requests left of the share
_lock = Lock()


def count_address(request: Request) -> None:
    """Counted before anybody is let in, so that guessing is slowed down. Raises Throttled."""
    _spend(f"address:{BaseThrottle().get_ident(request)}"[:100], settings.API_RATE_PER_ADDRESS)


def count_caller(request: Request) -> None:
    """For a key of its own, whatever its address. Raises Throttled."""
    _spend(caller_of(request), settings.API_RATE_PER_KEY)


def forget_all() -> None:
    """Forget what this process has in hand."""
    with _lock:
        _in_hand.clear()


def forget_old(now: float | None = None) -> int:
    """Delete the counts of who has not come for a day; returns how many."""
    day_ago = int((now or time.time()) - 24 * 3600) // SECONDS
    return RequestCount.objects.filter(minute__lt=day_ago).delete()[0]


def _spend(bucket: str, limit: int) -> None:
    now = time.time()
    minute = int(now) // SECONDS
    if limit and not (_from_hand(bucket, minute) or _from_database(bucket, minute, limit)):
        raise Throttled(wait=math.ceil((minute + 1) * SECONDS - now))


def _from_hand(bucket: str, minute: int) -> bool:
    with _lock:
        of, left = _in_hand.get(bucket, (minute, 0))
        if of != minute or left < 1:
            return False
        _in_hand[bucket] = (minute, left - 1)
        return True


def _from_database(bucket: str, minute: int, limit: int) -> bool:
    taken = _take(bucket, minute, limit)
    with _lock:
        if len(_in_hand) > MOST_IN_HAND:
            _in_hand.clear()
        of, left = _in_hand.get(bucket, (minute, 0))
        _in_hand[bucket] = (minute, (left if of == minute else 0) + max(0, taken - 1))
    return taken > 0


def _take(bucket: str, minute: int, limit: int) -> int:
    """Take a share of the limit, or what is left of it: 0 when nothing is."""
    share = max(1, limit // SHARES)
    while True:
        count, is_first = RequestCount.objects.get_or_create(bucket=bucket, defaults={"minute": minute, "taken": share})
        if is_first:
            return share
        before = count.taken if count.minute == minute else 0
        if (share := min(share, limit - before)) <= 0:
            return 0
        unchanged = RequestCount.objects.filter(pk=count.pk, minute=count.minute, taken=count.taken)
        if unchanged.update(minute=minute, taken=before + share):
            return share
