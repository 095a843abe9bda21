"""Finds the rows that a request of the API names. All raise DRF's own errors."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound

from labeling.models import Project

Row = TypeVar("Row", bound=Model)


def find_project(reference: str) -> Project:
    """The project of this name, in any case, or else of this id."""
    if project := by_name_or_id(Project.objects.all(), reference):
        return project
    raise NotFound(f"There is no project '{reference}'.")


def find_project_by_id(project_id: str) -> Project:
    """The project of an address, where a number is never a name."""
    if project := Project.objects.filter(pk=int(project_id)).first():
        return project
    raise NotFound(f"There is no project {project_id}.")


def by_name_or_id(rows: QuerySet[Row], reference: str) -> Row | None:
    """The row of this name, in any case, or else of this id."""
    if found := rows.filter(name__iexact=reference.strip()).first():
        return found
    return rows.filter(pk=int(reference)).first() if reference.isdecimal() else None
