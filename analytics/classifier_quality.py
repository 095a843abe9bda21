"""What was measured of the classifier in use when it was trained, on reviews that it had not seen. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from analytics.wording import percent
from labeling import classifiers
from labeling.choices import ClassifierKind
from labeling.models import Category, Classifier, Project
from labeling.providers.base import ProviderError

SIZE = 100.0  # of the drawing, in its own units


@dataclass(frozen=True)
class Point:
    """Reviews of about the same confidence, and its place in the drawing."""

    confidence: str
    accuracy: str
    share: str
    gap: str
    x: float
    y: float


@dataclass(frozen=True)
class CategoryRow:
    """Of the texts called so the share that is (`precision`), of those that are the share called so (`recall`)."""

    name: str
    reviews: int
    precision: str
    recall: str


@dataclass(frozen=True)
class ClassifierQuality:
    """Empty `points` where the classifier has none stored; `missing` says why nothing was measured."""

    classifier: Classifier | None
    missing: str = ""
    reviews: int = 0
    is_calibrated: bool = False
    accuracy: str = ""
    ece: str = ""
    brier: str = ""
    points: tuple[Point, ...] = ()
    noise: str = ""
    summary: str = ""
    categories: tuple[CategoryRow, ...] = ()


@dataclass(frozen=True)
class Measured:
    """The numbers themselves. `missing` says why there are none."""

    classifier: Classifier | None
    missing: str = ""
    reviews: int = 0
    is_calibrated: bool = False
    accuracy: float | None = None
    ece: float | None = None
    brier: float | None = None
    points: tuple[dict[str, float], ...] = ()
    categories: tuple[dict[str, Any], ...] = ()


def measure(project: Project) -> Measured:
    """The newest classifier in use that was fitted for the categories as they are now."""
    words = classifiers.category_hash(project.active_categories())
    fitted = project.classifiers.filter(is_active=True, category_hash=words)
    found = fitted.defer("weights", "category_ids").order_by("-version").first()
    if found is None:
        return Measured(
            None, missing="No classifier has been fitted for the categories as they are now. Label some texts first."
        )
    if found.kind != ClassifierKind.LEARNED:
        return Measured(
            found,
            missing="The classifier in use knows only the words of the categories. Its confidences are not yet "
            "calibrated, and nothing is measured before it has learned from reviews.",
        )
    quality = found.quality
    return Measured(
        classifier=found,
        reviews=int(quality["n_reviews"]),
        is_calibrated=bool(quality.get("is_calibrated")),
        accuracy=quality["accuracy"],
        ece=quality["ece"],
        brier=quality["brier"],
        points=tuple(quality.get("reliability", [])),
        categories=tuple(quality.get("categories", [])),
    )


def of_project(project: Project) -> ClassifierQuality:
    """The same in words, with a drawing and each category."""
    found = measure(project)
    if found.accuracy is None or found.ece is None or found.brier is None:
        return ClassifierQuality(found.classifier, missing=found.missing)
    return ClassifierQuality(
        classifier=found.classifier,
        reviews=found.reviews,
        is_calibrated=found.is_calibrated,
        accuracy=percent(found.accuracy),
        ece=f"{found.ece:.3f}",
        brier=f"{found.brier:.3f}",
        points=tuple(_point(one) for one in found.points),
        noise=_noise(found.reviews, len(found.points)),
        summary=in_words(found.points),
        categories=_categories(found.categories),
    )


def whether_to_stop(project: Project) -> str:
    """Whether more reviews would still change labels, in words."""
    from labeling import stopping  # here, because scikit-learn is 60 MB that a process at rest does not need

    try:
        return stopping.advise(project).sentence
    except ProviderError as reason:
        return f"Nothing can be said of it: {reason}"


def _point(one: dict[str, float]) -> Point:
    gap = one["accuracy"] - one["confidence"]
    return Point(
        confidence=percent(one["confidence"]),
        accuracy=percent(one["accuracy"]),
        share=percent(one["share"]),
        gap=f"{100 * gap:+.1f}",
        x=round(SIZE * one["confidence"], 2),
        y=round(SIZE * (1 - one["accuracy"]), 2),
    )


def _noise(reviews: int, points: int) -> str:
    """How far a point can lie from the line by chance: a share of so few reviews, at its widest."""
    if not points:
        return ""
    each = max(reviews / points, 1)
    widest = percent(min(0.98 / sqrt(each), 1), digits=2)
    return f"Each point stands for about {each:.0f} reviews, so that it may lie {widest} off the line by chance."


def in_words(points: Sequence[Mapping[str, float]]) -> str:
    """What the drawing shows, in words."""
    if not points:
        return ""
    gap = sum(one["share"] * (one["accuracy"] - one["confidence"]) for one in points)
    if abs(gap) < 0.01:
        return "On the whole as many labels are right as the confidences say."
    more = "more" if gap > 0 else "fewer"
    return f"On the whole {100 * abs(gap):.1f} in a hundred labels {more} are right than the confidences say."


def _categories(rows: Sequence[Mapping[str, Any]]) -> tuple[CategoryRow, ...]:
    names = Category.objects.in_bulk([row["id"] for row in rows])
    return tuple(
        CategoryRow(
            names[row["id"]].name if row["id"] in names else f"Category {row['id']}",
            int(row["n"]),
            *(percent(row[key]) if row[key] is not None else "" for key in ("precision", "recall")),
        )
        for row in rows
    )
