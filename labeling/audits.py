"""The blind audit: what it was drawn from, what the machine said there, what people found, and drawing more of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import blake2b

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from numpy.typing import NDArray

from labeling import classifiers, counting, features
from labeling.choices import CLOSED, SUCCESSFUL_RUNS, UNDECIDED, UNFINISHED_RUNS, LabelOrigin, TextStatus
from labeling.models import Label, LabelingRun, Project, Text
from labeling.rescoring import CONFIDENCE_MOVE
from labeling.runs import unfinished

AT_ONCE = 1_000


class CannotDraw(ValueError):
    """No more audit texts can be drawn at random now. The message says what to do."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Every text that a model labeled, by id, as arrays of shape (N,).

    `confidence` is the machine's, also where people decided. `is_drawn`: for the audit. `is_audited`: drawn, and
    decided, skipped or passed over. `is_wrong`: audited, and the machine's label was not right, or nobody has said that
    it was. `is_settled`: decided outside of the audit, or taken out. `is_flagged` texts are not delivered.
    `is_passed_over`: drawn, and waiting, though the audit was decided beyond it.
    """

    ids: NDArray[np.int64]
    confidence: NDArray[np.float64]
    is_open: NDArray[np.bool_]
    is_drawn: NDArray[np.bool_]
    is_audited: NDArray[np.bool_]
    is_wrong: NDArray[np.bool_]
    is_flagged: NDArray[np.bool_]
    is_passed_over: NDArray[np.bool_]

    @property
    def is_settled(self) -> NDArray[np.bool_]:
        return ~self.is_open & ~self.is_audited

    @property
    def delivered(self) -> int:
        return int(np.sum(~self.is_flagged))

    @property
    def waiting(self) -> int:
        """Audit texts that nobody has decided yet."""
        return int(np.sum(self.is_drawn & self.is_open))

    def fingerprint(self) -> str:
        """Changes with all that a certificate depends on, except reviews outside of the audit.

        People who go on reviewing do not end a certificate, and each of their reviews would make a new look.
        """
        is_uncorrected, delivered = self.is_open[self.is_audited], np.array([self.delivered])
        parts = (self.ids, self.confidence, self.is_audited, self.is_wrong, is_uncorrected, delivered)
        return blake2b(b"".join(part.tobytes() for part in parts), digest_size=16).hexdigest()


_Row = tuple[int, float, bool, bool, bool, bool, bool, bool]  # of a pool, in the order of its fields
_Answer = tuple[int, float, int | None, datetime, float]  # of a model, in the order of the last fields of `_Text`


@dataclass(frozen=True)
class _Text:
    """A text that is no longer open, and what the machine said. `is_stale`: others were labeled again since."""

    pk: int
    content_hash: str
    status: str
    is_audit: bool
    held_category_id: int | None
    category_id: int
    confidence: float
    run_id: int | None  # None: somebody asked for this text alone
    made_at: datetime
    threshold: float
    is_stale: bool = False


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_pool(project: Project) -> Pool:
    """The texts at stake as they stand now.

    An audit text that was skipped, flagged or passed over counts as wrong until it is decided: hard texts are skipped
    more often, those in another language are passed over, and leaving them out would flatter the machine.
    """
    return _read(project, project.texts.all())


def sample_pool(project: Project, *, every: int) -> Pool:
    """The audit, and one in `every` of the other texts, each of which stands for so many. For estimates only.

    By content hash, which knows nothing of the content: the first ones are a random sample, and lie together in an
    index. Decided audit texts would lean, since the queue shows them by hash, so all of the audit is read.
    """
    audited, rest = project.texts.filter(is_audit=True), project.texts.filter(is_audit=False)
    size = (project.texts.count() - audited.count()) // every
    after = rest.order_by("content_hash").values_list("content_hash", flat=True)[size : size + 1]
    audit = _read(project, audited)
    others = _read(project, rest.filter(content_hash__lt=after[0]) if after else rest)
    names = [field.name for field in fields(Pool)]
    return Pool(*(np.concatenate([getattr(audit, n), np.repeat(getattr(others, n), every)]) for n in names))


def _read(project: Project, texts: QuerySet[Text]) -> Pool:
    waiting = list(_open_texts(texts))  # before the others: what people decide meanwhile is among both, and not lost
    closed = relabeled(project, _closed_texts(project, texts))
    passed_over, decided = _passed_over(texts, closed), {text.pk for text in closed}
    rows: list[_Row] = []
    for pk, confidence, is_audit, priority in waiting:
        if pk in decided:
            continue
        is_passed = pk in passed_over
        is_audited = is_passed or (is_audit and priority < 0)
        rows.append((pk, confidence or 0.0, True, is_audit, is_audited, is_audited, False, is_passed))
    merged = {one.pk: one.holds_as for one in project.categories.filter(merged_into__isnull=False)}
    rows += [_closed_row(text, merged) for text in closed]
    rows.sort()
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 8
    kinds = (np.int64, np.float64, *[np.bool_] * 6)
    return Pool(*(column.astype(kind) for column, kind in zip(columns, kinds, strict=True)))


def _passed_over(texts: QuerySet[Text], closed: Sequence[_Text]) -> set[int]:
    """Audit texts that wait, though one that comes after them was decided.

    The desk shows the audit by content hash, a random order, so that what was decided up to any place is a random
    sample: unless some of it was left out, by the filters of who decided or the languages that they read.
    """
    evidence = [text.content_hash for text in closed if text.is_audit and not text.is_stale]
    if not evidence:
        return set()
    waiting = _open_texts(texts).filter(is_audit=True, priority__gte=0, content_hash__lt=max(evidence))
    return set(waiting.values_list("pk", flat=True))


def _closed_row(text: _Text, merged: Mapping[int, int]) -> _Row:
    is_audited = text.is_audit and not text.is_stale
    is_flagged = text.status == TextStatus.FLAGGED
    said = merged.get(text.category_id, text.category_id)
    is_wrong = is_audited and (is_flagged or said != text.held_category_id)
    return text.pk, text.confidence, False, text.is_audit, is_audited, is_wrong, is_flagged, False


def _open_texts(texts: QuerySet[Text]) -> QuerySet[Text, tuple[int, float | None, bool, float]]:
    waiting = texts.filter(status__in=UNDECIDED, current_label__origin=LabelOrigin.MODEL).order_by()
    return waiting.values_list("pk", "current_label__confidence", "is_audit", "priority")


def _closed_texts(project: Project, texts: QuerySet[Text]) -> list[_Text]:
    """Texts that people decided or flagged, with the newest label of a model. Those without one are not at stake."""
    said = Label.objects.filter(text=OuterRef("pk"), origin=LabelOrigin.MODEL).order_by("-version")
    closed = texts.filter(status__in=CLOSED).annotate(said=Subquery(said.values("pk")[:1])).order_by()
    columns = ("said", "pk", "content_hash", "status", "is_audit", "current_label__category_id")
    found = list(closed.exclude(said=None).values_list(*columns))
    answers = _answers([row[0] for row in found], project.threshold)
    return [
        _Text(pk, content_hash, status, is_audit, held, *answers[said])
        for said, pk, content_hash, status, is_audit, held in found
    ]


def _answers(label_ids: Sequence[int], threshold: float) -> dict[int, _Answer]:
    """What labels said, by their ids: asked by the texts once more, people would have decided more of them by now."""
    columns = ("pk", "category_id", "confidence", "run_id", "created_at", "run__threshold")
    answers: dict[int, _Answer] = {}
    for start in range(0, len(label_ids), AT_ONCE):
        labels = Label.objects.filter(pk__in=label_ids[start : start + AT_ONCE]).order_by()
        for pk, category_id, confidence, run_id, made_at, of_run in labels.values_list(*columns):
            accepts = threshold if of_run is None else of_run
            answers[pk] = (category_id, float(confidence or 0), run_id, made_at, accepts)
    return answers


# --- What the machine would say now -----------------------------------------------------------------------------------


def relabeled(project: Project, texts: list[_Text]) -> list[_Text]:
    """The texts as the later runs would have labeled them, had they been open.

    A run leaves decided texts alone, so that their label is of an older machine than that of the others. Where the
    machine cannot be asked again (nothing cached, no head) the text becomes stale: decided, but no evidence. So it does
    where a run was stopped or had a limit: nobody knows whether it would have come to this text.
    """
    for run in _relabeling(project):
        named = None if run.text_ids is None else set(run.text_ids)
        earlier = [text for text in texts if _is_before(text, run) and (named is None or text.pk in named)]
        if earlier:
            pks = {text.pk for text in earlier}
            texts = [text for text in texts if text.pk not in pks]
            texts += _labeled_by(run, earlier) if _came_to_all(run) else _stale(earlier)
    return texts


def _relabeling(project: Project) -> QuerySet[LabelingRun]:
    """The runs that labeled texts again, oldest first; of those that were stopped the ones that wrote labels."""
    wrote = Exists(Label.objects.filter(run=OuterRef("pk")))
    runs = LabelingRun.objects.filter(project=project, relabel=True).exclude(status__in=UNFINISHED_RUNS)
    return runs.filter(Q(status__in=SUCCESSFUL_RUNS) | wrote).select_related("classifier").order_by("pk")


def _came_to_all(run: LabelingRun) -> bool:
    return run.status in SUCCESSFUL_RUNS and run.limit is None


def _stale(texts: Sequence[_Text]) -> list[_Text]:
    return [replace(text, is_stale=True) for text in texts]


def _is_before(text: _Text, run: LabelingRun) -> bool:
    """Whether the text's label was made before the run labeled all texts again."""
    return text.run_id < run.pk if text.run_id is not None else text.made_at < run.created_at


