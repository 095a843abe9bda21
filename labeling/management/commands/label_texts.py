"""manage.py label_texts: let a model label a project's texts."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.db.models import Count

from labeling import answering, chunks, drifting, execution, runs, workers
from labeling.choices import RunStatus
from labeling.management.progress import PhaseProgress
from labeling.management.projects import add_project_argument, find_project
from labeling.models import LabelingRun, Project
from labeling.providers.base import ProviderError


def positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Command(BaseCommand):
    help = "Label a project's texts with a model. Safe to interrupt: the next call goes on where this one stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--provider", default="", help="alias of the provider (default: the project's own)")
        parser.add_argument("--limit", type=positive, metavar="N", help="label at most N texts")
        parser.add_argument("--relabel", action="store_true", help="also texts that a model labeled before")
        parser.add_argument("--background", action="store_true", help="leave the work to manage.py run_worker")
        parser.add_argument("--text", default="", help="only answer for this one text; nothing is stored")

    def handle(
        self,
        *,
        project: str,
        provider: str,
        limit: int | None,
        relabel: bool,
        background: bool,
        text: str,
        **options: Any,
    ) -> None:
        signal.signal(signal.SIGTERM, _interrupt)  # a service manager's stop is as gentle as Ctrl-C
        try:
            chosen = find_project(project)
            if text:
                self.stdout.write(answering.answer(chosen, text, provider=provider).explanation)
                return
            run = runs.start_or_resume(chosen, provider=provider, limit=limit, relabel=relabel)
            if background:
                runs.queue(run)
                self._say_how_to_follow(run)
                return
            self._execute(run)
        except runs.NothingToLabel:
            self.stdout.write(f"Nothing to label in project {chosen}. To label again, add --relabel.")
            return
        except (runs.CannotStart, runs.RunStopped, ProviderError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(summary(run, chosen))
        if (warning := drifting.warning(chosen)) and warning.run_id == run.pk:
            self.stdout.write(self.style.WARNING(" ".join(warning.sentences)))

    def _say_how_to_follow(self, run: LabelingRun) -> None:
        self.stdout.write(f"Run {run.pk} is queued: {run.total} texts. Follow it with: manage.py runs watch {run.pk}")
        if not workers.alive(workers.LABELING).exists():
            self.stdout.write(self.style.WARNING(workers.NONE_RUNNING))

    def _execute(self, run: LabelingRun) -> None:
        with PhaseProgress() as progress:
            try:
                execution.execute(run, on_progress=progress.show)
            except KeyboardInterrupt:
                progress.stop()
                done = chunks.tally(run).texts
                message = f"Stopped: {done} of {run.total} texts are done. The same command goes on from there."
                raise CommandError(message, returncode=130) from None
            except (OperationalError, InterfaceError) as error:
                raise CommandError(
                    f"The database failed: {error}. What is labeled is kept; when the database works again, the same "
                    "command goes on from there."
                ) from error
        if run.status == RunStatus.FAILED:
            raise CommandError(run.error)


def summary(run: LabelingRun, project: Project) -> str:
    """What the run did, and how the project's texts stand now."""
    counts = project.texts.order_by("status").values_list("status").annotate(Count("pk"))
    standing = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts)
    done = f"read {run.total} texts again and changed {run.done}" if run.relabel else f"labeled {run.done} texts"
    return f"Run {run.pk} {done} ({run.get_status_display().lower()}). Project {project}: {standing}."
