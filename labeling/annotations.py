"""The only door by which a label becomes what holds now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from labeling import bulk, following, priorities
from labeling.choices import LABELABLE, UNDONE, LabelOrigin, TextStatus
from labeling.label_versions import next_versions
from labeling.models import Category, Classifier, Label, LabelingRun, Text


class ForeignCategory(ValueError):
    """A label named a category of another project."""


class NoLongerActive(ValueError):
    """An answer names a category that was retired or merged while the model was asked."""


@dataclass(frozen=True)
class Prediction:
    """What a model said about one text."""

    text_id: int
    category_id: int
    confidence: float
    raw_score: float
    margin: float
    scores: list[tuple[int, float]]
    explanation: str
    evidence: list[tuple[int, int, float]]
    is_truncated: bool
    is_audit: bool
    confidence_source: str = ""
    urgency: float | None = None  # that a person looks at it, from 0 to 1; None: one minus the margin

    @property
    def priority(self) -> float:
        """The text's place in the review queue."""
        return 1 - self.margin if self.urgency is None else self.urgency


@dataclass(frozen=True)
class Maker:
    """What makes labels, in a run or for one request, and the confidence from which on they need no person."""

    project_id: int
    provider: str
    model_name: str
    threshold: float
    classifier: Classifier | None = None
    prompt_version: int | None = None
    run_id: int | None = None

    @classmethod
    def of_run(cls, run: LabelingRun) -> "Maker":
        return cls(
            project_id=run.project_id,
            provider=run.provider,
            model_name=run.model_name,
            threshold=run.threshold,
            classifier=run.classifier,
            prompt_version=(run.prompt or {}).get("version"),
            run_id=run.pk,
        )

    @property
    def is_calibrated(self) -> bool:
        return bool(self.classifier and self.classifier.quality.get("is_calibrated"))

    def route(self, confidence: float) -> TextStatus:
        """What becomes of a text with a label of this confidence."""
        return TextStatus.ACCEPTED if confidence >= self.threshold else TextStatus.NEEDS_REVIEW


@transaction.atomic
def record_predictions(run: LabelingRun, predictions: Sequence[Prediction]) -> int:
    """Write a run's labels for one chunk of texts; returns how many texts they now hold for.

    A second delivery of the same chunk changes nothing, and a text that a person decided meanwhile keeps its decision.
    The categories are those of the run's start; what it says of one that was merged since holds for the other one.
    On disk they are when the run's progress is, which is written after them.
    """
    bulk.let_commit_wait()
    maker, by_text = Maker.of_run(run), {p.text_id: p for p in predictions}
    free = _lock_free(run, by_text)
    done = _labels_of(run, by_text)
    waiting = _followed(run.project_id, [by_text[pk] for pk in free if pk not in done])
    _insert_labels(maker, waiting, next_versions([p.text_id for p in waiting]))
    return _hold(maker, waiting, _labels_of(run, [p.text_id for p in waiting]))


def record_answers(maker: Maker, predictions: Sequence[Prediction], *, are_new: bool = False) -> dict[int, int]:
    """Write labels that were asked for outside of a run, and let them hold; returns the new labels by text.

    The caller has locked the rows of the texts, which no person has decided, in a transaction. `are_new`: they were
    stored in it, and have no label. Raises NoLongerActive, before anything is written.
    """
    _refuse_no_longer_active(_named(maker.project_id, predictions))
    text_ids = [p.text_id for p in predictions]
    _insert_labels(maker, predictions, {} if are_new else next_versions(text_ids))
    found = Label.objects.filter(text_id__in=text_ids).order_by("version").values_list("text_id", "pk")
    labels = dict(found)  # the newest of each text: nobody else can write one before the transaction ends
    _hold(maker, predictions, labels)
    return labels


@transaction.atomic
def record_failures(run: LabelingRun, text_ids: Iterable[int], error: str) -> int:
    """Keep why texts could not be labeled; returns how many. Those that already have a label stay as they are."""
    texts = Text.objects.filter(pk__in=list(text_ids), project_id=run.project_id, status__in=UNDONE)
    return texts.update(status=TextStatus.FAILED, error=error)