def _labeled_by(run: LabelingRun, texts: Sequence[_Text]) -> list[_Text]:
    if run.classifier is None:
        return _stale(texts)
    head, answered = classifiers.load_head(run.classifier.pk), []
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        cached = features.load([text.content_hash for text in part], run.classifier)
        known = [text for text in part if text.content_hash in cached]
        answered += _stale([text for text in part if text.content_hash not in cached])
        if known:
            probabilities = head.probabilities(np.stack([cached[text.content_hash] for text in known]))
            best = [run.classifier.category_ids[place] for place in probabilities.argmax(axis=1)]
            sure = np.minimum(probabilities.max(axis=1), 1.0).astype(float).tolist()
            answered += [_held_by(run, *answer) for answer in zip(known, best, sure, strict=True)]
    return answered


def _held_by(run: LabelingRun, text: _Text, category_id: int, confidence: float) -> _Text:
    """The label after this run: the new one, or the old one where the run would have found nothing new to say."""
    was_accepted, is_accepted = text.confidence >= text.threshold, confidence >= run.threshold
    is_same = category_id == text.category_id and was_accepted == is_accepted
    now = replace(text, threshold=run.threshold, is_stale=False)
    if is_same and abs(confidence - text.confidence) < CONFIDENCE_MOVE:
        return now
    return replace(now, category_id=category_id, confidence=confidence)


