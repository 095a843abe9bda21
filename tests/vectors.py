"""Cached vectors that tests choose."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import embeddings
from labeling.embeddings import CachedVector


def keep(content_hashes: Sequence[str], vectors: NDArray[np.float32], *, fingerprint: str) -> None:
    """As if a model of that fingerprint had read the texts: one row of `vectors` for each."""
    rows = (CachedVector(row, False) for row in vectors.astype(embeddings.STORED))
    embeddings.store(dict(zip(content_hashes, rows, strict=True)), fingerprint=fingerprint)
