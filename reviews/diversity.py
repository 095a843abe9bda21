"""The diversity guard: near-duplicates teach little and tire people, so one screen shows only one of them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.models import Project, Text

NEAR_DUPLICATE = 0.95  # cosine


def spread(project: Project, texts: Sequence[Text], *, shown: Iterable[str] = ()) -> list[Text]:
    """The texts in their order, but near-duplicates of an earlier one, or of one with a hash in `shown`, come last."""
    shown = list(shown)
    vectors = _vectors(project, [*shown, *(text.content_hash for text in texts)])
    kept = [vectors[key] for key in shown if key in vectors]
    near: list[Text] = []
    diverse: list[Text] = []
    for text in texts:
        vector = vectors.get(text.content_hash)
        if vector is None:  # nothing is known of it
            diverse.append(text)
        elif kept and float((np.stack(kept) @ vector).max()) > NEAR_DUPLICATE:
            near.append(text)
        else:
            kept.append(vector)
            diverse.append(text)
    return diverse + near


def _vectors(project: Project, content_hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    found = embeddings.load(content_hashes, fingerprint=classifiers.newest_fingerprint(project))
    return {key: cached.vector.astype(np.float32) for key, cached in found.items()}
