"""Whether a provider works: two texts are labeled, and how fast."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from labeling.providers import get_provider
from labeling.providers.base import Answers, CategorySpec, ProviderError

TEXTS = ("The striker scored twice in the second half.", "Heavy rain and wind from the north tomorrow.")
CATEGORIES = (CategorySpec("Sports", "Matches, players and results."), CategorySpec("Weather", "Rain, sun and wind."))


@dataclass(frozen=True)
class ProviderCheck:
    """What came of it, in lines for people. `works`: at least one text was answered."""

    works: bool
    lines: tuple[str, ...]


def check(alias: str) -> ProviderCheck:
    """Label two texts by this provider. What goes wrong is in the result, with the next step."""
    try:
        provider = get_provider(alias)
        provider.answer(TEXTS, CATEGORIES)  # the first call loads the model, or wakes the server
        begun = time.monotonic()
        said = provider.answer(TEXTS, CATEGORIES)
        seconds = time.monotonic() - begun
    except ProviderError as error:
        return ProviderCheck(False, (str(error),))
    lines = (
        f"{alias}: {type(provider).__name__}, {provider.model_name}",
        *_answers(said),
        f"{len(TEXTS) / seconds:,.1f} texts/s, two at once.",
    )
    return ProviderCheck(not all(said.errors), lines)


def _answers(said: Answers) -> Iterator[str]:
    rows = zip(TEXTS, said.scores, said.sources, said.reasons, said.errors, strict=True)
    for text, scores, source, reason, error in rows:
        best = scores.argmax()
        answer = f"{CATEGORIES[best].name} {scores[best]:.2f}, confidence from: {source.value}. {reason}".rstrip()
        yield f"  {text} -> {f'failed: {error}' if error else answer}"
