"""The statistics as figures. The page, the files and the report show these same ones."""

from collections.abc import Callable

from analytics.figures import accuracy, costs, people, progress
from analytics.figures.shapes import Figure
from analytics.statistics import Statistics

MAKERS: dict[str, Callable[[Statistics], Figure]] = {
    "status": progress.status,
    "categories": progress.categories,
    "confidence": progress.confidence,
    "accuracy": accuracy.over_time,
    "accuracy-by-category": accuracy.by_category,
    "reliability": accuracy.reliability,
    "confusion": accuracy.confusion,
    "days": people.days,
    "reviewers": people.reviewers,
    "agreement": people.agreement,
    "certificates": costs.certificates,
    "providers": costs.providers,
    "runs": costs.runs,
}


def all_of(statistics: Statistics) -> list[Figure]:
    """In the order in which they are read."""
    return [make(statistics) for make in MAKERS.values()]


def one_of(statistics: Statistics, name: str) -> Figure:
    """Raises KeyError."""
    return MAKERS[name](statistics)
