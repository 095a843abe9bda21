"""Progress bars on stderr, so that stdout stays clean for data."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class RateColumn(ProgressColumn):
    """Texts per second since the phase began. rich's own figure is empty for phases of one or two steps."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed / task.elapsed:,.0f} texts/s" if task.elapsed else "")


class PhaseProgress(Progress):
    """One bar for each phase of a run, with texts per second and the time left."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeRemainingColumn(),
        )
        super().__init__(*columns, console=Console(stderr=True))
        self.bars: dict[str, TaskID] = {}

    def show(self, phase: str, done: int, total: int) -> None:
        if phase not in self.bars:
            self.bars[phase] = self.add_task(phase, total=total)
        self.update(self.bars[phase], completed=done, total=total)
