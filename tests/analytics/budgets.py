"""Projects whose audit proves something, and people who decided it."""

import random
from collections.abc import Sequence
from typing import Any

from labeling import classifiers
from labeling.choices import ClassifierKind, LabelOrigin
from labeling.models import Classifier, Label, Project, Text
from reviews.models import Action, QueueReason, Review, Reviewer
from tests.labeling.certificates import add_machine_labeled, decide

RELIABILITY = [
    {"confidence": 0.31 + 0.046 * place, "accuracy": min(1.0, 0.27 + 0.05 * place), "share": 1 / 15}
    for place in range(15)
]


def sure(count: int) -> list[float]:
    """Confidences of a good machine, most of them high, in an order that has nothing to do with when texts came."""
    drawn = random.Random(count)
    return [1 - 0.6 * drawn.random() ** 3 for _ in range(count)]


def add_audited(project: Project, reviewer: Reviewer, *, texts: int = 800, wrong_every: int = 40) -> list[Text]:
    """Texts of a good machine, every fourth audited and decided, some of them wrong; returns the audit."""
    audit = [text for text in add_machine_labeled(project, sure(texts), audit_every=4) if text.is_audit]
    weather = project.categories.get(name="Weather")
    for place, text in enumerate(audit):
        is_wrong = place % wrong_every == 7 and float(text.current_label.confidence or 0) < 0.9  # type: ignore[union-attr]
        decide([text], reviewer.user, category=weather if is_wrong else None)
    return audit


def decided_by(reviewer: Reviewer, texts: Sequence[Text], letter_of: Any, *, seconds: float = 4.0) -> None:
    """Reviews of audit texts, as the desk writes them: `letter_of` says which category at which place."""
    for place, text in enumerate(texts):
        category = letter_of(place)
        Review.objects.create(
            text=text,
            reviewer=reviewer,
            action=Action.DECIDE,
            category_after=category,
            status_before="needs_review",
            is_blind=True,
            queue_reason=QueueReason.AUDIT,
            seconds_spent=seconds,
        )


def add_learned(project: Project, *, reviews: int = 240, **quality: Any) -> Classifier:
    """A classifier that learned from reviews, with what was measured of it."""
    categories = project.active_categories()
    measured = {
        "accuracy": 0.874,
        "ece": 0.041,
        "brier": 0.213,
        "n_reviews": reviews,
        "is_calibrated": reviews >= 50,
        "reliability": RELIABILITY,
        "categories": [
            {"id": category.pk, "precision": 0.9 - 0.1 * place, "recall": None if place == 2 else 0.8, "n": 80 - place}
            for place, category in enumerate(categories)
        ],
        **quality,
    }
    return Classifier.objects.create(
        project=project,
        version=1 + project.classifiers.count(),
        kind=ClassifierKind.LEARNED,
        model_name="a-model",
        model_fingerprint="f",
        category_ids=[category.pk for category in categories],
        category_hash=classifiers.category_hash(categories),
        weights=b"",
        quality=measured,
    )


def label_again(project: Project) -> None:
    """A model says something new of one text, which ends every certificate."""
    text = project.texts.order_by("pk").first()
    assert text is not None
    assert text.current_label is not None
    Label.objects.create(
        text=text, version=9, category=text.current_label.category, origin=LabelOrigin.MODEL, confidence=0.5
    )
