"""Finds the rows that a request of the API names, among those that it may see. All raise DRF's own errors."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from labeling.access import projects_of, sees_all
from labeling.models import Project
from labeling.projects import DEFAULT

Row = TypeVar("Row", bound=Model)
MOST_DIGITS = 18  # of an id in any database


def visible_projects(request: Request) -> QuerySet[Project]:
    """The projects that this request may see."""
    return projects_of(request.user, request.auth)


def only_visible(request: Request, rows: QuerySet[Row], path: str = "project") -> QuerySet[Row]:
    """The rows of projects that this request may see; `path` leads from a row to its project.

    Who may see all projects is spared the question: it would keep SQLite from walking a large table by its order.
    """
    if sees_all(request.user, request.auth):
        return rows
    ids = list(visible_projects(request).values_list("pk", flat=True))
    return rows.filter(**{f"{path}__in": ids})


def find_project(request: Request, reference: str | int | None) -> Project:
    """The project of this name, in any case, or else of this id; the default project where none is named."""
    wanted = DEFAULT if reference is None else str(reference)
    if project := by_name_or_id(visible_projects(request), wanted):
        return project
    raise NotFound(f"There is no project '{wanted}' that you may see.")


def by_name_or_id(rows: QuerySet[Row], reference: str, *, id_first: bool = False) -> Row | None:
    """The row of this name, in any case, or else of this id. Where links give ids, these come first: a name may be a
    number as well."""
    named, keyed = rows.filter(name__iexact=reference.strip()), rows.filter(pk=id_of(reference))
    first, second = (keyed, named) if id_first else (named, keyed)
    return first.first() or second.first()


def id_of(words: str) -> int:
    """The id that is written there, or 0, which no row has. Of thousands of digits Python makes no number."""
    return int(words) if words.isdecimal() and len(words) <= MOST_DIGITS else 0