@transaction.atomic
def record_imported_labels(
    labels: Sequence[tuple[Text, Category]], *, source: str, annotator: AbstractBaseUser | None = None
) -> None:
    """Labels that new texts brought with them from elsewhere: a person's word, with the source it came from."""
    for text, category in labels:
        if category.project_id != text.project_id:
            raise ForeignCategory(f"Category {category.pk} is not of project {text.project_id}.")
    shared = {"version": 1, "origin": LabelOrigin.HUMAN, "source": source, "annotator": annotator and annotator.pk}
    bulk.insert(Label, ("text", "category"), [(text.pk, category.pk) for text, category in labels], shared=shared)
    label = Label.objects.filter(text_id=OuterRef("pk"), version=1).values("pk")[:1]
    texts = Text.objects.filter(pk__in=[text.pk for text, _ in labels])
    texts.update(current_label_id=Subquery(label), status=TextStatus.REVIEWED, reviewed_at=timezone.now())


def record_human_label(
    text: Text, category: Category, *, annotator: AbstractBaseUser, confidence: float | None = None
) -> Label:
    """A person's word on a text, as its next version. What holds now is changed by `hold`.

    The caller has locked the text's row in a transaction, so that no version number is given twice.
    """
    if category.project_id != text.project_id:
        raise ForeignCategory(f"Category {category.pk} is not of project {text.project_id}.")
    return Label.objects.create(
        text=text,
        version=next_versions([text.pk]).get(text.pk, 1),
        category=category,
        origin=LabelOrigin.HUMAN,
        confidence=confidence,
        annotator_id=annotator.pk,
    )


def hold(text: Text, *, label_id: int | None, reviewed_by: AbstractBaseUser, when: datetime | None = None) -> None:
    """Let a label hold by a person's decision, made now by default. The caller has locked the text's row."""
    Text.objects.filter(pk=text.pk).update(
        current_label_id=label_id,
        status=TextStatus.REVIEWED,
        reviewed_by_id=reviewed_by.pk,
        reviewed_at=when or timezone.now(),
    )


def note_review(text: Text, when: datetime | None) -> None:
    """Somebody decided a text that needs more people's word, or took that back. The caller has locked its row."""
    Text.objects.filter(pk=text.pk).update(reviewed_at=when)


def restore(text: Text, *, label_id: int | None, status: str) -> None:
    """Take a person's decision back: what held before holds again. The caller has locked the text's row."""
    Text.objects.filter(pk=text.pk).update(current_label_id=following.followed(label_id), status=status)
    if status != TextStatus.REVIEWED:  # else somebody had decided it before, and still has
        Text.objects.filter(pk=text.pk).update(reviewed_by=None, reviewed_at=None)
    if status in LABELABLE:
        Text.objects.filter(pk=text.pk).update(is_gold=False)  # its answer is not known any more


def _lock_free(run: LabelingRun, by_text: Mapping[int, Prediction]) -> list[int]:
    """Those of the texts that no person has decided, locked, by id."""
    # Locked (on SQLite the transaction itself is the lock), so that no person's label slips in between.
    # One that some of several people have decided stays as they saw it until the others have, too.
    texts = Text.objects.select_for_update().filter(pk__in=by_text, project_id=run.project_id, status__in=LABELABLE)
    return list(texts.filter(reviewed_at__isnull=True).order_by("pk").values_list("pk", flat=True))


def _named(project_id: int, predictions: Iterable[Prediction]) -> dict[int, Category]:
    """The categories that the predictions name, as they are now. Raises ForeignCategory."""
    ids = {p.category_id for p in predictions}
    found = Category.objects.filter(project_id=project_id).select_related("merged_into").in_bulk(ids)
    if foreign := ids - found.keys():
        raise ForeignCategory(f"Categories {sorted(foreign)} are not of project {project_id}.")
    return found


