"""manage.py draw_audit: draw more texts for the blind audit."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling import audits
from labeling.management.commands.label_texts import positive
from labeling.management.projects import add_project_argument, find_project


class Command(BaseCommand):
    help = "Draw more texts at random for the blind audit, among those that nobody has decided."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--size", type=positive, required=True, metavar="N", help="how many more")

    def handle(self, *, project: str, size: int, **options: Any) -> None:
        chosen = find_project(project)
        try:
            waiting = audits.draw(chosen, size)
        except audits.CannotDraw as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{size} texts drawn. {waiting} audit texts of project {chosen} wait to be decided.")
