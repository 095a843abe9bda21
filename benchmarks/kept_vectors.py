"""Made-up projects whose vectors are cached, and a provider that knows nothing else: what learning costs, no model.

Vectors of 384 numbers lie around ten centers, one for each category, some of them between two.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from labeling.learning.classifier import LinearHead
from labeling.providers.base import CategorySpec, Encoding, Provider, ProviderError

DIM, CATEGORIES = 384, 10
AT_ONCE = 5_000
SPREAD = 0.06  # of the vectors around their centers
TEMPERATURE = 0.12
SENTENCE = "the parcel is late again and nobody answers. "


class KeptVectors(Provider):
    can_embed = True
    model_name = "kept"
    fingerprint = "kept-1"

    def predict(self, texts: Sequence[str], categories: Sequence[CategorySpec]) -> NDArray[np.float32]:
        raise ProviderError("Only cached vectors are known.", permanent=True)

    def encode(self, texts: Sequence[str], *, with_states: bool = False) -> Encoding:
        """Only what names a category: its center."""
        named = [re.search(r"Category (\d+)", text) for text in texts]
        if not all(named):
            raise ProviderError("Only cached vectors are known.", permanent=True)
        rows = _centers()[[int(found.group(1)) for found in named if found]]
        return Encoding(rows.astype(np.float32), np.zeros(len(texts), dtype=bool))


def setup() -> None:
    """Django with the provider `kept`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    import django
    from django.conf import settings

    settings.LABELING_PROVIDERS["kept"] = {"BACKEND": "benchmarks.kept_vectors.KeptVectors", "OPTIONS": {}}
    django.setup()


def add_project(size: int) -> Any:
    """A project of so many texts with their vectors, in an empty database; nothing is labeled."""
    from django.core.management import call_command

    from labeling.models import Category, Project

    call_command("migrate", verbosity=0)
    project = Project.objects.create(name="Benchmark", provider="kept", audit_share=0.0)
    for position in range(CATEGORIES):
        Category.objects.create(project=project, name=f"Category {position}", position=position)
    for start in range(0, size, AT_ONCE):
        _add_texts(project, start)
    return project


def _add_texts(project: Any, start: int) -> None:
    from labeling import bulk, embeddings
    from labeling.embeddings import CachedVector
    from labeling.models import Text
    from labeling.normalizing import content_hash

    contents = [f"Message {number}: {SENTENCE * 4}" for number in range(start, start + AT_ONCE)]
    hashes = [content_hash(content) for content in contents]
    bulk.insert(Text, ("content", "content_hash"), zip(contents, hashes, strict=True), shared={"project": project.pk})
    rows = (CachedVector(row, False) for row in vectors(start).astype(embeddings.STORED))
    embeddings.store(dict(zip(hashes, rows, strict=True)), fingerprint=KeptVectors.fingerprint)


def vectors(start: int) -> NDArray[np.float32]:
    """Those of the texts from `start` on, shape (AT_ONCE, DIM)."""
    source = np.random.default_rng(start)
    first, second = source.integers(0, CATEGORIES, (2, AT_ONCE))
    part = source.beta(1, 3, AT_ONCE)[:, None]
    middle = (1 - part) * _centers()[first] + part * _centers()[second]
    return _unit(middle + SPREAD * source.normal(size=(AT_ONCE, DIM))).astype(np.float32)


def first_head() -> LinearHead:
    """The head that knows the centers."""
    return LinearHead(_centers().T.astype(np.float32), np.zeros(CATEGORIES, dtype=np.float32), TEMPERATURE)


def label(project: Any, head: LinearHead) -> None:
    """The labels that a run by this head would have written, but for their explanations; several times faster."""
    from django.db.models import OuterRef, Subquery

    from labeling import bulk
    from labeling.models import Label, LabelingRun, Text

    categories = [category.pk for category in project.active_categories()]
    run = LabelingRun.objects.create(
        project=project, provider="kept", threshold=project.threshold, audit_share=0.0, status="succeeded"
    )
    scores = [[pk, 0.1] for pk in categories]
    shared = {"version": 1, "origin": "model", "run": run.pk, "provider": "kept", "scores": scores, "raw_score": 0.5}
    ids = list(project.texts.order_by("pk").values_list("pk", flat=True))
    made = Label.objects.filter(run=run, text_id=OuterRef("pk")).values("pk")
    for start in range(0, len(ids), AT_ONCE):
        keys, probabilities = ids[start : start + AT_ONCE], head.probabilities(vectors(start))
        best, sure = probabilities.argmax(axis=1), np.sort(probabilities, axis=1)
        confidence, margin = np.minimum(sure[:, -1], 1).tolist(), (sure[:, -1] - sure[:, -2]).tolist()
        rows = zip(keys, (categories[place] for place in best), confidence, margin, strict=True)
        bulk.insert(Label, ("text", "category", "confidence", "margin"), rows, shared=shared)
        accepted = [pk for pk, value in zip(keys, confidence, strict=True) if value >= project.threshold]
        texts = Text.objects.filter(pk__in=keys)
        texts.update(current_label_id=Subquery(made), status="needs_review")
        texts.filter(pk__in=accepted).update(status="accepted")
        bulk.update(Text, ("priority",), [(1 - value, pk) for pk, value in zip(keys, margin, strict=True)])


def keep_head(project: Any, head: LinearHead, kind: str = "learned") -> None:
    from labeling import classifiers
    from labeling.choices import ClassifierKind
    from labeling.providers import get_provider

    made = classifiers.new(project, get_provider("kept"), project.active_categories(), head, ClassifierKind(kind))
    made.fitted_on, made.quality = {"pool": 10**6, "reviews": 100}, {}
    classifiers.keep(made)


def peak_mb(pid: int | str = "self") -> float:
    """Peak resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _centers() -> NDArray[np.float64]:
    return _unit(np.random.default_rng(7).normal(size=(CATEGORIES, DIM)))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
