"""Texts to vectors, each content once: cached for each model, whatever project it is in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import numpy as np
from django.db.models import OuterRef, QuerySet, Subquery
from numpy.typing import NDArray

from labeling import bulk
from labeling.models import Classifier, Embedding
from labeling.providers.base import Provider, TokenStates

STORED = np.dtype("<f2")
STATES_BYTES = 200_000_000  # of the token states that are kept in memory: about 5,000 texts of 50 words


class TextRow(NamedTuple):
    """What labeling needs of a text."""

    id: int
    content: str
    content_hash: str


class CachedVector(NamedTuple):
    vector: NDArray[np.float16]  # (dim,), of unit length where an encoder made it
    is_truncated: bool
    reason: str = ""
    confidence_source: str = ""


@dataclass(frozen=True, eq=False)
class Encoded:
    """What is known of n texts: `vectors` (n, dim), `truncated` (n,), `states` one for each text or None."""

    vectors: NDArray[np.float32]
    truncated: NDArray[np.bool_]
    states: list[TokenStates | None]


class CachedEncoder:
    """A provider that embeds, with its memory: vectors in the database, token states here.

    With `explained` every text that is read goes through the model unless its token states are still here, because
    evidence needs them. Without, what is cached needs no model. With `keeps` false nothing is written until `keep`.
    """

    def __init__(self, provider: Provider, *, explained: bool, keeps: bool = True) -> None:
        self.provider = provider
        self.keeps = keeps
        self.explained = explained and provider.can_explain
        self._kept: dict[str, TokenStates] = {}
        self._room = STATES_BYTES
        self._unkept: dict[str, CachedVector] = {}

    def keep(self) -> None:
        """Write the vectors that were computed and not kept."""
        store(self._unkept, fingerprint=self.provider.fingerprint)
        self._unkept = {}

    def read_ahead(self, rows: Sequence[TextRow]) -> NDArray[np.float32]:
        """Vectors (n_texts, dim), before a head is fitted; states are kept for `read` as far as there is room."""
        cached = load((row.content_hash for row in rows), fingerprint=self.provider.fingerprint)
        missing = [row for row in rows if row.content_hash not in cached]
        for key, states in self._encode(missing, cached).items():
            if states and states.states.nbytes <= self._room:
                self._room -= states.states.nbytes
                self._kept[key] = states
        return _stacked(rows, cached)

    def read(self, rows: Sequence[TextRow]) -> Encoded:
        """Vectors and, with `explained`, token states of these texts. Each is read once: kept states are given up."""
        needs_all = self.explained and not self._kept  # every text goes through the model, whatever is cached
        hashes = [] if needs_all and not self.keeps else [row.content_hash for row in rows]
        cached = load(hashes, fingerprint=self.provider.fingerprint) if hashes else {}
        known = self._kept if self.explained else cached
        states = self._encode([row for row in rows if row.content_hash not in known], cached)
        for row in rows:
            if (kept := self._kept.pop(row.content_hash, None)) is not None:
                states[row.content_hash] = kept
                self._room += kept.states.nbytes
        truncated = np.array([cached[row.content_hash].is_truncated for row in rows], dtype=bool)
        return Encoded(_stacked(rows, cached), truncated, [states.get(row.content_hash) for row in rows])

    def _encode(self, rows: Sequence[TextRow], cached: dict[str, CachedVector]) -> dict[str, TokenStates | None]:
        """Send these texts through the model, cache their vectors and add them to `cached`; returns their states."""
        if not rows:
            return {}
        found = self.provider.encode([row.content for row in rows], with_states=self.explained)
        hashes = [row.content_hash for row in rows]
        read = dict(zip(hashes, map(CachedVector, found.vectors.astype(STORED), found.truncated.tolist()), strict=True))
        self._unkept |= {key: vector for key, vector in read.items() if key not in cached}
        if self.keeps:
            self.keep()
        cached.update(read)
        return dict(zip(hashes, found.states or repeat(None), strict=False))


def load(content_hashes: Iterable[str], *, fingerprint: str | QuerySet[Classifier, str]) -> dict[str, CachedVector]:
    """The vectors that are cached, by content hash."""
    rows = Embedding.objects.filter(model_fingerprint=fingerprint, content_hash__in=list(content_hashes))
    return {
        content_hash: CachedVector(np.frombuffer(vector, dtype=STORED), *more)
        for content_hash, vector, *more in rows.values_list("content_hash", "vector", *CachedVector._fields[1:])
    }


def vector_of(text: str, *, fingerprint: str) -> Subquery:
    """For a queryset: the cached vector's bytes, or null, of the text whose content hash is in the field `text`."""
    cached = Embedding.objects.filter(model_fingerprint=fingerprint, content_hash=OuterRef(text))
    return Subquery(cached.values("vector"))


def stacked(vectors: Sequence[bytes]) -> NDArray[np.float16]:
    """Vectors as they are stored, as one matrix (n, dim), which is read only."""
    return np.frombuffer(b"".join(vectors), dtype=STORED).reshape(len(vectors), -1 if vectors else 0)


def store(found: Mapping[str, CachedVector], *, fingerprint: str) -> None:
    """Keep vectors, by content hash. What is cached already stays as it is."""
    # Sorted, so that two processes that embed the same texts cannot wait for each other's rows on PostgreSQL.
    rows = [(key, found[key].vector.tobytes(), *found[key][1:]) for key in sorted(found)]
    columns = ("content_hash", *CachedVector._fields)
    bulk.insert_ignoring_duplicates(Embedding, columns, rows, shared={"model_fingerprint": fingerprint})


def _stacked(rows: Sequence[TextRow], cached: dict[str, CachedVector]) -> NDArray[np.float32]:
    return np.array([cached[row.content_hash].vector for row in rows], dtype=np.float32)
