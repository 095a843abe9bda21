"""Requests to a server that answers in JSON, side by side, with retries.

Providers are called from threads. Each server has one event loop in a thread of its own, built on first use and again
after a fork: threads and connections do not follow into a child.
"""

import asyncio
import json
import logging
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from labeling.providers.base import ProviderError, ServerDown
from labeling.providers.breaker import Breaker, Clock
from labeling.providers.statuses import Reader, SettingNames, TextRefused, Unreachable, seconds_to_wait

# At INFO it writes the whole address of each request, and some addresses carry a key.
logging.getLogger("httpx").setLevel(logging.WARNING)

Result = TypeVar("Result")
Ask = Callable[[], Awaitable[Result]]

ATTEMPTS = 5
CONNECT_SECONDS = 10.0
CALL_FACTOR = 1.25  # of the timeout: a call ends, retries included, well before a lease of three minutes


@dataclass
class _Running:
    """What belongs to one process: an event loop in a thread, and what lives in it."""

    pid: int
    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    places: asyncio.Semaphore
    breaker: Breaker


class Server:
    """The server at `url`. `key` is sent as a bearer token and never shown.

    At most `concurrency` requests are under way at once, each for at most `timeout_seconds`. `names` are the settings
    that messages tell to change. Raises ProviderError for an address or a key that cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        names: SettingNames,
        key: str = "",
        concurrency: int = 4,
        timeout_seconds: float = 120.0,
        clock: Clock | None = None,
    ) -> None:
        self._url, self._auth = _address_and_login(url, names)
        self.address = str(self._url.copy_with(query=None)).rstrip("/")
        self.names = names
        self.clock = clock or Clock()
        self._headers = _headers(key.strip(), names)
        self._reader = Reader(self.address, names, key.strip())
        self._concurrency = concurrency
        self._timeout_seconds = timeout_seconds
        self._starting = threading.Lock()
        self._process: _Running | None = None

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Carry out `work` in the server's event loop and wait for its result, from any thread."""
        future = asyncio.run_coroutine_threadsafe(work(), self._running().loop)
        try:
            return future.result()
        finally:
            future.cancel()  # an interrupt leaves no requests behind

    def deadline(self) -> float:
        """When a call that begins now must end, as time of the event loop."""
        return asyncio.get_running_loop().time() + CALL_FACTOR * self._timeout_seconds

    async def each(self, asks: Sequence[Ask[Result]], *, until: float) -> list[Result | ProviderError]:
        """The result of each ask or its error, side by side.

        What concerns all asks, such as a wrong key, ends those that are not done: they get the same error. What is
        not done `until` then fails temporarily.
        """
        tasks = [asyncio.ensure_future(_caught(ask)) for ask in asks]
        stopped = ProviderError(
            f"{self.address} did not answer about all texts within {CALL_FACTOR * self._timeout_seconds:.0f} seconds. "
            "Ask about fewer at once, or raise LLM_TIMEOUT_SECONDS.",
            permanent=False,
        )
        try:
            async with asyncio.timeout_at(until):
                for done in asyncio.as_completed(tasks):
                    result = await done
                    if isinstance(result, ProviderError) and concerns_all(result):
                        stopped = result
                        break
        except TimeoutError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [stopped if task.cancelled() else task.result() for task in tasks]

    async def post(self, path: str, body: Callable[[], dict[str, Any]], take: Callable[[Any], Result]) -> Result:
        """What `take` finds in the JSON that the server answers.

        `body` is made when its turn has come, so that it can heed what the server said meanwhile. Where `take` raises,
        the answer was no good, and is asked for again. Raises ProviderError; TextRefused when it is about this body
        alone.
        """
        return await self._ask("POST", path, body, take)

    async def get(self, path: str, take: Callable[[Any], Result]) -> Result:
        """As `post`."""
        return await self._ask("GET", path, None, take)

    async def _ask(
        self, method: str, path: str, body: Callable[[], dict[str, Any]] | None, take: Callable[[Any], Result]
    ) -> Result:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_worth_another_try),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.5, max=20, jitter=1),
            sleep=self.clock.sleep,
            reraise=True,
        )
        return await retrying(self._send, method, path, body, take)

    async def _send(
        self, method: str, path: str, body: Callable[[], dict[str, Any]] | None, take: Callable[[Any], Result]
    ) -> Result:
        running = self._running()
        url = self._url.copy_with(path=self._url.path.rstrip("/") + path)
        async with running.places, running.breaker.request():
            # Half a surrogate pair has no UTF-8: a question mark stands for it.
            content = json.dumps(body(), ensure_ascii=False).encode("utf-8", "replace") if body else None
            try:
                response = await running.client.request(method, url, content=content)
            except httpx.RequestError as error:
                raise self._reader.no_connection(error) from None
            running.breaker.wait_at_least(seconds_to_wait(response))
            return self._reader.read(response, take)

    def _running(self) -> _Running:
        with self._starting:
            if self._process is None or self._process.pid != os.getpid():
                self._process = self._start()
            return self._process

    def _start(self) -> _Running:
        loop = asyncio.new_event_loop()
        client = httpx.AsyncClient(
            auth=self._auth,
            headers=self._headers,
            timeout=httpx.Timeout(self._timeout_seconds, connect=min(CONNECT_SECONDS, self._timeout_seconds)),
            limits=httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency),
        )
        name = f"requests to {self.address}"
        threading.Thread(target=_serve, args=(loop, client), name=name, daemon=True).start()
        forgetting = weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
        forgetting.atexit = False  # type: ignore[misc]  # a property, of which the stubs do not know
        places = asyncio.Semaphore(self._concurrency)
        return _Running(os.getpid(), loop, client, places, Breaker(self.address, self.clock))


