import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any

import pytest

from labeling.providers.base import ProviderError, ServerDown
from labeling.providers.http import Server, settled
from labeling.providers.statuses import SettingNames, TextRefused
from tests.stand_in_server import StandIn, Step, fails, is_slow, resets, shows_html

from .servers import FastClock

KEY = "sk-very-secret"
NAMES = SettingNames(url="THE_URL", model="THE_MODEL", key="THE_KEY")
BODY = {"inputs": "sports", "parameters": {"candidate_labels": ["sports"]}}

MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(stand_in: StandIn) -> MakeServer:
    def make(url: str = "", **options: Any) -> Server:
        return Server(url or stand_in.url, names=NAMES, key=KEY, clock=FastClock(), **options)

    return make


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server()


def ask(server: Server, times: int = 1) -> list[Any]:
    """What becomes of so many requests side by side."""

    async def all_of_them() -> list[Any]:
        one = partial(server.post, "/models/m", lambda: BODY, len)
        return await server.each([one] * times, until=server.deadline())

    return server.run(all_of_them)


@pytest.mark.parametrize(
    "failure",
    [fails(429), fails(500), fails(503), fails(408), shows_html(502), shows_html(), resets(), Step(body='{"cut')],
    ids=["429", "500", "503", "408", "HTML 502", "HTML 200", "reset", "cut JSON"],
)
def test_what_may_pass_is_tried_again(server: Server, stand_in: StandIn, failure: Step) -> None:
    stand_in.script.extend([failure, failure])
    assert ask(server) == [1]
    assert len(stand_in.requests) == 3


def test_a_request_that_takes_too_long_is_tried_again(make_server: MakeServer, stand_in: StandIn) -> None:
    stand_in.script.append(is_slow(2))
    assert ask(make_server(timeout_seconds=0.5)) == [1]
    assert len(stand_in.requests) == 2


def test_the_waits_between_tries_grow(server: Server, stand_in: StandIn) -> None:
    stand_in.script.extend([fails(500)] * 3)
    ask(server)
    first, second, third = server.clock.slept
    assert 0.5 <= first <= 1.5
    assert 1 <= second <= 2
    assert 2 <= third <= 3


def test_after_a_few_tries_the_error_stands(server: Server, stand_in: StandIn) -> None:
    stand_in.always = fails(500, "out of order")
    (error,) = ask(server)
    assert not error.permanent
    assert "out of order" in str(error)
    assert len(stand_in.requests) == 5


def test_retry_after_is_waited_for_by_all_requests(make_server: MakeServer, stand_in: StandIn) -> None:
    stand_in.script.append(fails(429, Retry_After="30"))
    server = make_server(concurrency=1)
    assert ask(server, 2) == [1, 1]
    assert sum(server.clock.slept) >= 30
    assert len(stand_in.requests) == 3


def test_who_asks_for_more_patience_than_there_is_ends_the_call(server: Server, stand_in: StandIn) -> None:
    stand_in.always = fails(429, "come back tomorrow", Retry_After="86400")
    errors = ask(server, 8)
    assert all(isinstance(error, ServerDown) for error in errors)
    assert "come back tomorrow" in str(errors[0])
    assert len(stand_in.requests) <= 4


def test_a_text_that_is_refused_is_not_tried_again_and_stops_no_other(server: Server, stand_in: StandIn) -> None:
    stand_in.script.append(fails(400, "too long"))
    results = ask(server, 5)
    assert results.count(1) == 4
    (error,) = [result for result in results if result != 1]
    assert isinstance(error, TextRefused)
    assert len(stand_in.requests) == 5


def test_a_wrong_key_ends_the_call_after_a_few_requests(server: Server, stand_in: StandIn) -> None:
    stand_in.key = "another"
    errors = ask(server, 50)
    assert all(error.permanent and "THE_KEY" in str(error) for error in errors)
    assert len(stand_in.requests) <= 8


def test_a_server_that_is_down_is_left_alone(make_server: MakeServer, stand_in: StandIn) -> None:
    server = make_server("http://127.0.0.1:9")
    (error,) = ask(server)
    assert not error.permanent
    assert "http://127.0.0.1:9" in str(error)
    assert "THE_URL" in str(error)


def test_a_server_that_fails_for_all_ends_the_call_in_time(server: Server, stand_in: StandIn) -> None:
    stand_in.always = fails(500)
    started = server.clock.now()
    errors = ask(server, 100)
    assert len(errors) == 100
    assert not any(error.permanent for error in errors)
    assert len(stand_in.requests) < 100 * 5
    assert server.clock.now() - started < 100 * 60


def test_no_more_requests_are_under_way_than_allowed(make_server: MakeServer, stand_in: StandIn) -> None:
    stand_in.seconds = 0.02
    assert ask(make_server(concurrency=3), 20) == [1] * 20
    assert stand_in.most_at_once == 3


def test_threads_share_the_places(make_server: MakeServer, stand_in: StandIn) -> None:
    stand_in.seconds = 0.02
    server = make_server(concurrency=2)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: ask(server, 5), range(4))) == [[1] * 5] * 4
    assert stand_in.most_at_once == 2


