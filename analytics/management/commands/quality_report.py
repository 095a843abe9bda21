"""manage.py quality_report: what a project's labels are worth, as one document."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics import report, statistics
from labeling.management.projects import add_project_argument, find_project


class Command(BaseCommand):
    help = (
        "Write what was labeled, how sure that is, what is promised, who reviewed and what it cost: as a page that "
        "opens anywhere (html), as Markdown, or as JSON. Everything is counted anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--format", choices=report.FORMATS, default="md", dest="file_format")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write it there (default: the terminal)")

    def handle(self, *, project: str, file_format: str, output: Path | None, **_: Any) -> None:
        written = report.FORMATS[file_format](statistics.of_project(find_project(project)))
        if output is None:
            self.stdout.write(written, ending="")
            return
        try:
            output.write_text(written, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The report cannot be written: {error}") from error
        self.stdout.write(f"The report is in {output}.")
