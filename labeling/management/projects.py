"""The `--project` argument that most commands take."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db import DatabaseError

from labeling.models import Project
from labeling.projects import DEFAULT


def add_project_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--project", default=DEFAULT, metavar="NAME", help=f"the project (default: {DEFAULT})")


def find_project(name: str) -> Project:
    """The project of this name, in any case. Raises CommandError that lists the projects there are."""
    try:
        project = Project.objects.filter(name__iexact=name).first()
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {error}. Run manage.py migrate first.") from error
    if project:
        return project
    known = ", ".join(Project.objects.filter(is_archived=False).values_list("name", flat=True)[:20])
    raise CommandError(
        f"There is no project {name!r}. Projects: {known}. Make one with: manage.py create_project {name!r}"
    )
