"""Which words of a text made its label, from exact token contributions, and the sentence that says so.

An encoder that pools by the mean makes a category's score a sum over tokens. Words are sums of their tokens; nothing is
estimated.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_WORDS = 5
LEAST_SHARE_OF_BEST = 0.2  # weaker words than this share of the strongest are left out: they explain little
_NOWHERE = 1 << 60  # a place that no token reaches
SHORTEST_WORD = 3  # shorter ones in scripts with spaces are nearly all function words, in most languages

# Scripts written without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9d\U00020000-\U0003ffff"
)
# Vowel signs and accents belong to the word, although Python's \w leaves them out; so do the invisible joiners.
_MARKS = "\u200c\u200d" + "".join(c for c in map(chr, range(0x300, 0x1E00)) if unicodedata.category(c)[0] == "M")
_WORD = re.compile(rf"[^\W{_UNSPACED}]+(?:[{_MARKS}]+[^\W{_UNSPACED}]*|['’\-‐][^\W{_UNSPACED}]+)*")
_ENGLISH_FUNCTION_WORDS = """
    a about above after again all also am an and any are as at be because been before being below between both but
    by can can't could did didn't do does doesn't doing don't down during each few for from further get got had has
    have having he her here hers him his how i i'd i'll i'm i've if in into is isn't it it's its itself just let me
    more most must my no nor not now of off on once only or other our ours out over own same shall she should so
    some such than that that's the their theirs them then there there's these they they're this those through to too
    under until up upon us very was we we're were what what's when where which while who whom why will with within
    without won't would you you're your yours
"""
_FUNCTION_WORDS = frozenset(_ENGLISH_FUNCTION_WORDS.split())


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part of a text, by character offsets [start, end), and its weight in the label's score."""

    start: int
    end: int
    weight: float


def word_contributions(text: str, spans: NDArray[np.integer], weights: NDArray[np.floating]) -> list[Evidence]:
    """Sum token contributions into whole words; the weights add up to the sum of all token weights.

    `spans` has shape (n_tokens, 2), character offsets in reading order, (0, 0) for special tokens; `weights` has shape
    (n_tokens,). Where no spaces stand between words (Han, Thai ...), and for punctuation, every token stays for itself.
    What special tokens carry comes last, as one Evidence without a place (0, 0).
    """
    return [Evidence(start, end, weight) for start, end, weight, _ in _units(text, spans, weights)]


def top_evidence(
    text: str, spans: NDArray[np.integer], weights: NDArray[np.floating], *, limit: int = MOST_WORDS
) -> list[Evidence]:
    """The few words that speak most for the label, strongest first; arguments as of `word_contributions`.

    Every token of a mean-pooled encoder carries a part that all tokens share and that says nothing about the word, so
    words are ranked by what they carry beyond the mean token. Punctuation, function words and repetitions are skipped.
    Weights are shares of the evidence returned: they add up to one.
    """
    units = [unit for unit in _units(text, spans, weights) if unit[1] > 0]
    n_tokens = sum(unit[3] for unit in units)
    common = sum(unit[2] for unit in units) / n_tokens if n_tokens else 0.0
    ranked = sorted(((weight - n * common, start, end) for start, end, weight, n in units), reverse=True)
    chosen: list[tuple[float, int, int]] = []
    seen: set[str] = set()
    for weight, start, end in ranked:
        if weight <= 0 or len(chosen) == limit or (chosen and weight < LEAST_SHARE_OF_BEST * chosen[0][0]):
            break
        word = text[start:end]
        if word.casefold() not in seen and _is_telling(word):
            seen.add(word.casefold())
            chosen.append((weight, start, end))
    total = sum(weight for weight, _, _ in chosen)
    return [Evidence(start, end, weight / total) for weight, start, end in chosen]


def phrases(text: str, evidence: Sequence[Evidence]) -> list[str]:
    """The words of the evidence, neighbours joined to one phrase, strongest first, each once."""
    joined: list[Evidence] = []
    for word in sorted(evidence, key=lambda one: one.start):
        if joined and not text[joined[-1].end : word.start].strip():
            before = joined.pop()
            word = Evidence(before.start, word.end, before.weight + word.weight)
        joined.append(word)
    found: dict[str, str] = {}
    for one in sorted(joined, key=lambda one: -one.weight):
        phrase = text[one.start : one.end]
        found.setdefault(phrase.casefold(), phrase)
    return list(found.values())


def pieces(text: str, evidence: Iterable[tuple[int, int, float]]) -> list[tuple[str, bool]]:
    """The whole text in pieces, each with whether it speaks for the label. `evidence` as labels keep it."""
    end = 0
    found: list[tuple[str, bool]] = []
    for start, stop, _ in sorted(evidence):
        if start >= end:
            found += [(text[end:start], False), (text[start:stop], True)]
            end = stop
    return [*found, (text[end:], False)]


def sentence(ranked: Sequence[tuple[str, float]], words: Sequence[str], *, reason: str = "") -> str:
    """One sentence for people: "Sports 0.91, next Business 0.05; because of: striker, injury time, cup".

    `ranked` are category names with their confidence, best first, at least one; `words` are the `phrases`, if any;
    `reason` is what a language model said of its answer.
    """
    said = f"{ranked[0][0]} {_figure(ranked[0][1])}"
    if len(ranked) > 1:
        said += f", next {ranked[1][0]} {_figure(ranked[1][1])}"
    if words:
        said += f"; because of: {', '.join(words)}"
    return f"{said}; in the model's own words: {reason}" if reason else said


def _units(
    text: str, spans: NDArray[np.integer], weights: NDArray[np.floating]
) -> Iterator[tuple[int, int, float, int]]:
    """Yield (start, end, weight, n_tokens) of every word and lone token in reading order, special tokens last."""
    words = _WORD.finditer(text)
    word_start, word_end = _next_word(words)
    special, unit = 0.0, (0, 0, 0.0, 0)
    for (start, end), weight in zip(spans.tolist(), weights.tolist(), strict=True):
        if end <= start:
            special += weight
            continue
        while end > word_end:
            word_start, word_end = _next_word(words)
        # A token belongs to the word of its last character: some tokenizers put the space before a word into it.
        place = (word_start, word_end) if end > word_start else (start, end)
        if place == unit[:2]:
            unit = (*place, unit[2] + weight, unit[3] + 1)
            continue
        if unit[3]:
            yield unit
        unit = (*place, weight, 1)
    if unit[3]:
        yield unit
    if special:
        yield 0, 0, special, 0


def _next_word(words: Iterator[re.Match[str]]) -> tuple[int, int]:
    """Where the next word stands; after the last one, a place that no token reaches."""
    match = next(words, None)
    return match.span() if match else (_NOWHERE, _NOWHERE)


def _is_telling(word: str) -> bool:
    if len(word) < SHORTEST_WORD and _WORD.fullmatch(word) and not (len(word) > 1 and word.isupper()):
        return False
    return any(map(str.isalpha, word)) and word.casefold().replace("’", "'") not in _FUNCTION_WORDS


def _figure(confidence: float) -> str:
    """Two decimals, and never a certainty that rounding made."""
    if 0.995 <= confidence < 1:
        return ">0.99"
    return "<0.01" if 0 < confidence < 0.005 else f"{confidence:.2f}"
