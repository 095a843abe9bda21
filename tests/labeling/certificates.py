"""Texts that a model labeled, some of them for the audit, people who decide them, and what that proves."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User

from labeling import annotations, certification
from labeling.annotations import Prediction
from labeling.certification import Promise
from labeling.models import Category, Certificate, LabelingRun, Project, Text
from labeling.normalizing import content_hash

TEXTS = 601  # of the fixture `audited`


def add_machine_labeled(project: Project, confidences: Sequence[float], *, audit_every: int = 0) -> list[Text]:
    """One text for each confidence, labeled Sports; every so-many-th is drawn for the audit."""
    first = Text.objects.count()
    contents = [f"Match number {first + place}" for place in range(len(confidences))]
    Text.objects.bulk_create(
        Text(project=project, content=content, content_hash=content_hash(content)) for content in contents
    )
    texts = list(Text.objects.filter(project=project, pk__gt=0).order_by("-pk")[: len(contents)])[::-1]
    drawn = [bool(audit_every) and place % audit_every == 0 for place in range(len(texts))]
    _label(zip(texts, confidences, drawn, strict=True), project)
    return list(Text.objects.filter(pk__in=[text.pk for text in texts]).order_by("pk"))


def label_again(confidences: Iterable[tuple[Text, float]]) -> None:
    """A later run labels the texts Sports with other confidences; the project's threshold decides about them."""
    pairs = list(confidences)
    _label([(text, confidence, False) for text, confidence in pairs], Project.objects.get(pk=pairs[0][0].project_id))


def _label(rows: Iterable[tuple[Text, float, bool]], project: Project) -> None:
    run = LabelingRun.objects.create(
        project=project, provider="keyword", threshold=project.threshold, audit_share=0.05, status="succeeded"
    )
    sports = project.categories.get(name="Sports").pk
    annotations.record_predictions(
        run,
        [
            Prediction(
                text_id=text.pk,
                category_id=sports,
                confidence=confidence,
                raw_score=confidence,
                margin=confidence / 2,
                scores=[(sports, confidence)],
                explanation="",
                evidence=[],
                is_truncated=False,
                is_audit=is_audit,
            )
            for text, confidence, is_audit in rows
        ],
    )


def decide(texts: Iterable[Text], user: User, *, category: Category | None = None) -> None:
    """A person confirms the model's label, or gives another category."""
    for text in texts:
        label_id = text.current_label_id
        if category is not None:
            label_id = annotations.record_human_label(text, category, annotator=user).pk
        annotations.hold(text, label_id=label_id, reviewed_by=user)


def evenly(count: int) -> list[float]:
    """Confidences from 0 to almost 1, in an order that has nothing to do with when the texts came."""
    return [(place * 37 % count) / count for place in range(count)]


def certify(project: Project, **options: Any) -> Certificate:
    """A look at the audit, for a dataset of which 5 % may be wrong unless the options say otherwise."""
    return certification.certify(project, **{"promise": Promise.DATASET, "budget": 0.05} | options)
