"""What asking models costs, by the prices of the project, and the cap that no run exceeds."""

from decimal import Decimal

from django.db.models import Sum

from labeling import chunks
from labeling.models import LabelingRun, Project, RunChunk
from labeling.providers.base import ProviderError, Usage

MILLION = 1_000_000


def cost_of(usage: Usage, project: Project) -> Decimal:
    """By the project's prices now."""
    read, written = usage.prompt_tokens * project.prompt_price, usage.completion_tokens * project.completion_price
    return (read + written) / MILLION


def spent(project: Project) -> Decimal:
    """What all runs of the project have cost, counted from their chunks."""
    return RunChunk.objects.filter(run__project=project).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)


class UsedUp(ProviderError):
    """The project's runs have cost as much as it may spend."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


def refuse_when_used_up(project: Project) -> None:
    """Raises UsedUp when there is nothing left to ask a model about single texts."""
    if project.spending_cap is None or not (project.prompt_price or project.completion_price):
        return
    if (before := spent(project)) >= project.spending_cap:
        raise UsedUp(
            f"The project has spent {before:.2f} of at most {project.spending_cap:.2f}. Raise the cap, or choose a "
            "model that costs less."
        )


def require_means(run: LabelingRun, texts: int) -> None:
    """Raises UsedUp when so many texts more, asked about by each process of the run, would exceed the cap.

    A text is taken to cost what the run's texts cost so far, on average.
    """
    cap = run.project.spending_cap
    if cap is None:
        return
    done = run.chunks.aggregate(cost=Sum("cost"), texts=Sum("texts"))
    a_text = (done["cost"] or Decimal(0)) / (done["texts"] or 1)
    before = spent(run.project)
    is_used_up = before >= cap and (run.project.prompt_price or run.project.completion_price)
    if is_used_up or before + a_text * texts * max(1, chunks.count_held(run)) > cap:
        raise UsedUp(
            f"The project's runs have cost {before:.2f}, and more would exceed its spending cap of {cap:.2f}. What is "
            "labeled stays. Raise the cap, or choose a model that costs less, and label again."
        )
