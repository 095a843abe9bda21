"""From what a chat model said to probabilities of the categories, by the best source that there is."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.providers.base import FloatArray

ANSWERED = 0.7  # of the answered category where nothing else is known: below the default threshold, so people look
MOST_STATED = 0.99  # models are sure of themselves
LEAST = 1e-6  # of a category that the server did not list
CATEGORY_KEY = re.compile(rb'(?<!\\)"category"\s*:\s*"')


@dataclass(frozen=True)
class Token:
    """A piece of the answer as bytes, for a piece may end inside a character; alternatives with probabilities."""

    text: bytes
    probability: float
    alternatives: tuple[tuple[bytes, float], ...] = ()


def tokens(entries: Sequence[dict[str, Any]]) -> tuple[Token, ...]:
    """Tokens from `logprobs` as OpenAI, llama.cpp and Ollama write them."""
    return tuple(
        Token(*_piece(entry), tuple(_piece(other) for other in entry.get("top_logprobs") or ())) for entry in entries
    )


def from_tokens(answer: Sequence[Token], names: Sequence[str], answered: int) -> FloatArray | None:
    """Probabilities (n_categories,) of the names, from the tokens that spell the answered one; None if not found.

    Servers report the model's distribution before the grammar, so at each token only what continues a name counts, and
    is renormalised. The rest of the mass is spread evenly over the names that no listed token continues, each at most
    as probable as the last that is listed.
    """
    found = _locate(b"".join(token.text for token in answer), names, answered)
    if found is None:
        return None
    start, rests = found
    scores, path, offset = np.zeros(len(names)), 1.0, 0
    for token in answer:
        head = token.text[: max(start - offset, 0)]
        said = token.text[len(head) :]
        offset += len(token.text)
        if not said:
            continue
        shares, taken = _step(token, head, rests)
        total = sum(shares.values()) + taken
        for index, share in shares.items():
            scores[index] += path * share / total
        path *= taken / total
        rests = {index: rest[len(said) :] for index, rest in rests.items() if _fits(said, rest)}
        if len(rests) == 1:
            break
    for index in rests:
        scores[index] += path / len(rests)
    return (scores / scores.sum()).astype(np.float32)


def from_votes(votes: Sequence[int], n_categories: int) -> FloatArray:
    """The shares of several answers, smoothed by two more that are spread evenly.

    With two categories that is Laplace's rule of succession; one added to each of many would drown the votes.
    """
    counts = Counter(votes)
    smoothed = np.array([counts[index] for index in range(n_categories)]) + 2 / n_categories
    return (smoothed / smoothed.sum()).astype(np.float32)


def from_one_answer(answered: int, n_categories: int, *, probability: float = ANSWERED) -> FloatArray:
    """The answered category has this probability, but at least a little more than the others, which share the rest."""
    if n_categories == 1:
        return np.ones(1, dtype=np.float32)
    at_least = 1 / n_categories + 0.01
    chosen = min(max(probability, at_least), MOST_STATED)
    scores = np.full(n_categories, (1 - chosen) / (n_categories - 1), dtype=np.float32)
    scores[answered] = chosen
    return scores


def _piece(entry: dict[str, Any]) -> tuple[bytes, float]:
    raw, logprob = entry.get("bytes"), entry.get("logprob")
    text = bytes(raw) if raw else str(entry.get("token", "")).encode("utf-8", "replace")
    return text, math.exp(min(float(logprob), 0.0)) if logprob is not None else 0.0


def _locate(content: bytes, names: Sequence[str], answered: int) -> tuple[int, dict[int, bytes]] | None:
    """Where the answered name begins, and what each name's letters and closing quote are as JSON there."""
    for match in reversed(list(CATEGORY_KEY.finditer(content))):
        for ascii_only in (False, True):
            written = [json.dumps(name, ensure_ascii=ascii_only).encode("utf-8", "replace")[1:] for name in names]
            if content.startswith(written[answered], match.end()):
                return match.end(), dict(enumerate(written))
    return None


def _step(token: Token, head: bytes, rests: dict[int, bytes]) -> tuple[dict[int, float], float]:
    """The mass of each name that another token than the taken one continues, and the mass of the taken one."""
    shares: dict[int, float] = {}
    listed = [(text, mass) for text, mass in token.alternatives if text != token.text]
    continued = {index for index, rest in rests.items() if _fits(token.text[len(head) :], rest)}
    for text, mass in listed:
        said = text[len(head) :]
        fitting = [index for index, rest in rests.items() if _fits(said, rest)] if text.startswith(head) else []
        for index in fitting:
            shares[index] = shares.get(index, 0.0) + mass / len(fitting)
    unseen = rests.keys() - shares.keys() - continued
    if unseen:
        left = max(0.0, 1 - token.probability - sum(mass for _, mass in listed)) / len(unseen)
        last = min((mass for _, mass in token.alternatives), default=left)
        shares |= dict.fromkeys(unseen, max(LEAST, min(left, last)))
    return shares, max(token.probability, LEAST)


def _fits(said: bytes, rest: bytes) -> bool:
    """Whether these letters continue this name: as a part of it, or to its closing quote and beyond."""
    return bool(said) and (rest.startswith(said) or said.startswith(rest))
