"""`manage.py create_project`: a new project, with its categories from a JSON file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import projects


class Command(BaseCommand):
    help = "Creates a project with its categories."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--categories", type=Path, metavar="FILE", help='JSON: [{"name": "...", "description": "..."}, ...]'
        )
        parser.add_argument("--instructions", default="", help="Guidelines for people and models.")
        parser.add_argument("--threshold", type=float, help="Labels are accepted from this confidence on (0 to 1).")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            categories = projects.read_categories(options["categories"]) if options["categories"] else []
            project = projects.create(
                options["name"],
                categories=categories,
                instructions=options["instructions"],
                threshold=options["threshold"],
            )
        except (projects.ProjectExists, projects.WrongProject, projects.WrongCategories) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Created project '{project}' with {len(categories)} categories.")
