import asyncio

import pytest

from labeling.providers.base import ProviderError, ServerDown
from labeling.providers.breaker import FAILURES_IN_A_ROW, FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, Breaker
from labeling.providers.statuses import TextRefused

from .servers import FastClock

ADDRESS = "http://server"

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
def breaker(clock: FastClock) -> Breaker:
    return Breaker(ADDRESS, clock)


async def ask(breaker: Breaker, error: ProviderError | None = None) -> None:
    async with breaker.request():
        if error:
            raise error


async def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ProviderError):
            await ask(breaker, ProviderError("It said 500.", permanent=False))


async def test_requests_pass_while_the_server_answers(breaker: Breaker, clock: FastClock) -> None:
    await fail(breaker, FAILURES_IN_A_ROW - 1)
    await ask(breaker)
    await fail(breaker, FAILURES_IN_A_ROW - 1)
    await ask(breaker)
    assert clock.slept == []


async def test_after_failures_in_a_row_the_server_is_left_alone_for_a_while(breaker: Breaker, clock: FastClock) -> None:
    await fail(breaker, FAILURES_IN_A_ROW)
    await ask(breaker)
    assert clock.slept == [FIRST_PAUSE]


async def test_the_pause_grows_to_a_minute_and_no_further(breaker: Breaker, clock: FastClock) -> None:
    await fail(breaker, FAILURES_IN_A_ROW + 9)
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert LONGEST_PAUSE < PATIENCE


async def test_a_good_answer_makes_the_next_pause_short_again(breaker: Breaker, clock: FastClock) -> None:
    await fail(breaker, FAILURES_IN_A_ROW + 3)
    await ask(breaker)
    clock.slept.clear()
    await fail(breaker, FAILURES_IN_A_ROW)
    await ask(breaker)
    assert clock.slept == [FIRST_PAUSE]


async def test_a_text_that_is_refused_is_no_failure_of_the_server(breaker: Breaker, clock: FastClock) -> None:
    for _ in range(2 * FAILURES_IN_A_ROW):
        with pytest.raises(TextRefused):
            await ask(breaker, TextRefused("too long"))
    assert clock.slept == []


async def test_one_request_tries_the_server_while_the_others_wait(breaker: Breaker) -> None:
    await fail(breaker, FAILURES_IN_A_ROW)
    under_way = most = 0

    async def one() -> None:
        nonlocal under_way, most
        async with breaker.request():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            raise ProviderError("It said 500.", permanent=False)

    await asyncio.gather(*(one() for _ in range(4)), return_exceptions=True)
    assert most == 1


async def test_a_cancelled_trial_leaves_the_way_to_the_next(breaker: Breaker) -> None:
    await fail(breaker, FAILURES_IN_A_ROW)
    with pytest.raises(asyncio.CancelledError):
        async with breaker.request():
            raise asyncio.CancelledError
    await ask(breaker)


async def test_who_waits_too_long_is_told_which_server_does_not_answer(breaker: Breaker, clock: FastClock) -> None:
    await fail(breaker, 1)
    breaker.wait_at_least(PATIENCE + 1)
    with pytest.raises(ServerDown) as refusal:
        await ask(breaker)
    assert not refusal.value.permanent
    assert ADDRESS in str(refusal.value)
    assert "It said 500." in str(refusal.value)
    assert clock.slept == []


async def test_no_server_is_left_alone_for_ever(breaker: Breaker, clock: FastClock) -> None:
    breaker.wait_at_least(float("inf"))
    with pytest.raises(ServerDown):
        await ask(breaker)
    clock.time += 600
    await ask(breaker)
