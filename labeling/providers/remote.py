"""What providers on a server share: each distinct text is asked about once per call, and each may fail alone."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar, Protocol

import numpy as np

from labeling.providers.base import (
    Answers,
    CategorySpec,
    ConfidenceSource,
    Example,
    FloatArray,
    Prompt,
    Provider,
    ProviderError,
    Usage,
    require_categories,
)
from labeling.providers.http import Server

NO_PROMPT = Prompt()


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known about one text: scores (n_categories,) that sum to one, and where they come from."""

    scores: FloatArray
    source: ConfidenceSource
    reason: str = ""


class Call(Protocol):
    """One call of `answer`. `usage` grows with each response, also with those that are of no use."""

    usage: Usage

    async def ask_all(self, shown: Mapping[str, Sequence[Example]]) -> dict[str, Verdict | ProviderError]:
        """What is said about each text. Raises ProviderError when none is answered, unless it is the texts' fault."""


class RemoteProvider(Provider):
    """A model on a server. `wire` names the language; `deciding` is whatever else decides the answers, never the key.

    Raises ProviderError when no model is named.
    """

    can_be_told = True
    wire: ClassVar[str]

    def __init__(self, server: Server, model: str, *deciding: object) -> None:
        if not model.strip():
            raise ProviderError(f"No model is named. Set {server.names.model}.", permanent=True)
        self.server = server
        self._model = model.strip()
        self._deciding = deciding

    @property
    def model_name(self) -> str:
        return self._model

    @cached_property
    def fingerprint(self) -> str:
        parts = (self.wire, self.server.address, self._model, *self._deciding)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @abstractmethod
    def begin(self, categories: Sequence[CategorySpec], prompt: Prompt) -> Call:
        """A call about these categories. Raises a permanent ProviderError for a prompt that cannot be used."""

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> FloatArray:
        """As `answer`, but the first error of a text is raised."""
        answers = self.answer(texts, categories)
        for error in answers.errors:
            if error:
                raise error
        return answers.scores

    def answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        *,
        prompt: Prompt = NO_PROMPT,
        examples: Sequence[Sequence[Example]] = (),
    ) -> Answers:
        """As promised by Provider, within 1.25 times the timeout: what is not answered by then has failed for now."""
        require_categories(categories)
        call = self.begin(categories, prompt)
        shown = dict(zip(texts, examples or [()] * len(texts), strict=True))
        found = self.server.run(partial(call.ask_all, shown)) if shown else {}
        return _answers([found[text] for text in texts], len(categories), call.usage)


def _answers(found: Sequence[Verdict | ProviderError], n_categories: int, usage: Usage) -> Answers:
    failed = Verdict(np.zeros(n_categories, dtype=np.float32), ConfidenceSource.NONE)
    verdicts = [failed if isinstance(one, ProviderError) else one for one in found]
    return Answers(
        scores=np.array([one.scores for one in verdicts], dtype=np.float32).reshape(len(found), n_categories),
        sources=[one.source for one in verdicts],
        reasons=[one.reason for one in verdicts],
        errors=[one if isinstance(one, ProviderError) else None for one in found],
        usage=usage,
    )
