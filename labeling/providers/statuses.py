"""What an HTTP response means for a run: read it, try again, fail this text, or stop and say what to change."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from labeling.providers.base import ProviderError, ServerDown

Result = TypeVar("Result")

EXCERPT = 300  # characters of what a server says
QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}  # OpenAI sends them with 429
TEMPORARY = {408, 409, 423, 425, 429}
WRONG_ADDRESS = {404, 405, 410}
MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class SettingNames:
    """What messages tell to change."""

    url: str
    model: str
    key: str


class Unreachable(ServerDown):
    """Nothing listens at the address, or nobody finds the way there. It is tried a few times before it is said."""


class TextRefused(ProviderError):
    """This one text gets no answer, however often it is asked about. Others do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@dataclass(frozen=True)
class Reader:
    """Reads the responses of the server at `address`. `key` is taken out of whatever the server says."""

    address: str
    names: SettingNames
    key: str = field(repr=False)

    def read(self, response: httpx.Response, take: Callable[[Any], Result]) -> Result:
        """What `take` finds in the response's JSON. Raises ProviderError; TextRefused when it is about one text."""
        if not response.is_success:
            raise self._refusal(response)
        try:
            return take(response.json())
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise ProviderError(
                f"{self.address} answered with something else than was expected: {self._words(response)}. "
                f"If that stays, correct {self.names.url}.",
                permanent=False,
            ) from None

    def no_connection(self, error: httpx.RequestError) -> ProviderError:
        """For a request that got no response at all."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            kind = type(error).__name__
            return Unreachable(
                f"The server at {self.address} cannot be reached ({kind}). Start it, or correct {self.names.url}."
            )
        if isinstance(error, httpx.TimeoutException):
            reason = (
                "did not answer in time. A smaller model, a lower LLM_CONCURRENCY or a longer LLM_TIMEOUT_SECONDS helps"
            )
        else:
            reason = f"broke off ({type(error).__name__}). See that it runs"
        return ProviderError(f"The server at {self.address} {reason}.", permanent=False)

    def _refusal(self, response: httpx.Response) -> ProviderError:
        status, names = response.status_code, self.names
        said = f"{self.address} answered {status}: {self._words(response)}."
        if status == 402 or _codes(response) & QUOTA_CODES:
            return ProviderError(f"{said} The quota of {names.key} is used up: pay, or set another.", permanent=True)
        if status in (401, 403):
            return ProviderError(f"{said} Set {names.key} to a key that may use this model.", permanent=True)
        if status in TEMPORARY or status >= 500:
            return ProviderError(said, permanent=False)
        if status in WRONG_ADDRESS or response.is_redirect:
            return ProviderError(f"{said} Correct {names.model} or {names.url}.", permanent=True)
        return TextRefused(said)

    def _words(self, response: httpx.Response) -> str:
        """What the server says, short and in one line."""
        words = _said(response) or response.headers.get("location", "") or response.reason_phrase or "nothing"
        line = " ".join(words.split()).rstrip(".")
        if self.key:
            line = line.replace(self.key, "…")
        return line if len(line) <= EXCERPT else line[:EXCERPT] + "…"


def seconds_to_wait(response: httpx.Response) -> float:
    """How long a server that is busy asks to be left alone; 0 where it does not say.

    `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); `estimated_time` while Hugging Face loads a model.
    """
    if response.status_code not in TEMPORARY and response.status_code < 500:
        return 0.0
    asked = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(asked or _json(response)["estimated_time"]))
    except (ValueError, TypeError, KeyError):
        pass
    try:
        date = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _json(response: httpx.Response) -> dict[str, Any]:
    """The response's object, or an empty one."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(response: httpx.Response) -> str:
    """The message: servers put it in `error`, `message` or `detail`, some as an object or a list."""
    found = _json(response)
    for key in ("error", "message", "detail"):
        said = found.get(key)
        if isinstance(said, dict):
            said = said.get("message") or said
        if said:
            return str(said)
    return MARKUP.sub(" ", response.text[: 20 * EXCERPT])


def _codes(response: httpx.Response) -> set[str]:
    error = _json(response).get("error")
    return {str(error.get("code")), str(error.get("type"))} if isinstance(error, dict) else set()
