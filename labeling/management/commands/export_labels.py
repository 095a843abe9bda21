"""manage.py export_labels: a project's texts with their labels, as a file or on stdout."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from labeling import exporting
from labeling.management.progress import PhaseProgress
from labeling.management.projects import add_project_argument, find_project
from labeling.models import Project


class TextOutput:
    """Takes the bytes of a text format for a stdout that takes only text."""

    def __init__(self, output: OutputWrapper) -> None:
        self.output = output

    def writelines(self, pieces: Any) -> None:
        for piece in pieces:
            self.output.write(piece.decode(), ending="")

    def flush(self) -> None:
        self.output.flush()


class Command(BaseCommand):
    help = "Write a project's texts with their labels and where each label came from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--format", required=True, choices=list(exporting.FORMATS), dest="file_format")
        parser.add_argument(
            "--only",
            default="all",
            choices=list(exporting.SELECTIONS),
            help="accepted: by a model; reviewed: by people; final: both; labeled: also what needs review",
        )
        parser.add_argument("--output", type=Path, metavar="PATH", help="file, or folder for hf (default: stdout)")

    def handle(self, *, project: str, file_format: str, only: exporting.Only, output: Path | None, **_: Any) -> None:
        chosen = find_project(project)
        to = output or self._stdout(file_format)
        try:
            summary = self._export(chosen, file_format, only, to)
        except BrokenPipeError:
            self._forget_stdout()  # whoever read it has enough
            return
        except exporting.CannotWrite as error:
            self._forget_stdout()
            raise CommandError(str(error)) from error
        except exporting.DoesNotFit as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            kept = f" {output} is as it was before." if output else ""
            raise CommandError(f"Stopped.{kept}", returncode=130) from None
        self._report(summary, chosen, output)

    def _stdout(self, file_format: str) -> BinaryIO:
        chosen = exporting.FORMATS[file_format]
        if chosen.is_folder:
            raise CommandError(f"{file_format} is a folder of files. Add --output FOLDER.")
        if not chosen.is_text and self.stdout.isatty():
            raise CommandError(f"{file_format} cannot be shown in a terminal. Add --output FILE or redirect with >.")
        return cast(BinaryIO, getattr(self.stdout, "buffer", None) or TextOutput(self.stdout))

    def _export(
        self, project: Project, file_format: str, only: exporting.Only, to: BinaryIO | Path
    ) -> exporting.ExportSummary:
        if not self.stderr.isatty() or (not isinstance(to, Path) and self.stdout.isatty()):
            return exporting.export(project, file_format=file_format, only=only, to=to)
        total = exporting.texts(project, only).count()
        with PhaseProgress() as progress:
            return exporting.export(
                project,
                file_format=file_format,
                only=only,
                to=to,
                on_rows=lambda done: progress.show("Exporting", done, max(total, done)),
            )

    def _report(self, summary: exporting.ExportSummary, project: Project, output: Path | None) -> None:
        for note in summary.notes:
            self.stderr.write(note, self.style.WARNING)
        if not summary.rows:
            self.stderr.write(f"Project {project} has no such texts: the export is empty.", self.style.WARNING)
        elif output:
            self.stderr.write(f"{summary.rows} rows written to {output}.", self.style.SUCCESS)

    def _forget_stdout(self) -> None:
        """Keep Python from trying once more, at its end, to write what could not be written."""
        if self.stdout._out is sys.stdout and sys.stdout is sys.__stdout__:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
