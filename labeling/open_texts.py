"""The vectors of a project's review queue in memory, so that a new head can score all of it in a moment."""

import time

import numpy as np
from numpy.typing import NDArray

from labeling import embeddings, priorities
from labeling.choices import TextStatus
from labeling.learning.classifier import LinearHead
from labeling.models import Project, Text

MOST_BYTES = 200_000_000  # of vectors: 260,000 texts of 384 numbers; of more the most urgent by the last run
BLOCK = 4_096  # texts that are read and scored at once: a few MB
LOOK_SECONDS = 30.0  # between two looks at which texts there are

Block = tuple[NDArray[np.int64], NDArray[np.float16]]


class OpenTexts:
    """The texts that wait for review, with ids (n,) and float16 vectors (n, dim), in blocks: 2 bytes a number.

    Texts that were decided stay for a while, and new ones come after a while: who uses an answer looks at the rows.
    """

    def __init__(self, project: Project, *, fingerprint: str, dim: int) -> None:
        self.project = project
        self.fingerprint = fingerprint
        self.limit = MOST_BYTES // (2 * dim)
        self._blocks: list[Block] = []
        self._looked_at = -np.inf

    def __len__(self) -> int:
        return sum(len(ids) for ids, _ in self._blocks)

    def keep_up(self, *, now: bool = False) -> None:
        """Read vectors of what is new in the queue and forget those that left it. `now`: not only now and then."""
        if not now and time.monotonic() < self._looked_at + LOOK_SECONDS:
            return
        waiting = self.project.texts.filter(status=TextStatus.NEEDS_REVIEW).order_by("-priority", "pk")
        ids = np.fromiter(waiting.values_list("pk", flat=True)[: self.limit], dtype=np.int64)
        parts = [(held, vectors, np.isin(held, ids)) for held, vectors in self._blocks]
        self._blocks = [(held[stay], vectors[stay]) for held, vectors, stay in parts if stay.any()]
        known = np.concatenate([held for held, _ in self._blocks]) if self._blocks else ids[:0]
        self._read(np.setdiff1d(ids, known))
        self._looked_at = time.monotonic()

    def urgency(self, head: LinearHead, strategy: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and urgency by this head, both (n,), in no order."""
        if not self._blocks:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        scores = [priorities.urgency(head.probabilities(vectors), strategy) for _, vectors in self._blocks]
        return np.concatenate([ids for ids, _ in self._blocks]), np.concatenate(scores)

    def _read(self, ids: NDArray[np.int64]) -> None:
        texts = Text.objects.annotate(vector=embeddings.vector_of("content_hash", fingerprint=self.fingerprint))
        for start in range(0, len(ids), BLOCK):
            some = texts.filter(pk__in=ids[start : start + BLOCK].tolist()).order_by("pk")
            rows = [row for row in some.values_list("pk", "vector") if row[1] is not None]
            if rows:
                keys, vectors = zip(*rows, strict=True)
                self._add(np.array(keys, dtype=np.int64), embeddings.stacked(vectors))

    def _add(self, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """As a block of its own, or with the last one where both are small."""
        if self._blocks and len(self._blocks[-1][0]) + len(ids) <= BLOCK:
            last_ids, last_vectors = self._blocks.pop()
            ids, vectors = np.concatenate([last_ids, ids]), np.concatenate([last_vectors, vectors])
        self._blocks.append((ids, vectors))
