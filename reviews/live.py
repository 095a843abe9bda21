"""What happens in a project right now: desks, pace, what waits, the last decisions. Reads rows only, so that every
server process answers the same."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from labeling.models import Project, Text
from reviews import desk
from reviews.blind import hides_label
from reviews.models import Action, Assignment, Review
from reviews.recent import Recent, newest

MINUTES = (1, 5, 15, 60)
MOST_READ = 10_000  # newest reviews of all projects; more in an hour than these are not counted
LAST_DECISIONS = 20


@dataclass
class Person:
    """Somebody who has texts on the desk, or decided some in the last hour."""

    id: int
    name: str
    since: datetime | None = None
    on_desk: int = 0
    decided: list[int] = field(default_factory=lambda: [0] * len(MINUTES))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "history": reverse("reviews:reviewer_history", args=[self.id]),
            "since": self.since.isoformat() if self.since else None,
            "on_desk": self.on_desk,
            "decided": self.decided,
        }


def snapshot(project: Project) -> dict[str, Any]:
    """The project at this moment, as JSON. The number of queries does not depend on people or texts."""
    now = timezone.now()
    recent = newest(Review.objects.all(), MOST_READ)
    return {
        "now": now.isoformat(),
        "minutes": MINUTES,
        "people": [person.as_json() for person in people(project, now, recent)],
        # Of so many reviews in one hour only the newest are counted.
        "is_capped": not recent.reaches(now - timedelta(minutes=MINUTES[-1])),
        **desk.waiting(project),
        "last": last_decisions(project, recent),
    }


def people(project: Project, now: datetime, recent: Recent) -> list[Person]:
    """Who is on the desk, longest first, then who decided something in the last hour."""
    found: dict[int, Person] = {}
    for pk, name, since, texts in _desks(project, now):
        person = found.setdefault(pk, Person(pk, name))
        person.since, person.on_desk = since, texts
    for pk, name, made_at in _decided(project, now, recent):
        person = found.setdefault(pk, Person(pk, name))
        age = now - made_at
        person.decided = [n + (age <= timedelta(minutes=m)) for n, m in zip(person.decided, MINUTES, strict=True)]
    return sorted(found.values(), key=lambda person: (person.since is None, person.since or now, person.name))


def _desks(project: Project, now: datetime) -> Any:
    claims = Assignment.objects.filter(_is_of(project), expires_at__gt=now).order_by()
    by_person = claims.values("reviewer", "reviewer__user__username").annotate(since=Min("claimed_at"), n=Count("pk"))
    return by_person.values_list("reviewer", "reviewer__user__username", "since", "n")


def _decided(project: Project, now: datetime, recent: Recent) -> Any:
    """Decisions that stand, of the last hour. Among the newest ids only, because times have no index, and counted
    here: to group them, SQLite would read all reviews in the order of reviewers."""
    hour_ago = now - timedelta(minutes=MINUTES[-1])
    made = Review.objects.effective().filter(_is_of(project), pk__gt=recent.after, created_at__gte=hour_ago)
    return made.order_by("pk").values_list("reviewer", "reviewer__user__username", "created_at")


def _is_of(project: Project) -> Exists:
    """As a subquery: with a join, SQLite may read all texts of the project first."""
    return Exists(Text.objects.filter(pk=OuterRef("text_id"), project=project))


def last_decisions(project: Project, recent: Recent) -> list[dict[str, Any]]:
    """What people did last, newest first; undone decisions are marked."""
    made = Review.objects.filter(_is_of(project), pk__gt=recent.after).exclude(action=Action.UNDO)
    rows = made.select_related("text", "reviewer__user", "category_before", "category_after").order_by("-pk")
    last = list(rows.defer("text__metadata", "text__error")[:LAST_DECISIONS])
    undos = Review.objects.filter(pk__gt=recent.after, reverts__in=last)
    undone = set(undos.values_list("reverts_id", flat=True))
    return [_row(review, is_undone=review.pk in undone) for review in last]


def _row(review: Review, *, is_undone: bool) -> dict[str, Any]:
    # What was said as well: who watches may be the next to decide the text, independently.
    is_hidden = hides_label(review)
    before, after = (None, None) if is_hidden else (review.category_before, review.category_after)
    return {
        "id": review.pk,
        "text": reverse("reviews:text_history", args=[review.text_id]),
        "excerpt": Truncator(review.text.content).chars(120),
        "who": str(review.reviewer),
        "action": str(Action(review.action).label),
        "before": before.name if before else None,
        "after": after.name if after else None,
        "is_hidden": is_hidden,
        "is_blind": review.is_blind,
        "is_undone": is_undone,
        "when": review.created_at.isoformat(),
    }