def concerns_all(error: ProviderError) -> bool:
    """Whether other texts would get the same error."""
    return isinstance(error, ServerDown) or (error.permanent and not isinstance(error, TextRefused))


def settled(results: Sequence[Result | ProviderError]) -> list[Result | ProviderError]:
    """The results of a call, or its error, raised, when the server answered about no text at all.

    Answers that were paid for are kept: beside them an error that concerns all stands as temporary, and the next call
    raises it.
    """
    errors = [result for result in results if isinstance(result, ProviderError)]
    final = [error for error in errors if error.permanent and concerns_all(error)]
    if errors and len(errors) == len(results):
        if final:
            raise final[0]
        if not any(isinstance(error, TextRefused) for error in errors):
            raise errors[0]
    return [ProviderError(str(result), permanent=False) if result in final else result for result in results]


def _serve(loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
    """Until the loop is stopped, because its server is forgotten."""
    loop.run_forever()
    loop.run_until_complete(client.aclose())
    loop.close()


async def _caught(ask: Ask[Result]) -> Result | ProviderError:
    try:
        return await ask()
    except ProviderError as error:
        return error


def _is_worth_another_try(error: BaseException) -> bool:
    if isinstance(error, ServerDown):
        return isinstance(error, Unreachable)
    return isinstance(error, ProviderError) and not error.permanent


def _address_and_login(url: str, names: SettingNames) -> tuple[httpx.URL, tuple[str, str] | None]:
    """Name and password go apart from the address, which is shown."""
    try:
        found = httpx.URL(url.strip())
    except httpx.InvalidURL:
        found = httpx.URL("")
    if found.scheme not in ("http", "https") or not found.host:
        raise ProviderError(f"{names.url} is no address. Set it to one like http://localhost:11434.", permanent=True)
    login = (found.username, found.password) if found.userinfo else None
    return found.copy_with(username=None, password=None, fragment=None), login


def _headers(key: str, names: SettingNames) -> dict[str, str]:
    # Other characters cannot be sent, and the error of the HTTP library would show the key.
    if not (key.isascii() and key.isprintable()):
        raise ProviderError(f"{names.key} has characters that no key has. Copy it again.", permanent=True)
    return {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