# --- Drawing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def draw(project: Project, size: int) -> int:
    """Draw `size` more audit texts at random; returns how many wait to be decided.

    The draw stays a simple random sample of all labeled texts: the first draw was one, and every open text that was not
    drawn has the same chance now. Texts that people decided meanwhile cannot be decided blind any more and are passed
    over; nothing wrong is left in them, so that the certificate counts errors as more frequent than they are, never
    less. Raises CannotDraw while texts have no label, since they would come with a smaller share of audits.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    if run := unfinished(project):
        raise CannotDraw(f"Run {run.pk} is labeling texts. Wait until it is finished, so that all texts can be drawn.")
    _refuse_unlabeled(project)
    free = list(candidates(project).order_by().values_list("pk", flat=True))
    if size > len(free):
        raise CannotDraw(f"Only {len(free)} texts are neither decided nor in the audit. Draw fewer.")
    # The operating system's randomness, as in the first draw: nobody can guess or choose what will be audited.
    drawn = random.SystemRandom().sample(free, size)
    for start in range(0, size, AT_ONCE):
        candidates(project).filter(pk__in=drawn[start : start + AT_ONCE]).update(is_audit=True)
    return candidates(project, is_audit=True).count()


def _refuse_unlabeled(project: Project) -> None:
    """Texts that failed count as well: labeled by another run after the draw, they would come with fewer audits."""
    failed = project.texts.filter(status=TextStatus.FAILED).count()
    unlabeled = project.texts.filter(status=TextStatus.UNLABELED).count() + failed
    if unlabeled:
        by_hand = f" {failed} of them could not be labeled: try again, or decide them at the review desk."
        raise CannotDraw(
            f"{unlabeled} texts have no label yet. A draw now would leave them out and be no sample of the whole. "
            f"Label them first: manage.py label_texts.{by_hand if failed else ''}"
        )


def undecided(project: Project) -> tuple[int, int]:
    """How many texts nobody has decided, outside of the audit and in it. From indexes alone, as of some seconds ago."""
    counts = counting.texts_by_status([project.pk])[project.pk]
    in_audit = project.texts.filter(is_audit=True, status__in=UNDECIDED).count()
    return max(sum(counts.get(status, 0) for status in UNDECIDED) - in_audit, 0), in_audit


def candidates(project: Project, *, is_audit: bool = False) -> QuerySet[Text]:
    """Texts with a model's label that nobody has decided, outside of the audit or in it."""
    waiting = project.texts.filter(status__in=UNDECIDED, current_label__origin=LabelOrigin.MODEL)
    return waiting.filter(is_audit=is_audit)
