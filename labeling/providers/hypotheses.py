"""The sentences that models of natural language inference judge: does the text say this?"""

from collections.abc import Sequence

from labeling.providers.base import ProviderError

HYPOTHESIS = "This text is about {}."


def hypotheses(names: Sequence[str], pattern: str = "") -> list[str]:
    """One sentence for each category, by the provider's own pattern or another with {} in the name's place.

    Raises a permanent ProviderError for a pattern without it.
    """
    if "{}" not in (pattern or HYPOTHESIS):
        raise ProviderError(
            f"The hypothesis {pattern!r} does not say where the category stands. Put {{}} in its place.",
            permanent=True,
        )
    return [(pattern or HYPOTHESIS).replace("{}", words_of(name)) for name in names]


def words_of(name: str) -> str:
    """A category's name as it stands in a sentence."""
    return " ".join(name.replace("_", " ").split())