def test_connections_are_used_again(make_server: MakeServer, stand_in: StandIn) -> None:
    server = make_server(concurrency=2)
    for _ in range(5):
        ask(server, 4)
    assert len({request.connection for request in stand_in.requests}) <= 2


def test_a_call_ends_in_time_and_keeps_what_was_answered(make_server: MakeServer, stand_in: StandIn) -> None:
    stand_in.script.extend([Step(), is_slow(5), is_slow(5), is_slow(5)])
    started = time.monotonic()
    results = ask(make_server(timeout_seconds=0.8, concurrency=1), 3)
    assert time.monotonic() - started < 3
    assert results[0] == 1
    assert all(isinstance(error, ProviderError) and not error.permanent for error in results[1:])


def test_a_forked_child_has_connections_of_its_own(server: Server, stand_in: StandIn) -> None:
    assert ask(server) == [1]
    child = os.fork()
    if child == 0:
        os._exit(0 if ask(server) == [1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ask(server) == [1]
    assert len({request.connection for request in stand_in.requests}) == 2


def test_an_interrupt_passes_through_and_leaves_the_server_usable(
    server: Server, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    import concurrent.futures

    def interrupted(*words: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(concurrent.futures.Future, "result", interrupted)
        ask(server)
    assert ask(server) == [1]


def test_the_thread_ends_with_its_server(make_server: MakeServer, stand_in: StandIn) -> None:
    import threading

    server = make_server()
    ask(server)
    name = f"requests to {server.address}"
    (thread,) = [one for one in threading.enumerate() if one.name == name]
    del server
    thread.join(5)
    assert not thread.is_alive()


def test_the_key_is_sent_and_never_shown(server: Server, stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stand_in.key = "another"
    (error,) = ask(server)
    assert stand_in.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{error} {error!r} {server!r} {error.__cause__!r} {error.__context__!r}"
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["sk-ünicode", "sk-two\nlines", "sk\x00"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ProviderError) as refusal:
        Server("http://server", names=NAMES, key=key)
    assert refusal.value.permanent
    assert "THE_KEY" in str(refusal.value)
    assert key not in str(refusal.value)


def test_blanks_around_a_key_are_no_part_of_it(stand_in: StandIn) -> None:
    ask(Server(stand_in.url, names=NAMES, key=f" {KEY}\n"))
    assert stand_in.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("url", ["", "server", "ftp://server", "http://", "//server"])
def test_what_is_no_address_is_refused_with_the_setting(url: str) -> None:
    with pytest.raises(ProviderError) as refusal:
        Server(url, names=NAMES)
    assert refusal.value.permanent
    assert "THE_URL" in str(refusal.value)


def test_a_password_in_the_address_is_sent_and_not_shown(stand_in: StandIn) -> None:
    server = Server(stand_in.url.replace("//", "//someone:hidden@"), names=NAMES)
    ask(server)
    assert stand_in.requests[0].headers["authorization"].startswith("Basic ")
    assert "hidden" not in f"{server!r} {server.address}"


def test_a_query_in_the_address_is_sent_and_not_shown(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = Server(f"{stand_in.url}?version=2", names=NAMES)
    stand_in.script.append(fails(400))
    (error,) = ask(server)
    assert stand_in.requests[0].path == "/models/m?version=2"
    assert "version" not in f"{error} {server!r} {caplog.text}"


A, B = "answer", "another answer"
TEXT = TextRefused("too long")
BUSY = ProviderError("busy", permanent=False)
KEY_GONE = ProviderError("no key", permanent=True)


@pytest.mark.parametrize("results", [[], [A, B], [A, TEXT, BUSY], [TEXT], [TEXT, BUSY]])
def test_errors_of_single_texts_stand_beside_answers(results: Sequence[Any]) -> None:
    assert settled(results) == results


@pytest.mark.parametrize(("results", "raised"), [([BUSY, BUSY], BUSY), ([TEXT, BUSY, KEY_GONE], KEY_GONE)])
def test_without_any_answer_the_error_is_raised(results: Sequence[Any], raised: ProviderError) -> None:
    with pytest.raises(ProviderError) as caught:
        settled(results)
    assert caught.value is raised


def test_answers_that_were_paid_for_are_kept_when_the_key_fails() -> None:
    answer, error = settled([A, KEY_GONE])
    assert answer == A
    assert isinstance(error, ProviderError)
    assert not error.permanent
    assert str(error) == "no key"


def test_a_server_that_comes_back_answers_all(make_server: MakeServer, stand_in: StandIn) -> None:
    """As when it is killed and started again: connections are refused for a while."""
    port = int(stand_in.url.rpartition(":")[2])
    stand_in.__exit__()
    server = Server(stand_in.url, names=NAMES)
    found: list[Any] = []
    asking = Thread(target=lambda: found.extend(ask(server, 6)))
    asking.start()
    time.sleep(0.3)
    with StandIn(port):
        asking.join(30)
    assert found == [1] * 6
