"""Which part of a project the statistics are about: dates, a category, a source, a reviewer, a run."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypeVar

from django.db.models import Model

from analytics.cells import Cells
from analytics.queries import OTHER_SOURCES, Tables
from labeling.lookups import id_of
from labeling.models import Category, LabelingRun, Project
from reviews.models import Reviewer

MOST_RUNS = 200  # newest, that are listed; sums are of all

Row = TypeVar("Row", bound=Model)


class UnknownChoice(ValueError):
    """Something was asked for that the project does not have. `field` says by which filter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Filters:
    """Days are those of the time zone of the settings, both included. Keys of rows; `source` by its name."""

    since: date | None = None
    until: date | None = None
    category: int | None = None
    source: str | None = None
    reviewer: int | None = None
    run: int | None = None

    @property
    def are_set(self) -> bool:
        return any(value is not None for value in asdict(self).values())


EVERYTHING = Filters()


@dataclass(frozen=True)
class Names:
    """What the keys in the cells stand for."""

    categories: Mapping[int, Category]
    reviewers: Mapping[int, str]
    runs: Mapping[int, LabelingRun]

    @classmethod
    def of(cls, project: Project) -> "Names":
        """The project's categories, all reviewers, and the runs, newest first."""
        people = Reviewer.objects.order_by("user__username").values_list("pk", "user__username")
        runs = project.runs.order_by("-pk").defer("categories", "text_ids", "prompt", "drift")
        return cls({row.pk: row for row in project.categories.all()}, dict(people), {row.pk: row for row in runs})

    @property
    def merged(self) -> dict[int, int]:
        """The category that each merged one counts for."""
        return {key: one.merged_into_id for key, one in self.categories.items() if one.merged_into_id}

    def category(self, key: int) -> str:
        return self.categories[key].name if key in self.categories else f"Category {key}"

    def reviewer(self, key: int) -> str:
        return self.reviewers.get(key, f"Reviewer {key}")


def chosen(names: Names, sources: Iterable[str], wanted: Mapping[str, Any], *, keys_first: bool = False) -> Filters:
    """The filters from values as people and programs write them: names or keys. Raises UnknownChoice.

    Names may be numbers, such as 1 to 5 stars: what a page has written means keys, what a person writes means names.
    """
    since, until = wanted.get("since"), wanted.get("until")
    if since and until and since > until:
        raise UnknownChoice("to", "This day is before the first one.")
    source = wanted.get("source") or None
    if source is not None and source not in set(sources):
        raise UnknownChoice("source", f"No text came from '{source}', or it is not among the most frequent sources.")
    categories = {key: category.name for key, category in names.categories.items()}
    category = _key("category", categories, wanted, keys_first)
    return Filters(
        since=since or None,
        until=until or None,
        category=category and names.categories[category].holds_as,
        source=source,
        reviewer=_key("reviewer", names.reviewers, wanted, keys_first),
        run=_key("run", dict.fromkeys(names.runs, ""), wanted, keys_first),
    )


def in_words(filters: Filters, names: Names) -> str:
    """What the filters leave of a project, such as "from 2026-11-01, of the category Sports"."""
    parts = (
        filters.since and f"from {filters.since}",
        filters.until and f"to {filters.until}",
        filters.category and f"of the category {names.category(filters.category)}",
        filters.source is not None and f"from the source {filters.source}",
        filters.reviewer and f"by {names.reviewer(filters.reviewer)}",
        filters.run and f"of run {filters.run}",
    )
    return ", ".join(part for part in parts if part)


def _key(field: str, names: Mapping[int, str], wanted: Mapping[str, Any], keys_first: bool) -> int | None:
    """The key of a name, in any case, or a key itself."""
    if wanted.get(field) in (None, ""):
        return None
    words = str(wanted[field]).strip()
    named = [key for key, name in names.items() if name and name.casefold() == words.casefold()]
    keyed = [key] if (key := id_of(words)) in names else []
    if not (found := keyed + named if keys_first else named + keyed):
        raise UnknownChoice(field, f"The project has no {field} '{words}'.")
    return found[0]


# --- Applied ----------------------------------------------------------------------------------------------------------


def texts_of(tables: Tables, filters: Filters) -> Cells:
    """Texts by when they were added, the category that holds, who decided them, and the run that labeled them."""
    return _part(tables.texts, tables, filters, category="category", reviewer="decider")


def reviews_of(tables: Tables, filters: Filters) -> Cells:
    """Reviews by when they were made, the category that they gave, who made them, and the run that they judged."""
    return _part(tables.reviews, tables, filters, category="after", reviewer="reviewer")


def audits_of(tables: Tables, filters: Filters) -> Cells:
    """The decisions of the blind audit that count, by the category that the machine had given."""
    audits = tables.reviews.where(tables.reviews["is_audit"] == 1)
    return _part(audits, tables, filters, category="before", reviewer="reviewer")


def _part(cells: Cells, tables: Tables, filters: Filters, *, category: str, reviewer: str) -> Cells:
    if filters.since:
        cells = cells.where(cells["day"] >= filters.since.toordinal())
    if filters.until:
        cells = cells.where(cells["day"] <= filters.until.toordinal())
    if filters.source is not None:
        cells = cells.where(cells["source"] == tables.sources.index(filters.source))
    for column, key in ((category, filters.category), (reviewer, filters.reviewer), ("run", filters.run)):
        if key is not None:
            cells = cells.where(cells[column] == key)
    return cells


def runs_to_choose(names: Names, filters: Filters) -> list[LabelingRun]:
    """The newest ones, and the one that is chosen, however old."""
    return [run for place, run in enumerate(names.runs.values()) if place < MOST_RUNS or run.pk == filters.run]


def sources_to_choose(tables: Tables) -> list[str]:
    """Those that have a name; the last one stands for many, and only where there are many."""
    return [name for name in tables.sources if name and name != OTHER_SOURCES]
