"""Whether texts that came later still look like those before: one comparison for each import, when it is labeled."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Exists, Max, OuterRef, QuerySet
from numpy.typing import NDArray

from labeling import classifiers, features
from labeling.choices import SUCCESSFUL_RUNS, ClassifierKind, TextStatus
from labeling.models import Classifier, Embedding, LabelingRun, Project, Text

TEXTS = 1_000  # of each side, drawn at random
ENOUGH_LEARNED = 25  # reviewed texts of those that differ, after which a new classifier knows them


@dataclass(frozen=True)
class DriftWarning:
    """That the texts which run `run_id` labeled first differ from those before: what was found, in sentences."""

    run_id: int
    found_at: datetime | None
    sentences: tuple[str, ...]


# --- Comparing --------------------------------------------------------------------------------------------------------


def compare(run: LabelingRun) -> dict[str, Any] | None:
    """Compare the texts that came since the last comparison with those before, and keep on the run what was found.

    For a run over the whole project that has labeled its last text. None, and nothing is kept, where there is nothing
    to compare: no earlier texts, a model without vectors, or so few new texts that they wait for the next import. A
    second delivery changes nothing.
    """
    from labeling.learning import drift  # here, because scipy is large, and to read a warning needs none of it

    after = _compared_until(run)
    if run.classifier is None or after is None or not _are_new_texts(run, after, drift.FEWEST_TEXTS):
        return None
    texts = _that_it_reads(run.project, run.classifier).filter(pk__lte=run.last_text_id)
    earlier, new = texts.filter(pk__lte=after), texts.filter(pk__gt=after)
    before, now = _features(earlier, run.classifier), _features(new, run.classifier)
    if min(len(before), len(now)) < drift.FEWEST_TEXTS:
        return None
    head = classifiers.load_head(run.classifier.pk)
    untaught = before
    if run.classifier.kind == ClassifierKind.LEARNED:
        # It is surer of what it learned from. The audit never teaches, and is a random sample of all texts.
        untaught = _features(earlier.filter(is_audit=True), run.classifier)
    confidence = [head.probabilities(rows).max(axis=1) if len(rows) else np.zeros(0) for rows in (untaught, now)]
    answers = len(run.classifier.category_ids) if run.classifier.answers_fingerprint else 0  # columns before the vector
    found = drift.compare(before[:, answers:], now[:, answers:], *confidence)
    finding = {"is_warning": found.is_warning, "level": drift.LEVEL, "after_text_id": after, **asdict(found)}
    LabelingRun.objects.filter(pk=run.pk, drift__isnull=True).update(drift=finding)
    return finding


def _compared_until(run: LabelingRun) -> int | None:
    """The newest text of those that the new ones are compared with; None while all texts are new."""
    if run.limit is not None or run.text_ids is not None:
        return None
    others = run.project.runs.filter(limit__isnull=True, text_ids__isnull=True, pk__lt=run.pk)
    compared = others.filter(drift__isnull=False).order_by("-pk").values_list("last_text_id", flat=True).first()
    if compared is not None:
        return compared
    return others.filter(status__in=SUCCESSFUL_RUNS).order_by("pk").values_list("last_text_id", flat=True).first()


def _are_new_texts(run: LabelingRun, after: int, enough: int) -> bool:
    new = run.project.texts.filter(pk__gt=after, pk__lte=run.last_text_id).order_by()
    return new[:enough].count() == enough


def _that_it_reads(project: Project, classifier: Classifier) -> QuerySet[Text]:
    """Those of which all is cached that the head reads, in a random order: hashes know nothing of the content."""
    texts = project.texts.order_by("content_hash")
    cached = Embedding.objects.filter(content_hash=OuterRef("content_hash"))
    for fingerprint in filter(None, (classifier.model_fingerprint, classifier.answers_fingerprint)):
        texts = texts.filter(Exists(cached.filter(model_fingerprint=fingerprint)))
    return texts


def _features(texts: QuerySet[Text], classifier: Classifier) -> NDArray[np.float32]:
    """What the head reads of at most TEXTS of the texts: the last columns are the vector."""
    hashes = list(texts.values_list("content_hash", flat=True)[:TEXTS])
    found = features.load(hashes, classifier)
    rows = [found[content_hash] for content_hash in hashes]
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1 if rows else 0)


# --- Warning ----------------------------------------------------------------------------------------------------------


def warning(project: Project) -> DriftWarning | None:
    """What the newest comparison of the project warns of, until a classifier has learned from enough of those texts."""
    return warnings([project]).get(project.pk)


def warnings(projects: Sequence[Project]) -> dict[int, DriftWarning]:
    """The same for several projects, by their ids; only those with a warning."""
    compared = LabelingRun.objects.filter(project__in=projects, drift__isnull=False).order_by().values("project")
    newest = LabelingRun.objects.filter(pk__in=compared.annotate(newest=Max("pk")).values("newest"))
    warned = newest.filter(drift__is_warning=True).select_related("project").order_by("pk")
    return {run.project_id: _warning(run) for run in warned if not _is_learned(run)}


def newest_label_warned_of(project: Project) -> int:
    """The primary key of the newest label of the runs that warned, 0 without any."""
    warned = project.runs.filter(drift__is_warning=True)
    return warned.aggregate(newest=Max("labels__pk"))["newest"] or 0


def _warning(run: LabelingRun) -> DriftWarning:
    assert run.drift is not None
    found = [run.drift["vectors"], run.drift["confidence"]]
    sentences = tuple(str(test["sentence"]) for test in found if test["is_warning"])
    return DriftWarning(run.pk, run.finished_at, sentences)


def _is_learned(run: LabelingRun) -> bool:
    """Whether the classifier in use was fitted after people had reviewed enough of the texts that differ."""
    assert run.drift is not None
    learned = run.project.classifiers.filter(kind=ClassifierKind.LEARNED, is_active=True).order_by("-version")
    fitted_at = learned.values_list("created_at", flat=True).first()
    if fitted_at is None:
        return False
    new = run.project.texts.filter(pk__gt=run.drift["after_text_id"], pk__lte=run.last_text_id, is_audit=False)
    reviewed = new.filter(status=TextStatus.REVIEWED, reviewed_at__lt=fitted_at).order_by()
    return reviewed[:ENOUGH_LEARNED].count() == ENOUGH_LEARNED
