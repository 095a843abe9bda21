"""Texts to the answers of a provider that has no vectors, each asked once: kept as vectors are, beside them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.embeddings import CachedVector, TextRow
from labeling.models import Category
from labeling.providers.base import Provider

LEAST_LOG = -20.0  # a probability of 2e-9: no certainty weighs more
AT_ONCE = 128  # texts after which answers are kept, whatever happens to the rest


class CachedAnswers:
    """A provider's answers for one set of categories, with their memory. With `keeps` false nothing is written."""

    def __init__(self, provider: Provider, categories: Sequence[Category], *, keeps: bool = True) -> None:
        self.provider = provider
        self.categories = classifiers.specs(categories)
        self.fingerprint = classifiers.answers_fingerprint(provider, categories)
        self.keeps = keeps

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Under which all that it reads is kept."""
        return (self.fingerprint,)

    def read(self, rows: Sequence[TextRow]) -> NDArray[np.float32]:
        """Log-probabilities (n_texts, n_categories). Only texts that were never asked about are sent.

        They are rounded to 16 bits, also the first time, so that a later run finds the same label.
        """
        cached = embeddings.load((row.content_hash for row in rows), fingerprint=self.fingerprint)
        missing = [row for row in rows if row.content_hash not in cached]
        for start in range(0, len(missing), AT_ONCE):
            self._ask(missing[start : start + AT_ONCE], cached)
        logs = np.array([cached[row.content_hash].vector for row in rows], dtype=np.float32)
        return logs.reshape(len(rows), len(self.categories))

    def _ask(self, rows: Sequence[TextRow], cached: dict[str, CachedVector]) -> None:
        """Send these texts to the provider, keep its answers and add them to `cached`."""
        scores = self.provider.predict([row.content for row in rows], self.categories)
        logs = np.log(np.maximum(scores, np.exp(LEAST_LOG), dtype=np.float32))
        hashes = [row.content_hash for row in rows]
        if self.keeps:
            embeddings.store(hashes, logs, np.zeros(len(rows), dtype=bool), fingerprint=self.fingerprint)
        rounded = logs.astype(embeddings.STORED)
        cached.update(zip(hashes, (CachedVector(row, False) for row in rounded), strict=True))
