"""`manage.py mark_gold`: texts whose label is known to be right, to score the people who review."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from labeling import gold
from labeling.choices import TextStatus
from labeling.management.projects import add_project_argument, find_project


class Command(BaseCommand):
    help = (
        "Marks decided texts as gold. Import them with their labels first: import_texts FILE --label-column COLUMN "
        "--source NAME. Then set the project's gold share."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--source", required=True, help="the source that the texts were imported with")
        parser.add_argument("--undo", action="store_true", help="make them ordinary texts again")

    def handle(self, *, project: str, source: str, undo: bool, **_: Any) -> None:
        found = find_project(project)
        texts = found.texts.filter(source=source)
        if undo:
            self.stdout.write(f"{gold.unmark(texts)} texts are ordinary again.")
            return
        marked, undecided = gold.mark(texts), texts.exclude(status=TextStatus.REVIEWED).count()
        self.stdout.write(f"{marked} texts of source '{source}' are gold now.")
        if undecided:
            self.stdout.write(f"{undecided} have no decided label and were left out. Import them with --label-column.")
        if not found.gold_share:
            self.stdout.write("Set the project's gold share, for example 0.05, so that reviewers meet them.")
