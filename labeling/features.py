"""What a head reads of a text: its vector, and before it a model's answer where the head was learned on both."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

import numpy as np
from django.db.models import Exists, OuterRef, Q
from numpy.typing import NDArray

from labeling import embeddings
from labeling.asking import CachedAnswers
from labeling.classifiers import Inputs
from labeling.embeddings import CachedEncoder, Encoded, TextRow
from labeling.learning import answers
from labeling.models import Classifier, Embedding, Project
from labeling.providers import get_encoder
from labeling.providers.base import Usage
from labeling.querysets import TextQuerySet

AT_ONCE = 1_000


class StackedEncoder:
    """An encoder whose rows begin with a model's answer: `answers.features`, shape (n_texts, n_categories + dim)."""

    def __init__(self, asked: CachedAnswers, encoder: CachedEncoder) -> None:
        self.asked = asked
        self.encoder = encoder

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Under which all that it reads is kept."""
        return (*self.asked.fingerprints, self.encoder.provider.fingerprint)

    def take_usage(self) -> Usage:
        """What asking took since this was asked for the last time."""
        return self.asked.take_usage()

    def keep(self) -> None:
        """Keep what was read, where it was not kept at once."""
        self.asked.keep()
        self.encoder.keep()

    def read(self, rows: Sequence[TextRow]) -> Encoded:
        """As `CachedEncoder.read`. The model is asked only about texts that it was never asked about."""
        asked = self.asked.read(rows)
        encoded = self.encoder.read(rows)
        return replace(encoded, vectors=answers.features(asked.logs, encoded.vectors))


def load(content_hashes: Iterable[str], inputs: Inputs | Classifier) -> dict[str, NDArray[np.float32]]:
    """The features that are cached, by content hash. A text of which a part is missing is left out."""
    hashes = list(content_hashes)
    found: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(hashes), AT_ONCE):
        found |= _load_some(hashes[start : start + AT_ONCE], inputs)
    return found


def _load_some(hashes: Sequence[str], inputs: Inputs | Classifier) -> dict[str, NDArray[np.float32]]:
    vectors = embeddings.load(hashes, fingerprint=inputs.model_fingerprint)
    if not inputs.answers_fingerprint:
        return {key: cached.vector.astype(np.float32) for key, cached in vectors.items()}
    asked = embeddings.load(vectors, fingerprint=inputs.answers_fingerprint)
    if not asked:
        return {}
    logs = np.stack([cached.vector for cached in asked.values()])
    rows = answers.features(logs, np.stack([vectors[key].vector for key in asked]))
    return dict(zip(asked, rows, strict=True))


def lacking(texts: TextQuerySet, fingerprints: Collection[str]) -> TextQuerySet:
    """Those of the texts that have nothing cached under one of the fingerprints or more."""
    cached = Embedding.objects.filter(content_hash=OuterRef("content_hash"))
    missing = [Q(~Exists(cached.filter(model_fingerprint=fingerprint))) for fingerprint in fingerprints]
    return texts.filter(reduce(or_, missing))


def embed_answered(project: Project, content_hashes: Sequence[str], inputs: Inputs) -> int:
    """Give a vector to those of the project's texts that have an answer and no vector; returns to how many.

    Labeling by the answers alone needs no encoder: the vectors are computed when there is something to learn.
    """
    encoder, count = CachedEncoder(get_encoder(), explained=False), 0
    for start in range(0, len(content_hashes), AT_ONCE):
        some = content_hashes[start : start + AT_ONCE]
        waiting = _cached(some, inputs.answers_fingerprint) - _cached(some, inputs.model_fingerprint)
        texts = project.texts.filter(content_hash__in=waiting).order_by("pk")
        rows = [TextRow(*values) for values in texts.values_list("pk", "content", "content_hash")]
        encoder.read_ahead(rows)
        count += len(rows)
    return count


def _cached(content_hashes: Sequence[str], fingerprint: str) -> set[str]:
    cached = Embedding.objects.filter(model_fingerprint=fingerprint, content_hash__in=content_hashes)
    return set(cached.values_list("content_hash", flat=True))
