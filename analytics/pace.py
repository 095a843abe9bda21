"""How fast people decide, from the newest decisions whose time was measured. Reads only."""

from dataclasses import dataclass
from statistics import median

from django.db.models import Exists, OuterRef

from labeling.models import Project, Text
from reviews import recent
from reviews.models import ANSWERS, Review

ENOUGH = 1_000
MOST_READ = 50_000  # newest reviews of all projects; a project without any for so long has no pace now


@dataclass(frozen=True)
class Pace:
    """The median `seconds` for a text over so many decisions; None where no time was measured."""

    seconds: float | None
    decisions: int


def of_project(project: Project) -> Pace:
    """The pace of the newest 1,000 measured decisions of a project. What was decided in bulk has no time."""
    after = recent.newest(Review.objects.all(), MOST_READ).after
    # As a subquery: with a join, SQLite may read all texts of the project first.
    is_of_project = Exists(Text.objects.filter(pk=OuterRef("text_id"), project=project))
    timed = Review.objects.effective().filter(is_of_project, pk__gt=after, action__in=ANSWERS, seconds_spent__gt=0)
    newest = timed.order_by("-pk").values_list("seconds_spent", flat=True)[:ENOUGH]
    seconds = [spent for spent in newest if spent is not None]
    return Pace(median(seconds) if seconds else None, len(seconds))
