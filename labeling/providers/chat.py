"""What providers of chat models share: ask about each text, read the answer strictly, and say how sure it is."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labeling.providers import confidence, parsing
from labeling.providers.base import CategorySpec, ConfidenceSource, Example, Prompt, ProviderError, Usage
from labeling.providers.confidence import Token
from labeling.providers.http import Server, concerns_all, settled
from labeling.providers.parsing import Parsed, Unusable
from labeling.providers.prompting import Briefing, Form, Message, correction
from labeling.providers.remote import RemoteProvider, Verdict
from labeling.providers.statuses import TextRefused

MANNER = 1  # counted up when what a model is told changes, so that answers kept before are not mixed in


@dataclass(frozen=True)
class Completion:
    """What a server answered: the words, their tokens where it reports them, and what that took.

    `is_cut`: the answer was longer than `max_tokens`.
    """

    content: str
    tokens: Sequence[Token] = ()
    usage: Usage = field(default_factory=Usage)
    is_cut: bool = False


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """How a chat model is asked.

    `samples`: so many answers a text, where the server reports no logprobs; the further ones at `sample_temperature`.
    `reason_first`: a wanted reason stands before the category. `states_confidence`: the model says how sure it is,
    which is used where nothing better is known. `texts_per_request` above 1 saves tokens, and gives up logprobs.
    """

    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 512
    samples: int = 1
    sample_temperature: float = 0.7
    reason_first: bool = False
    states_confidence: bool = False
    texts_per_request: int = 1

    def temperature_of(self, sample: int) -> float:
        return self.sample_temperature if sample else self.temperature


class ChatProvider(RemoteProvider):
    """A model that follows a prompt. Subclasses speak a server's language in `complete`."""

    confidence_source = ConfidenceSource.LOGPROBS  # at best; `answer` says it of each text

    def __init__(self, server: Server, model: str, options: ChatOptions, *deciding: object) -> None:
        super().__init__(server, model, MANNER, options, *deciding)
        self.options = options

    async def prepare(self) -> None:
        """Learn what the server can do, before anything is asked. Raises ProviderError."""

    @abstractmethod
    async def complete(self, messages: Sequence[Message], schema: dict[str, Any], *, sample: int) -> Completion:
        """The model's answer in JSON of this schema, as far as the server can hold it to that. Raises ProviderError.

        `sample` counts the answers to the same question from 0.
        """

    def begin(self, categories: Sequence[CategorySpec], prompt: Prompt) -> "ChatCall":
        names = tuple(category.name for category in categories)
        form = Form(names, prompt.wants_reason, self.options.reason_first, self.options.states_confidence)
        return ChatCall(self, form, Briefing(prompt, categories, form))


class ChatCall:
    """One call of `answer`."""

    def __init__(self, provider: ChatProvider, form: Form, briefing: Briefing) -> None:
        self.usage = Usage()
        self._provider = provider
        self._form = form
        self._briefing = briefing
        self._schema = parsing.schema(form)

    async def ask_all(self, shown: Mapping[str, Sequence[Example]]) -> dict[str, Verdict | ProviderError]:
        server = self._provider.server
        until = server.deadline()
        (failed,) = await server.each([self._provider.prepare], until=until)
        if failed:
            raise failed
        found = await self._ask_groups(shown, until)
        rest = [text for text in shown if text not in found]
        single = await server.each([partial(self._ask_one, text, shown[text]) for text in rest], until=until)
        found |= zip(rest, single, strict=True)
        return dict(zip(found, settled(list(found.values())), strict=True))

    async def _ask_groups(
        self, shown: Mapping[str, Sequence[Example]], until: float
    ) -> dict[str, Verdict | ProviderError]:
        """Several texts in one request, if wanted. What is not in the result is left to single requests."""
        texts, size = list(shown), self._provider.options.texts_per_request
        groups = [texts[start : start + size] for start in range(0, len(texts), size)] if size > 1 else []
        asks = [partial(self._ask_group, group, shown) for group in groups]
        found: dict[str, Verdict | ProviderError] = {}
        for group, result in zip(groups, await self._provider.server.each(asks, until=until), strict=True):
            if not isinstance(result, ProviderError):
                found |= result
            elif concerns_all(result):
                found |= dict.fromkeys(group, result)
        return found

    async def _ask_group(self, texts: list[str], shown: Mapping[str, Sequence[Example]]) -> dict[str, Verdict]:
        if len(texts) == 1:
            return {}
        examples = list(dict.fromkeys(example for text in texts for example in shown[text]))
        messages = self._briefing.messages(texts, examples)
        completion = await self._complete(messages, schema=parsing.group_schema(self._form))
        found = parsing.parse_group(completion.content, self._form, len(texts))
        return {texts[index]: self._stated(parsed) for index, parsed in found.items()}

    async def _ask_one(self, text: str, examples: Sequence[Example]) -> Verdict:
        messages = self._briefing.messages([text], examples)
        completion, parsed = await self._usable(messages)
        scores = confidence.from_tokens(completion.tokens, self._form.names, parsed.category)
        if scores is not None:
            return Verdict(scores, ConfidenceSource.LOGPROBS, parsed.reason)
        if self._provider.options.samples > 1:
            return await self._vote(messages, parsed)
        return self._stated(parsed)

    async def _usable(self, messages: list[Message]) -> tuple[Completion, Parsed]:
        """An answer with a category, by a second request where the first has none. Raises TextRefused after that."""
        completion = await self._complete(messages)
        try:
            return completion, parsing.parse(completion.content, self._form)
        except Unusable as wrong:
            messages = [*messages, *correction(completion.content, str(wrong))]
        completion = await self._complete(messages)
        try:
            return completion, parsing.parse(completion.content, self._form)
        except Unusable as wrong:
            step = "Raise max_tokens" if completion.is_cut else "Decide this text yourself"
            raise TextRefused(
                f"{self._provider.model_name} named no category, also when asked again. {wrong} "
                f"{step}, or choose another model."
            ) from None

    async def _vote(self, messages: list[Message], first: Parsed) -> Verdict:
        votes = [first]
        for sample in range(1, self._provider.options.samples):
            completion = await self._complete(messages, sample=sample)
            try:
                votes.append(parsing.parse(completion.content, self._form))
            except Unusable:
                continue  # an answer that names nothing is no vote
        scores = confidence.from_votes([vote.category for vote in votes], len(self._form.names))
        reason = next(vote.reason for vote in votes if scores[vote.category] == scores.max())
        return Verdict(scores, ConfidenceSource.AGREEMENT, reason)

    def _stated(self, parsed: Parsed) -> Verdict:
        """By what the model says about itself, or by nothing."""
        n = len(self._form.names)
        if parsed.confidence is None:
            scores = confidence.from_one_answer(parsed.category, n)
            return Verdict(scores, ConfidenceSource.NONE, parsed.reason)
        scores = confidence.from_one_answer(parsed.category, n, probability=parsed.confidence)
        return Verdict(scores, ConfidenceSource.STATED, parsed.reason)

    async def _complete(
        self, messages: Sequence[Message], *, schema: dict[str, Any] | None = None, sample: int = 0
    ) -> Completion:
        completion = await self._provider.complete(messages, schema or self._schema, sample=sample)
        self.usage += completion.usage
        return completion
