"""What the background worker is asked to count. Done twice it comes to the same."""

from analytics import keeping
from labeling import workers
from labeling.models import Project


@workers.at_work()
def count_due() -> int:
    """Count the projects whose figures are old; returns how many."""
    return keeping.refresh_due()


@workers.at_work()
def count_project(project_id: int) -> None:
    """Count one project now, because somebody asked for it."""
    keeping.refresh(Project.objects.get(pk=project_id))
