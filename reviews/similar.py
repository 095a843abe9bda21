"""Which reviewed texts are nearest to a text: by cosine, against vectors that are cached already."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db.models import Max, QuerySet
from django.db.models.functions import Left
from django.utils.text import Truncator
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews.models import DECISIONS, Review

MOST_TEXTS = 20_000  # of a project, its newest: 30 MB of vectors with 384 numbers
MOST_PROJECTS = 4  # kept in one process
REFRESH_SECONDS = 3.0  # new decisions are looked for no more often
REBUILD_SECONDS = 900.0  # imported labels and vectors that came later are found only by a new start
AT_ONCE = 1000  # vectors read by one statement
LATE = 200  # reviews: on PostgreSQL one with a smaller id may be committed later
SPARE = 10  # looked up besides: a text may have been taken back since
EXCERPT = 160  # characters


@dataclass(frozen=True)
class SimilarText:
    """A reviewed text. `similarity` is the cosine, between 0 and 1."""

    text_id: int
    excerpt: str
    category: str
    similarity: float


@dataclass(frozen=True)
class Nearest:
    """The nearest reviewed texts, nearest first; without any, the reason."""

    texts: list[SimilarText]
    reason: str = ""


def nearest(project: Project, text: Text, count: int = 3) -> Nearest:
    """The `count` reviewed texts of the project that are most like `text`, itself left out.

    Gold is left out as well: it may come to the same desk, where its answer must not be known.
    """
    fingerprint = classifiers.newest_fingerprint(project).first()
    if fingerprint is None:
        return Nearest([], "No model that compares texts has labeled this project yet.")
    own = embeddings.load([text.content_hash], fingerprint=fingerprint).get(text.content_hash)
    if own is None:
        return Nearest([], "This text has no vector to compare yet.")
    ids, cosines = _index_of(project, fingerprint).search(own.vector.astype(np.float32), count + SPARE + 1)
    found = _rows(project, text, dict(zip(ids, cosines, strict=True)), count)
    return Nearest(found, "" if found else "No similar text has been reviewed yet.")


def forget_all() -> None:
    """Start anew at the next question."""
    with _indexes_lock:
        _indexes.clear()


def _reviewed(project: Project) -> QuerySet[Text]:
    return Text.objects.filter(project=project, status=TextStatus.REVIEWED, is_gold=False)


def _rows(project: Project, text: Text, cosines: dict[int, float], count: int) -> list[SimilarText]:
    """What holds now for the nearest of these texts: one that was taken back is not reviewed any more."""
    rows = _reviewed(project).filter(pk__in=cosines).exclude(pk=text.pk).annotate(beginning=Left("content", 400))
    values = list(rows.values_list("pk", "beginning", "current_label__category__name"))
    nearest_first = sorted(values, key=lambda row: (-cosines[row[0]], row[0]))[:count]
    return [
        SimilarText(pk, _excerpt(beginning), category, min(max(cosines[pk], 0.0), 1.0))
        for pk, beginning, category in nearest_first
    ]


def _excerpt(beginning: str) -> str:
    return Truncator(" ".join(beginning.split())).chars(EXCERPT)


# --- Vectors in memory ------------------------------------------------------------------------------------------------


@dataclass
class _Index:
    """The vectors of a project's newest reviewed texts, shape (n_texts, dim). When full, the oldest gives its place."""

    project: Project
    fingerprint: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    ids: list[int] = field(default_factory=list)
    next_place: int = 0
    last_review: int = 0
    refreshed_at: float = -np.inf
    built_at: float = -np.inf

    def search(self, vector: NDArray[np.float32], count: int) -> tuple[list[int], list[float]]:
        """Ids and cosines of the nearest, in no order."""
        with self.lock:
            self._refresh()
            if not self.ids:
                return [], []
            # Not by `@`, whose threads would wait for cores that other requests use.
            cosines = np.einsum("ij,j->i", self.vectors[: len(self.ids)], vector)
            best = np.argpartition(-cosines, count)[:count] if count < len(cosines) else np.arange(len(cosines))
            return [self.ids[place] for place in best], cosines[best].tolist()

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self.built_at > REBUILD_SECONDS:
            self._build()
            self.built_at = self.refreshed_at = now
        elif now - self.refreshed_at > REFRESH_SECONDS:
            self._add(self._decided_since())
            self.refreshed_at = now

    def _build(self) -> None:
        newest = Review.objects.aggregate(Max("pk"))["pk__max"]
        self.last_review, self.ids, self.next_place = newest or 0, [], 0
        rows = _reviewed(self.project).order_by("-pk").values_list("pk", "content_hash")[:MOST_TEXTS]
        self._add(list(rows)[::-1])

    def _decided_since(self) -> list[tuple[int, str]]:
        made = Review.objects.filter(pk__gt=self.last_review - LATE, action__in=DECISIONS)
        made = made.filter(text__project=self.project, text__status=TextStatus.REVIEWED, text__is_gold=False)
        rows = list(made.order_by("-pk").values_list("pk", "text_id", "text__content_hash")[:MOST_TEXTS])
        self.last_review = max([self.last_review, *(row[0] for row in rows)])
        known = set(self.ids)
        new = {pk: content_hash for _, pk, content_hash in reversed(rows) if pk not in known}
        return list(new.items())

    def _add(self, rows: Sequence[tuple[int, str]]) -> None:
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            cached = embeddings.load((content_hash for _, content_hash in some), fingerprint=self.fingerprint)
            for pk, content_hash in some:
                if content_hash in cached:
                    self._put(pk, cached[content_hash].vector)

    def _put(self, pk: int, vector: NDArray[np.float16]) -> None:
        if self.next_place == len(self.vectors) < MOST_TEXTS:
            grown = np.empty((min(max(256, 2 * len(self.vectors)), MOST_TEXTS), len(vector)), dtype=np.float32)
            grown[: len(self.vectors)] = self.vectors.reshape(len(self.vectors), len(vector))
            self.vectors = grown
        self.vectors[self.next_place] = vector
        self.ids[self.next_place : self.next_place + 1] = [pk]
        self.next_place = (self.next_place + 1) % MOST_TEXTS


_indexes: OrderedDict[tuple[int, str], _Index] = OrderedDict()
_indexes_lock = threading.Lock()


def _index_of(project: Project, fingerprint: str) -> _Index:
    """The index of a project under a model. The one that was asked longest ago is given up for a new one."""
    key = (project.pk, fingerprint)
    with _indexes_lock:
        index = _indexes.setdefault(key, _Index(project, fingerprint))
        _indexes.move_to_end(key)
        while len(_indexes) > MOST_PROJECTS:
            _indexes.popitem(last=False)
        return index
