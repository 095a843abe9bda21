"""Providers whose answers can be worked out by hand."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import (
    Answers,
    CategorySpec,
    ConfidenceSource,
    Encoding,
    Example,
    Prompt,
    Provider,
    ProviderError,
    ServerDown,
    TokenStates,
    Usage,
)

DIM = 256
WORD = re.compile(r"\w+")


class KeywordEncoder(Provider):
    """A text's vector is the sum of one axis for each of its words, made unit length."""

    can_embed = True
    can_explain = True
    model_name = "keyword"
    fingerprint = "keyword-1"

    def __init__(self) -> None:
        self.texts_encoded = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode(texts).vectors

    def encode(self, texts: Sequence[str], *, with_states: bool = False) -> Encoding:
        self.texts_encoded += len(texts)
        sums = np.zeros((len(texts), DIM), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in WORD.findall(text.lower()):
                sums[row, axis(word)] += 1
        norms = np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
        vectors = sums / norms[:, None]
        states = [_states(text, norm) for text, norm in zip(texts, norms, strict=True)] if with_states else None
        return Encoding(vectors, np.zeros(len(texts), dtype=bool), states)

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> NDArray[np.float32]:
        logits = self.embed(texts) @ self.embed([category.name for category in categories]).T * 10
        scores = np.exp(logits)
        return scores / scores.sum(axis=1, keepdims=True)


def axis(word: str) -> int:
    return crc32(word.encode()) % DIM


def _states(text: str, norm: float) -> TokenStates:
    """One token for each word: its axis. Their mean is the vector, before it is made unit length."""
    words = list(WORD.finditer(text))
    spans = np.array([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
    states = np.zeros((len(words), DIM), dtype=np.float16)
    for row, word in enumerate(words):
        states[row, axis(word.group().lower())] = 1
    return TokenStates(spans, states, float(norm) / max(len(words), 1))


class KeywordScores(KeywordEncoder):
    """Answers like `KeywordEncoder`, but only with probabilities."""

    can_embed = False
    can_explain = False
    model_name = "scores"
    fingerprint = "scores-1"


class Talkative(KeywordScores):
    """Gives a reason with each answer, and refuses texts that say nothing."""

    model_name = "talkative"
    fingerprint = "talkative-1"

    def answer(self, texts: Sequence[str], categories: Sequence[CategorySpec], **options: Any) -> Answers:
        errors = [ProviderError("It says nothing.", permanent=False) if "nothing" in text else None for text in texts]
        return Answers(
            self.predict(texts, categories),
            [ConfidenceSource.STATED] * len(texts),
            [f"It says {text.split()[0]}." for text in texts],
            errors,
        )


class Obedient(KeywordScores):
    """Follows a prompt: keeps those it was asked with."""

    can_be_told = True
    model_name = "obedient"
    fingerprint = "obedient-1"

    def __init__(self) -> None:
        super().__init__()
        self.prompts: list[Prompt] = []
        self.examples: list[Sequence[Example]] = []

    def answer(self, texts: Sequence[str], categories: Sequence[CategorySpec], **options: Any) -> Answers:
        self.prompts.append(options["prompt"])
        self.examples.extend(options["examples"])
        return super().answer(texts, categories)


class Priced(KeywordScores):
    """Takes a thousand tokens for each text, one of which it writes; is down as long as somebody says so."""

    model_name = "priced"
    fingerprint = "priced-1"

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0  # requests more that its server does not answer

    def answer(self, texts: Sequence[str], categories: Sequence[CategorySpec], **options: Any) -> Answers:
        if self.refusals:
            self.refusals -= 1
            raise ServerDown("The server does not answer.")
        n = len(texts)
        said = Answers.of_scores(self.predict(texts, categories), ConfidenceSource.LOGPROBS)
        return replace(said, usage=Usage(requests=n, prompt_tokens=999 * n, completion_tokens=n))


class Broken(Provider):
    """Fails for every text."""

    model_name = "broken"
    fingerprint = "broken-1"

    def __init__(self, *, permanent: bool) -> None:
        self.permanent = permanent

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> NDArray[np.float32]:
        raise ProviderError("The server does not answer. Start it.", permanent=self.permanent)


class Slow(KeywordScores):
    """Answers after a fixed time for each text, like a server elsewhere."""

    model_name = "slow"
    fingerprint = "slow-1"

    def __init__(self, *, seconds_a_text: float) -> None:
        super().__init__()
        self.seconds_a_text = seconds_a_text

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> NDArray[np.float32]:
        time.sleep(self.seconds_a_text * len(texts))
        return super().predict(texts, categories)
