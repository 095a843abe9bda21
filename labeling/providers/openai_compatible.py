"""Chat models behind OpenAI's wire format: OpenAI itself, vLLM, llama.cpp, LM Studio, OpenRouter, Groq and others.

https://platform.openai.com/docs/api-reference/chat. Servers know different parts of it: what one refuses is left out
from then on.
"""

import logging
import re
from collections.abc import Callable, Sequence
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
FORMATS: tuple[Callable[[Json], Json], ...] = (
    lambda schema: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        }
    },
    lambda schema: {"response_format": {"type": "json_object"}},
    lambda schema: {},
)


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
        self._format = 0  # of FORMATS
        self._refused: set[str] = set()

    async def complete(self, messages: Sequence[Message], schema: Json, *, sample: int) -> Completion:
        while True:
            chosen, refused = self._format, set(self._refused)
            body = self._body(messages, schema, sample)
            try:
                return await self.server.post("/chat/completions", body, _completion)
            except TextRefused as refusal:
                self._learn(str(refusal), chosen)
                if (self._format, self._refused) == (chosen, refused):
                    raise

    def _body(self, messages: Sequence[Message], schema: Json, sample: int) -> Json:
        options = self.options
        optional = {
            "temperature": options.temperature_of(sample),
            "seed": options.seed + sample,
            "max_tokens": options.max_tokens,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
        }
        if "max_tokens" in self._refused:
            optional["max_completion_tokens"] = options.max_tokens  # reasoning models know this name only
        known = {key: value for key, value in optional.items() if key not in self._refused}
        return {
            "model": self.model_name,
            "messages": list(messages),
            **known,
            **FORMATS[self._format](schema),
            **self._extra_body,
        }

    def _learn(self, refusal: str, chosen: int) -> None:
        """Leave out what the refusal names. Several requests may hear the same one: it counts once."""
        said = refusal.lower()
        if "logprob" in said:
            self._leave_out("logprobs", "top_logprobs")
        elif any(word in said for word in ("response_format", "json_schema", "json_object", "schema", "grammar")):
            if chosen == self._format and chosen + 1 < len(FORMATS):
                self._format = chosen + 1
                logger.warning("%s refuses this response_format: the next simpler one is used", self.server.address)
        else:
            self._leave_out(*(key for key in ("temperature", "seed", "max_tokens") if key in said))

    def _leave_out(self, *keys: str) -> None:
        if not self._refused.issuperset(keys):
            self._refused.update(keys)
            logger.warning("%s refuses %s: left out from now on", self.server.address, " and ".join(keys))


def base_url(url: str) -> str:
    """The address up to and with the version, which most servers put at /v1."""
    url = url.strip().rstrip("/").removesuffix("/chat/completions")
    address, mark, query = url.partition("?")
    address = address.rstrip("/").removesuffix("/chat/completions")
    path = address.partition("://")[2]
    return address + ("" if VERSION.search(path) else "/v1") + mark + query


def _completion(answer: Any) -> Completion:
    choice, used = answer["choices"][0], answer.get("usage") or {}
    return Completion(
        content=choice["message"].get("content") or "",
        tokens=tokens((choice.get("logprobs") or {}).get("content") or ()),
        usage=Usage(1, int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)),
    )
