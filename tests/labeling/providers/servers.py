"""What tests of providers on a server share: a time that passes without waiting, and a few categories."""

import asyncio

from labeling.providers.base import CategorySpec
from labeling.providers.breaker import Clock
from labeling.providers.remote import RemoteProvider

NEWS = (CategorySpec("Sports", "games and matches"), CategorySpec("Space"), CategorySpec("Weather"))


class FastClock(Clock):
    """Sleeping takes no time, but the time passes."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


def hurried(provider: RemoteProvider) -> FastClock:
    """Let the provider wait in no time; before its first request."""
    clock = FastClock()
    provider.server.clock = clock
    return clock
