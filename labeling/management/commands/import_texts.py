"""`manage.py import_texts`: texts from a file or standard input into a project."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from labeling import importing
from labeling.management.projects import add_project_argument, find_project
from labeling.models import ImportRecord
from labeling.readers import ENCODINGS, FORMATS

INTERRUPTED = 130
AGAIN = "Run the command again: what is there is skipped."
FORMATS_WITHOUT_LINES = ("json", "parquet", "xlsx")


class Command(BaseCommand):
    help = "Imports texts. Texts that the project has already are skipped, so it can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="Path, or - for standard input.")
        add_project_argument(parser)
        parser.add_argument("--format", default="", choices=FORMATS, help="Default: by the file's ending.")
        parser.add_argument(
            "--encoding", default="", choices=ENCODINGS, help="Default: as the file begins, else UTF-8."
        )
        parser.add_argument("--text-column", default="", help="Default: text, content, body or message.")
        parser.add_argument("--id-column", default="", help="Default: external_id or id.")
        parser.add_argument("--source-column", default="", help="Default: source.")
        parser.add_argument("--language-column", default="", help="Default: language or lang.")
        parser.add_argument("--label-column", default="", help="Labels that people gave. Not used unless named here.")
        parser.add_argument("--source", default="", help="Source of texts whose row names none.")
        parser.add_argument("--create-categories", action="store_true", help="Create categories of unknown labels.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        latest: list[ImportRecord] = []
        with _progress_bar() as advance:

            def progress(record: ImportRecord, fraction: float | None) -> None:
                latest[:] = [record]
                advance(record, fraction)

            try:
                record = importing.import_file(
                    project,
                    options["file"],
                    file_format=options["format"],
                    encoding=options["encoding"],
                    source=options["source"],
                    create_categories=options["create_categories"],
                    progress=progress,
                    **{name: options[name] for name in importing.COLUMN_OPTIONS},
                )
            except importing.ImportFailed as error:
                raise CommandError(f"{error}\n{_kept(latest)}") from None
            except importing.TakenOver as reason:
                kept = _kept(latest) if latest else AGAIN
                raise CommandError(f"{reason} What was read last is not written. {kept}") from None
            except KeyboardInterrupt:
                raise CommandError(f"Interrupted. {_kept(latest)}", returncode=INTERRUPTED) from None
        self._summarise(record)

    def _summarise(self, record: ImportRecord) -> None:
        self.stdout.write(
            f"'{record.project}': {record.added:,} added, {record.duplicate:,} duplicate, {record.empty:,} empty, "
            f"{record.rejected:,} rejected."
        )
        unit = "row" if record.file_format in FORMATS_WITHOUT_LINES else "line"
        for rejection in record.rejections:
            self.stdout.write(f"  {unit} {rejection['line']}: {rejection['reason']}")
        if unseen := record.rejected - len(record.rejections):
            self.stdout.write(f"  and {unseen:,} more")


def _kept(latest: list[ImportRecord]) -> str:
    if not latest:
        return "Nothing was added."
    return f"Added and kept: {latest[0].added:,}. {AGAIN}"


@contextmanager
def _progress_bar() -> Iterator[Any]:
    """Shows how far the import is, on a terminal; elsewhere nothing."""
    console = Console(stderr=True)
    shown = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Importing", total=None)

        def advance(record: ImportRecord, fraction: float | None) -> None:
            total = None if fraction is None else 1.0
            bar.update(task, description=f"{record.added:,} texts added", total=total, completed=fraction or 0)

        yield advance
