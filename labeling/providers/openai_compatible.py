"""Chat models behind OpenAI's wire format: OpenAI itself, vLLM, llama.cpp, LM Studio, OpenRouter, Groq and others.

https://platform.openai.com/docs/api-reference/chat. Servers know different parts of it: what one refuses is left out
from then on.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from labeling.providers.base import Usage
from labeling.providers.chat import ChatOptions, ChatProvider, Completion
from labeling.providers.confidence import tokens
from labeling.providers.http import Server
from labeling.providers.prompting import Message
from labeling.providers.statuses import SettingNames, TextRefused

logger = logging.getLogger(__name__)

NAMES = SettingNames(url="FREE_API_URL", model="FREE_API_MODEL", key="FREE_API_KEY")
TOP_LOGPROBS = 20  # the most that OpenAI gives
VERSION = re.compile(r"/v\d+[a-z0-9]*(/|$)")

Json = dict[str, Any]
FORMATS = ("json_schema", "json_object", "")


@dataclass(frozen=True)
class Dialect:
    """What a server understands: one of FORMATS, and the fields that it does not know."""

    form: int = 0
    refused: frozenset[str] = frozenset()

    def without(self, refusal: str) -> "Dialect":
        """The dialect that leaves out what the server's words name; the same one if they name nothing."""
        said = refusal.lower()
        if "logprob" in said and "logprobs" not in self.refused:
            return replace(self, refused=self.refused | {"logprobs", "top_logprobs"})
        if any(word in said for word in ("response_format", "json_", "schema", "grammar")):
            return replace(self, form=min(self.form + 1, len(FORMATS) - 1))
        named = {key for key in ("temperature", "seed", "max_tokens") if key in said}
        return replace(self, refused=self.refused | named)

    def response_format(self, schema: Json) -> Json:
        form = FORMATS[self.form]
        if form == "json_schema":
            named = {"name": "answer", "strict": True, "schema": schema}
            return {"response_format": {"type": form, "json_schema": named}}
        return {"response_format": {"type": form}} if form else {}


class OpenAICompatible(ChatProvider):
    """A model of the server at `url`, with or without `/v1`. `extra_body` is added to each request.

    Raises ProviderError for an address, a key or a model that cannot be used.
    """

    wire = "openai"

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        concurrency: int = 4,
        timeout_seconds: float = 120.0,
        extra_body: Json | None = None,
        names: SettingNames = NAMES,
        **options: Any,
    ) -> None:
        server = Server(base_url(url), key=key, concurrency=concurrency, timeout_seconds=timeout_seconds, names=names)
        super().__init__(server, model, ChatOptions(**options), sorted((extra_body or {}).items()))
        self._extra_body = extra_body or {}
        self._dialect = Dialect()

    async def complete(self, messages: Sequence[Message], schema: Json, *, sample: int) -> Completion:
        tried: list[Dialect] = []

        def body() -> Json:
            tried.append(self._dialect)
            return self._body(messages, schema, sample)

        while True:
            try:
                return await self.server.post("/chat/completions", body, _completion)
            except TextRefused as refusal:
                simpler = tried[-1].without(str(refusal))
                if simpler == tried[-1]:  # it is the text: others are asked as before
                    self._speak(tried[0], instead_of=simpler)
                    raise
                self._speak(simpler, instead_of=tried[-1])

    def _speak(self, dialect: Dialect, *, instead_of: Dialect) -> None:
        """Requests side by side hear the same refusal: it counts once."""
        if self._dialect == instead_of != dialect:
            self._dialect = dialect
            logger.warning("%s does not take what was sent; from now on it gets %s", self.server.address, dialect)

    def _body(self, messages: Sequence[Message], schema: Json, sample: int) -> Json:
        options, refused = self.options, self._dialect.refused
        optional = {
            "temperature": options.temperature_of(sample),
            "seed": options.seed + sample,
            "max_tokens": options.max_tokens,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
        }
        known = {key: value for key, value in optional.items() if key not in refused}
        if "max_tokens" in refused:
            known["max_completion_tokens"] = options.max_tokens  # the name that reasoning models know
        return {
            "model": self.model_name,
            "messages": list(messages),
            **known,
            **self._dialect.response_format(schema),
            **self._extra_body,
        }


def base_url(url: str) -> str:
    """The address up to and with the version, which most servers put at /v1."""
    address, mark, query = url.strip().partition("?")
    address = address.rstrip("/").removesuffix("/chat/completions")
    path = address.partition("://")[2]
    return address + ("" if VERSION.search(path) else "/v1") + mark + query


def _completion(answer: Any) -> Completion:
    choice, used = answer["choices"][0], answer.get("usage") or {}
    return Completion(
        content=choice["message"].get("content") or "",
        tokens=tokens((choice.get("logprobs") or {}).get("content") or ()),
        usage=Usage(1, int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)),
        is_cut=choice.get("finish_reason") == "length",
    )
