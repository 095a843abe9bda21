"""Labels of a category that was merged into another: each is repeated under the other one, and the repetition holds."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from labeling import bulk
from labeling.choices import LabelOrigin
from labeling.label_versions import next_versions
from labeling.models import Category, CategoryMerge, Label, Text

REPEATED = (
    "text",
    "version",
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
RELATIONS = ("text", "classifier", "annotator")


@transaction.atomic
def record(merge: CategoryMerge, text_ids: Sequence[int]) -> int:
    """Give those of the texts that hold a merged category the one it became part of; returns how many.

    Each gets its label once more, as the same model's or person's word under the other category. What was decided, by
    whom and when, stays. A second delivery changes nothing.
    """
    texts = Text.objects.select_for_update(no_key=True).filter(pk__in=text_ids)
    held = list(texts.order_by("pk").values_list("current_label_id", flat=True))
    labels = Label.objects.filter(pk__in=[pk for pk in held if pk], category_id=merge.source_id).order_by("text_id")
    found = _repeat(list(labels), merge.source)
    return bulk.update(Text, ("current_label",), [(found[label.text_id], label.text_id) for label in labels])


def followed(label_id: int | None) -> int | None:
    """The label to let hold in this one's place: itself, unless its category has been merged since into another.

    The caller has locked the text's row.
    """
    labels = Label.objects.select_related("category__merged_into", "category__merge")
    label = labels.filter(category__merged_into__isnull=False).filter(pk=label_id or 0).first()
    return label_id if label is None else _repeat([label], label.category)[label.text_id]


def _repeat(labels: Sequence[Label], source: Category) -> dict[int, int]:
    """Each label once more, under the category that its own was merged into; their primary keys by text."""
    versions = next_versions([label.text_id for label in labels])
    shared = {"category": source.merged_into_id, "merge": source.merge.pk}
    rows = [_repeated(label, versions[label.text_id], source) for label in labels]
    bulk.insert(Label, REPEATED, rows, shared=shared)
    made = Label.objects.filter(text_id__in=versions, merge=source.merge).order_by("version")
    return dict(made.values_list("text_id", "pk"))


def _repeated(label: Label, version: int, source: Category) -> tuple[Any, ...]:
    values: dict[str, Any] = {name: getattr(label, name) for name in REPEATED if name not in RELATIONS}
    values |= {name: getattr(label, f"{name}_id") for name in RELATIONS}
    values["version"] = version
    values["explanation"] = f"'{source}' was merged into '{source.merged_into}'. {label.explanation}".rstrip()
    if label.origin == LabelOrigin.MODEL:
        values |= _summed(label, source.pk, source.holds_as)
    return tuple(values[name] for name in REPEATED)


def _summed(label: Label, source_id: int, target_id: int) -> dict[str, Any]:
    """A model that was torn between the two was sure that it is one of them."""
    shares: dict[int, float] = {}
    for pk, share in label.scores:
        key = target_id if pk == source_id else pk
        shares[key] = shares.get(key, 0.0) + share
    scores = sorted(shares.items(), key=lambda pair: -pair[1])
    confidence = min(1.0, max(label.confidence or 0.0, shares.get(target_id, 0.0)))
    others = [share for pk, share in scores if pk != target_id]
    return {"scores": scores, "confidence": confidence, "margin": confidence - max(others, default=0.0)}
