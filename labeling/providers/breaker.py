"""Leaves a server alone that fails, and tries it again by one request at a time (circuit breaker, Nygard, Release It!).

All of it runs in the event loop of one provider, so nothing is locked.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from labeling.providers.base import ProviderError, ServerDown

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 4  # as many as are under way by default: one bad moment is one failure of each
FIRST_PAUSE = 1.0  # seconds, then twice as long after each failed trial
LONGEST_PAUSE = 60.0
PATIENCE = 90.0  # seconds that a request waits for its turn; more than the longest pause, or none would be tried
LONGEST_REQUESTED = 600.0  # more is not believed: servers err, and quotas are raised
LOOK_SECONDS = 0.1  # while another request tries the server


class Clock:
    """Time as the waiting sees it. Tests bring one that does not wait."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Breaker:
    """Counts the failures in a row of the server at `address`, and holds requests back while it recovers."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._closed_until = clock.now()
        self._trial_is_running = False
        self._last_failure = ""

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for leave to send one request, and learn from how it ends.

        Only a temporary ProviderError is the server's failure. Raises ServerDown when there is no leave for too long.
        """
        await self._wait_for_leave()
        is_trial = self._is_failing
        self._trial_is_running |= is_trial
        try:
            yield
        except ProviderError as error:
            self._failed(str(error), is_trial) if not error.permanent else self._answered()
            raise
        else:
            self._answered()
        finally:
            if is_trial:
                self._trial_is_running = False

    def wait_at_least(self, seconds: float) -> None:
        """Hold all requests back: the server said when to come again."""
        self._closed_until = max(self._closed_until, self._clock.now() + min(seconds, LONGEST_REQUESTED))

    @property
    def _is_failing(self) -> bool:
        return self._failures >= FAILURES_IN_A_ROW

    async def _wait_for_leave(self) -> None:
        give_up_at = self._clock.now() + PATIENCE
        while (wait := self._seconds_to_wait()) > 0:
            if self._clock.now() + wait > give_up_at:
                raise ServerDown(
                    f"The server at {self._address} does not answer. It is tried again by itself; see that it runs. "
                    f"Its last failure: {self._last_failure}"
                )
            await self._clock.sleep(wait)

    def _seconds_to_wait(self) -> float:
        closed = self._closed_until - self._clock.now()
        return max(closed, LOOK_SECONDS if self._trial_is_running else 0.0)

    def _failed(self, reason: str, is_trial: bool) -> None:
        self._failures += 1
        self._last_failure = reason
        if is_trial:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        if is_trial or self._failures == FAILURES_IN_A_ROW:
            self.wait_at_least(self._pause)
            logger.warning(
                "%s is left alone for %.0f seconds after %s failures", self._address, self._pause, self._failures
            )

    def _answered(self) -> None:
        self._failures = 0
        self._pause = FIRST_PAUSE
