"""manage.py runs: look at labeling runs, follow one, and say what is to become of it."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling import requeueing, run_progress, runs
from labeling.management.progress import PhaseProgress
from labeling.models import LabelingRun

LOOK_SECONDS = 1.0
NEWEST = 20


class Command(BaseCommand):
    help = "List labeling runs, follow one until it ends, or pause, resume, cancel, retry or requeue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="the newest runs, and how far they are")
        verbs.add_parser("requeue", help="queue what the broker has lost; workers do it by themselves, too")
        for verb, words in HELP.items():
            verbs.add_parser(verb, help=words).add_argument("run", type=int, metavar="ID")

    def handle(self, *, verb: str, run: int | None = None, **options: Any) -> None:
        if run is None:
            (self._list if verb == "list" else self._requeue)()
            return
        chosen = LabelingRun.objects.select_related("project").filter(pk=run).first()
        if chosen is None:
            raise CommandError(f"There is no run {run}. See manage.py runs list.")
        try:
            getattr(self, f"_{verb}")(chosen)
        except runs.CannotStart as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        for run in LabelingRun.objects.select_related("project")[:NEWEST]:
            self.stdout.write(f"{run.pk}  {run.project}  {run_progress.of(run).sentence}")

    def _requeue(self) -> None:
        found = requeueing.requeue()
        numbers = ", ".join(str(run.pk) for run in found)
        self.stdout.write(f"Queued again: run {numbers}." if found else "Nothing is missing from the queue.")

    def _watch(self, run: LabelingRun) -> None:
        """Until the run ends. Ctrl-C stops the watching, not the run."""
        told: set[str] = set()
        with PhaseProgress() as bars:
            while not (now := run_progress.of(run)).is_finished:
                bars.show(now.phase, now.done, now.total)
                for note in set(now.notes) - told:
                    bars.console.print(note)
                    told.add(note)
                time.sleep(LOOK_SECONDS)
                run.refresh_from_db()
        self._say(run)

    def _pause(self, run: LabelingRun) -> None:
        runs.pause(run)
        self._say(run)

    def _resume(self, run: LabelingRun) -> None:
        runs.resume(run)
        self._say(run)

    def _cancel(self, run: LabelingRun) -> None:
        runs.cancel(run)
        self._say(run)

    def _retry(self, run: LabelingRun) -> None:
        again = runs.retry_failed(run)
        self.stdout.write(f"Run {again.pk} tries {again.total} failed texts once more.")

    def _say(self, run: LabelingRun) -> None:
        now = run_progress.of(run)
        self.stdout.write(f"Run {run.pk}: {now.sentence}")
        for reason, count in now.failures:
            self.stdout.write(f"  {count} failed: {reason}")
        for note in now.notes:
            self.stdout.write(f"  {note}")


HELP = {
    "watch": "a progress bar until the run ends; Ctrl-C ends only the watching",
    "pause": "let it rest; its labels stay",
    "resume": "go on where it was paused",
    "cancel": "end it; its labels stay",
    "retry": "label the texts that failed, and only those",
}
