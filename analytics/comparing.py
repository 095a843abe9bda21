"""All figures of how the reviewers of a project compare, and the same as JSON, to be kept of a large project."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from analytics import quality
from analytics.agreement import Estimate
from analytics.quality import (
    Answers,
    CategoryAgreement,
    Confusion,
    PairAgreement,
    ProjectAgreement,
    ReviewerQuality,
)
from labeling.models import Project

Row = TypeVar("Row")


@dataclass(frozen=True)
class Details:
    """How far people agree by some of their answers: as a whole, by category, by pair, and where they differ most."""

    whole: ProjectAgreement
    categories: list[CategoryAgreement]
    pairs: list[PairAgreement]
    confusions: list[Confusion]


@dataclass(frozen=True)
class Comparison:
    """Of the blind answers and of all; None in `counted_at`: counted now. `is_cut`: older texts may be left out."""

    blind: Details
    everything: Details
    reviewers: list[ReviewerQuality]
    is_cut: bool
    counted_at: datetime | None = None


def count(project: Project) -> Comparison:
    """Counted anew: half a second for 200,000 reviews."""
    answers = quality.answers_of(project)
    return Comparison(
        blind=_details(answers.only_blind()),
        everything=_details(answers),
        reviewers=quality.by_reviewer(project),
        is_cut=answers.is_cut,
    )


def _details(answers: Answers) -> Details:
    return Details(
        whole=quality.of_project(answers),
        categories=quality.by_category(answers),
        pairs=quality.by_pair(answers),
        confusions=quality.confusions(answers),
    )


# --- As it is kept ----------------------------------------------------------------------------------------------------


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What `of_json` reads again; the time stands beside it."""
    kept = asdict(comparison)
    del kept["counted_at"]
    return kept


def of_json(kept: Mapping[str, Any], counted_at: datetime) -> Comparison:
    return Comparison(
        blind=_details_of(kept["blind"]),
        everything=_details_of(kept["everything"]),
        reviewers=_rows(ReviewerQuality, kept["reviewers"]),
        is_cut=kept["is_cut"],
        counted_at=counted_at,
    )


def _details_of(kept: Mapping[str, Any]) -> Details:
    [whole] = _rows(ProjectAgreement, [kept["whole"]])
    return Details(
        whole=whole,
        categories=_rows(CategoryAgreement, kept["categories"]),
        pairs=_rows(PairAgreement, kept["pairs"]),
        confusions=_rows(Confusion, kept["confusions"]),
    )


def _rows(kind: type[Row], kept: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows as values again; what is an estimate among their values is a mapping in JSON."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return [kind(**{name: _value(row[name]) for name in names}) for row in kept]


def _value(kept: Any) -> Any:
    return Estimate(**kept) if isinstance(kept, Mapping) else kept