def _refuse_no_longer_active(categories: Mapping[int, Category]) -> None:
    if gone := [f"'{category}'" for category in categories.values() if not category.is_active]:
        raise NoLongerActive(
            f"The model said {', '.join(gone)}, which was retired while it was asked. Nothing was stored. Ask again."
        )


def _followed(project_id: int, predictions: Sequence[Prediction]) -> list[Prediction]:
    """The predictions, of merged categories as their labels followed. Raises ForeignCategory."""
    categories = _named(project_id, predictions)
    return [_follow(said, categories[said.category_id]) for said in predictions]


def _follow(said: Prediction, category: Category) -> Prediction:
    if category.merged_into_id is None:
        return said
    summed = following.summed(said.scores, said.confidence, category)
    explanation = following.explained(said.explanation, category)
    return replace(said, category_id=category.holds_as, explanation=explanation, **summed)


def _labels_of(run: LabelingRun, text_ids: Collection[int]) -> dict[int, int]:
    """The run's labels by text, of these texts and maybe of some between them.

    By a range: PostgreSQL plans a list of a thousand ids as long as it then takes to read them.
    """
    if not text_ids:
        return {}
    labels = Label.objects.filter(run=run, text_id__gte=min(text_ids), text_id__lte=max(text_ids))
    return dict(labels.order_by().values_list("text_id", "pk"))


def _insert_labels(maker: Maker, predictions: Sequence[Prediction], versions: dict[int, int]) -> None:
    shared = {
        "origin": LabelOrigin.MODEL,
        "run": maker.run_id,
        "provider": maker.provider,
        "model_name": maker.model_name,
        "classifier": maker.classifier and maker.classifier.pk,
        "prompt_version": maker.prompt_version,
        "is_calibrated": maker.is_calibrated,
    }
    columns = (
        "text",
        "category",
        "confidence",
        "raw_score",
        "margin",
        "scores",
        "explanation",
        "evidence",
        "is_truncated",
        "confidence_source",
    )
    values = attrgetter("text_id", "category_id", *columns[2:])
    rows = ((*values(prediction), versions.get(prediction.text_id, 1)) for prediction in predictions)
    bulk.insert(Label, (*columns, "version"), rows, shared=shared)


def _hold(maker: Maker, predictions: Sequence[Prediction], labels: Mapping[int, int]) -> int:
    """Make these labels the current ones and place the texts in the queue, by one conditional update."""
    # Drawn once, with the first label: drawn again at every relabeling, the audit would grow, and by chosen texts.
    drawn = [p.text_id for p in predictions if p.is_audit]
    first = Text.objects.filter(pk__in=drawn, current_label__isnull=True)
    audited = list(first.values_list("pk", flat=True)) if drawn else []
    rows = [
        (
            labels[p.text_id],
            maker.route(p.confidence).value,
            "",
            p.priority,
            p.text_id,
        )
        for p in predictions
    ]
    # One statement: the index of the queue holds status and priority, and is as large as the table.
    # Who skipped a text that had no label has passed over nothing that the model said: it waits like the others.
    count = bulk.update(
        Text,
        ("current_label", "status", "error", "priority"),
        rows,
        where=[("status", "IN", [status.value for status in LABELABLE])],
        keeps_below={"priority": priorities.LEAST},
        kept_with="current_label",
    )
    if audited:
        Text.objects.filter(pk__in=audited).update(is_audit=True)
    return count


def place_in_queue(rows: Sequence[tuple[float, int]], *, most: float | None = None) -> int:
    """Give texts a new priority, which changes no label; `rows` are (priority, text id). Returns how many it moved.

    A skipped text, below zero, stays at the end, where its reviewer put it. With `most` those above it stay as well.
    """
    limits = [("priority", ">=", priorities.LEAST)] + ([("priority", "<=", most)] if most is not None else [])
    return bulk.update(Text, ("priority",), rows, where=limits)
