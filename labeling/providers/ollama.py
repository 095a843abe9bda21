"""Chat models of an Ollama server, by its own API (https://docs.ollama.com/api/chat)."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from labeling.providers.base import ProviderError, Usage
from labeling.providers.chat import ChatOptions, ChatProvider, Completion
from labeling.providers.confidence import tokens
from labeling.providers.http import Server
from labeling.providers.prompting import Message
from labeling.providers.statuses import SettingNames, TextRefused

logger = logging.getLogger(__name__)

NAMES = SettingNames(url="OLLAMA_BASE_URL", model="OLLAMA_MODEL", key="OLLAMA_API_KEY")
TOP_LOGPROBS = 20
HAS_SCHEMAS = (0, 5, 0)
HAS_LOGPROBS = (0, 12, 11)
NEWEST = (9_999,)  # builds from source call themselves 0.0.0

Json = dict[str, Any]


class Ollama(ChatProvider):
    """A model that was pulled to the Ollama server at `url`.

    `keep_alive` is how long the model stays loaded: seconds, or "10m"; a negative number for ever. `num_ctx` is how
    many tokens it reads, the server's choice if None: longer prompts lose their beginning without a word. `think` is
    left out for None.
    """

    wire = "ollama"

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        concurrency: int = 4,
        timeout_seconds: float = 120.0,
        keep_alive: int | str = "10m",
        num_ctx: int | None = None,
        think: bool | str | None = False,
        names: SettingNames = NAMES,
        **options: Any,
    ) -> None:
        server = Server(url, key=key, concurrency=concurrency, timeout_seconds=timeout_seconds, names=names)
        super().__init__(server, model, ChatOptions(**options), num_ctx, think)
        self._keep_alive = _seconds_or_duration(keep_alive)
        self._num_ctx = num_ctx
        self._think = think
        self._formats: tuple[str, ...] = ()  # what the server understands, best first; empty until it was asked
        self._has_logprobs = False

    async def prepare(self) -> None:
        """Ask once for the version and for the model. Raises ProviderError for a model that is not there."""
        if self._formats:
            return
        version = await self.server.get("/api/version", lambda answer: _version(answer["version"]))
        there = await self.server.get("/api/tags", lambda answer: {one["name"] for one in answer["models"]})
        if not there & {self.model_name, f"{self.model_name}:latest"}:
            raise self._not_pulled()
        self._has_logprobs = version >= HAS_LOGPROBS
        self._formats = ("schema", "json", "") if version >= HAS_SCHEMAS else ("json", "")

    async def complete(self, messages: Sequence[Message], schema: Json, *, sample: int) -> Completion:
        spoken = self._formats

        def body() -> Json:
            nonlocal spoken
            spoken = self._formats
            return self._body(messages, schema, sample)

        while True:
            try:
                return await self.server.post("/api/chat", body, _completion)
            except TextRefused as refusal:
                if "format" not in str(refusal).lower() or len(spoken) == 1:
                    raise
                if self._formats == spoken:  # requests side by side hear the same refusal: it counts once
                    self._formats = spoken[1:]
                    logger.warning("%s does not take this format; a simpler one is used", self.server.address)

    def _body(self, messages: Sequence[Message], schema: Json, sample: int) -> Json:
        options = self.options
        settings: Json = {
            "temperature": options.temperature_of(sample),
            "seed": options.seed + sample,
            "num_predict": options.max_tokens,
        }
        body: Json = {
            "model": self.model_name,
            "messages": list(messages),
            "stream": False,
            "keep_alive": self._keep_alive,
            "options": settings | ({"num_ctx": self._num_ctx} if self._num_ctx else {}),
        }
        if form := self._formats[0]:
            body["format"] = schema if form == "schema" else form
        if self._has_logprobs:
            body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return body | ({} if self._think is None else {"think": self._think})

    def _not_pulled(self) -> ProviderError:
        return ProviderError(
            f"The Ollama server at {self.server.address} has no model {self.model_name!r}. Run: ollama pull "
            f"{self.model_name}; or choose another in {self.server.names.model}.",
            permanent=True,
        )


def _completion(answer: Any) -> Completion:
    return Completion(
        content=answer["message"].get("content") or "",
        tokens=tokens(answer.get("logprobs") or ()),
        # A prompt that the server still had in memory is not counted by older ones.
        usage=Usage(1, int(answer.get("prompt_eval_count") or 0), int(answer.get("eval_count") or 0)),
        is_cut=answer.get("done_reason") == "length",
    )


def _version(words: str) -> tuple[int, ...]:
    """(0, 12, 11) for "0.12.11-rc1"."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", words.partition("-")[0])[:3])
    return numbers if any(numbers) else NEWEST


def _seconds_or_duration(keep_alive: int | str) -> int | str:
    """Settings are words: "-1" and "600" are numbers, which Ollama does not take as words."""
    words = str(keep_alive).strip()
    return int(words) if re.fullmatch(r"-?\d+", words) else words
