"""Texts to the answers of a provider that has no vectors, each asked once: kept as vectors are, beside them."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.embeddings import CachedVector, TextRow
from labeling.models import Category
from labeling.providers.base import Provider, ProviderError, ServerDown, Usage

LEAST_LOG = -20.0  # a probability of 2e-9: no certainty weighs more
AT_ONCE = 128  # texts after which answers are kept, whatever happens to the rest


class TextsFailed(Exception):
    """Some texts could not be answered, each for a reason of its own. Answers about the others are kept."""

    def __init__(self, errors: dict[str, ProviderError]) -> None:
        super().__init__(f"{len(errors)} texts could not be answered.")
        self.errors = errors  # by content hash


@dataclass(frozen=True, eq=False)
class Asked:
    """What is known of n texts: `logs` (n, n_categories) of the probabilities, where they come from, and why."""

    logs: NDArray[np.float32]
    sources: list[str]
    reasons: list[str]


class CachedAnswers:
    """A provider's answers for one set of categories, with their memory.

    With `keeps` false nothing is written until `keep`. What is not written yet is remembered here, so that it is not
    asked for twice either. From `until` on, a time of the monotonic clock, the provider is asked nothing more.
    """

    def __init__(
        self, provider: Provider, categories: Sequence[Category], *, keeps: bool = True, until: float = math.inf
    ) -> None:
        self.provider = provider
        self.categories = classifiers.specs(categories)
        self.fingerprint = classifiers.answers_fingerprint(provider, categories)
        self.keeps = keeps
        self.until = until
        self._usage = Usage()
        self._unkept: dict[str, CachedVector] = {}

    def keep(self) -> None:
        """Write the answers that were given and not kept."""
        embeddings.store(self._unkept, fingerprint=self.fingerprint)
        self._unkept = {}

    def take_usage(self) -> Usage:
        """What asking took since this was asked for the last time."""
        taken, self._usage = self._usage, Usage()
        return taken

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Under which all that it reads is kept."""
        return (self.fingerprint,)

    def count_missing(self, rows: Sequence[TextRow]) -> int:
        """How many of these texts would be sent."""
        return len(rows) - len(embeddings.load((row.content_hash for row in rows), fingerprint=self.fingerprint))

    def read(self, rows: Sequence[TextRow]) -> Asked:
        """What the provider says of these texts. Only those that were never asked about are sent.

        Logarithms are rounded to 16 bits, also the first time, so that a later run finds the same label. Raises
        TextsFailed when there is a text without an answer, and what the provider raises.
        """
        cached = embeddings.load((row.content_hash for row in rows), fingerprint=self.fingerprint) | self._unkept
        missing = [row for row in rows if row.content_hash not in cached]
        failed: dict[str, ProviderError] = {}
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            failed |= _unasked(some) if time.monotonic() >= self.until else self._ask(some, cached)
        if failed:
            raise TextsFailed(failed)
        found = [cached[row.content_hash] for row in rows]
        logs = np.array([one.vector for one in found], dtype=np.float32).reshape(len(rows), len(self.categories))
        return Asked(logs, [one.confidence_source for one in found], [one.reason for one in found])

    def _ask(self, rows: Sequence[TextRow], cached: dict[str, CachedVector]) -> dict[str, ProviderError]:
        """Send these texts to the provider, keep its answers and add them to `cached`; returns what failed."""
        said = self.provider.answer([row.content for row in rows], self.categories)
        self._usage += said.usage
        logs = np.log(np.maximum(said.scores, np.exp(LEAST_LOG), dtype=np.float32)).astype(embeddings.STORED)
        answered: dict[str, CachedVector] = {}
        failed: dict[str, ProviderError] = {}
        for row, vector, source, reason, error in zip(rows, logs, said.sources, said.reasons, said.errors, strict=True):
            if error is not None:
                failed[row.content_hash] = error
            else:
                answered[row.content_hash] = CachedVector(vector, False, reason, source.value)
        self._unkept |= answered
        if self.keeps:
            self.keep()
        cached.update(answered)
        for error in failed.values():
            if isinstance(error, ServerDown):  # what was answered before is kept
                raise error
        return failed


def _unasked(rows: Sequence[TextRow]) -> dict[str, ProviderError]:
    late = (
        "The model did not answer about this text in time. See that its server runs, send fewer texts at once, or let "
        "a run label them."
    )
    return {row.content_hash: ProviderError(late, permanent=False) for row in rows}
