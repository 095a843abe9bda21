"""Labels of a category that was merged into another: each is repeated under the other one, and the repetition holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling import bulk
from labeling.choices import LabelOrigin
from labeling.label_versions import next_versions
from labeling.models import Category, CategoryMerge, Label, Text

REPEATED = (
    "origin",
    "confidence",
    "raw_score",
    "margin",
    "is_calibrated",
    "confidence_source",
    "scores",
    "explanation",
    "evidence",
    "is_truncated",
    "provider",
    "model_name",
    "classifier",
    "prompt_version",
    "annotator",
    "source",
)  # without the run, which gives each text one label
RELATIONS = ("classifier", "annotator")

Row = tuple[Any, ...]  # the values of REPEATED


def record(source: Category, labels: Sequence[Label]) -> int:
    """Let the texts of these labels hold the category that their own was merged into; returns how many texts moved.

    Each gets its label once more, as the same model's or person's word under the other category. What was decided, by
    whom and when, stays. Texts that hold another label by now are left alone, so that a second call changes nothing.
    """
    rows = {label.pk: _repeated(label, source) for label in labels}  # before the lock, for which people wait
    return _record(source, {label.pk: label.text_id for label in labels}, rows)


@transaction.atomic
def _record(source: Category, text_ids: Mapping[int, int], rows: Mapping[int, Row]) -> int:
    texts = Text.objects.select_for_update(no_key=True).filter(pk__in=text_ids.values()).order_by("pk")
    held = [pk for pk in texts.values_list("current_label_id", flat=True) if pk in rows]
    made = _insert(source, {text_ids[pk]: rows[pk] for pk in held})
    moved = bulk.update(Text, ("current_label",), [(label_id, text_id) for text_id, label_id in made.items()])
    CategoryMerge.objects.filter(pk=source.merge.pk).update(moved=F("moved") + moved, moved_at=timezone.now())
    return moved


def followed(label_id: int | None) -> int | None:
    """The label to let hold in this one's place: itself, unless its category has been merged since into another.

    The caller has locked the text's row.
    """
    labels = Label.objects.select_related("category__merged_into", "category__merge")
    label = labels.filter(category__merged_into__isnull=False).filter(pk=label_id or 0).first()
    if label is None:
        return label_id
    return _insert(label.category, {label.text_id: _repeated(label, label.category)})[label.text_id]


def _insert(source: Category, rows: Mapping[int, Row]) -> dict[int, int]:
    """The labels, by text, as next versions; returns their primary keys by text."""
    versions = next_versions(list(rows))
    shared = {"category": source.merged_into_id, "merge": source.merge.pk}
    numbered = ((text_id, versions[text_id], *row) for text_id, row in rows.items())
    bulk.insert(Label, ("text", "version", *REPEATED), numbered, shared=shared)
    made = Label.objects.filter(text_id__in=rows, merge=source.merge).order_by("version")
    return dict(made.values_list("text_id", "pk"))


def _repeated(label: Label, source: Category) -> Row:
    values: dict[str, Any] = {name: getattr(label, name) for name in REPEATED if name not in RELATIONS}
    values |= {name: getattr(label, f"{name}_id") for name in RELATIONS}
    values["explanation"] = explained(label.explanation, source)
    if label.origin == LabelOrigin.MODEL:
        values |= summed(label.scores, label.confidence or 0.0, source)
    return tuple(values[name] for name in REPEATED)


def explained(explanation: str, source: Category) -> str:
    """Why the text has the label, with why it does not name the category that was said."""
    return f"'{source}' was merged into '{source.merged_into}'. {explanation}".rstrip()


def summed(said: Iterable[tuple[int, float]], confidence: float, source: Category) -> dict[str, Any]:
    """A model that was torn between the two was sure that it is one of them."""
    shares: dict[int, float] = {}
    target_id = source.holds_as
    for pk, share in said:
        key = target_id if pk == source.pk else pk
        shares[key] = shares.get(key, 0.0) + share
    scores = sorted(shares.items(), key=lambda pair: -pair[1])
    confidence = min(1.0, max(confidence, shares.get(target_id, 0.0)))
    others = [share for pk, share in scores if pk != target_id]
    return {"scores": scores, "confidence": confidence, "margin": confidence - max(others, default=0.0)}
