"""What people decided, and a sample of all texts, as the arrays that heads are learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from labeling import features
from labeling.choices import TextStatus
from labeling.classifiers import Inputs
from labeling.models import Category, Project

MOST_REVIEWS = 20_000  # the newest are learned from: more change the head less than a new category's name
POOL_TEXTS = 5_000


@dataclass(frozen=True, eq=False)
class Lesson:
    """What people decided, as arrays: `vectors` (n, dim), `labels` (n,) as places among the categories.

    Of a provider that only answers, its answer stands before the vector: `answers.features`. `left_out` texts could not
    be learned from: no run has read them with this model and these categories.
    """

    reviewed_at: list[datetime | None]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    left_out: int


def read(
    project: Project,
    inputs: Inputs,
    categories: Sequence[Category],
    *,
    most: int = MOST_REVIEWS,
    kept: dict[str, NDArray[np.float32]] | None = None,
) -> Lesson:
    """The newest reviewed texts that hold one of the categories, with what is cached of them.

    Texts of the blind audit are left out: they judge. What is in `kept`, by content hash, is not read again, and what
    is read is added to it.
    """
    places = {category.pk: place for place, category in enumerate(categories)}
    texts = project.texts.filter(status=TextStatus.REVIEWED, is_audit=False, reviewed_at__isnull=False)
    texts = texts.filter(current_label__category__in=list(places)).order_by("-reviewed_at", "-pk")
    rows = list(texts.values_list("content_hash", "current_label__category_id", "reviewed_at")[:most])
    found = {} if kept is None else kept
    found.update(_vectors(project, [content_hash for content_hash, _, _ in rows if content_hash not in found], inputs))
    known = [row for row in rows if row[0] in found]
    return Lesson(
        reviewed_at=[when for _, _, when in known],
        vectors=np.array([found[content_hash] for content_hash, _, _ in known], dtype=np.float32),
        labels=np.array([places[category_id] for _, category_id, _ in known], dtype=np.int64),
        left_out=len(rows) - len(known),
    )


def read_pool(project: Project, inputs: Inputs) -> NDArray[np.float32]:
    """Vectors (m, dim) of a random sample of the project's texts: the order of hashes is a random order."""
    hashes = list(project.texts.order_by("content_hash").values_list("content_hash", flat=True)[:POOL_TEXTS])
    found = _vectors(project, hashes, inputs)
    return np.array([found[key] for key in hashes if key in found], dtype=np.float32)


def _vectors(project: Project, content_hashes: Sequence[str], inputs: Inputs) -> dict[str, NDArray[np.float32]]:
    if inputs.answers_fingerprint:
        features.embed_answered(project, content_hashes, inputs)
    return features.load(content_hashes, inputs)
