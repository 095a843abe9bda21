"""What the review desk shows: one text, the person's progress, what others decided meanwhile. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.text import Truncator

from labeling.choices import LABELABLE, WAITING, LabelOrigin, TextStatus
from labeling.models import Category, Label, Project, Text
from reviews.blind import hides_answer, is_blind_text, shown_reason
from reviews.models import DECISIONS, Action, Assignment, QueueReason, Review, Reviewer

MOST_COUNTED = 1_000  # waiting texts are counted up to here: a count of millions would slow every decision
LAST_DECISIONS = 8
EXCERPT = 70  # characters
NO_LABEL = "No model could label it"
PACE_WINDOW = timedelta(hours=1)
SHOWN = (*DECISIONS, Action.FLAG)


@dataclass(frozen=True)
class DeskText:
    """One text as a reviewer may see it. In the blind audit there is no `answer`, so that it cannot leak."""

    id: int
    content: str
    source: str
    language: str
    external_id: str
    metadata: dict[str, Any]
    is_blind: bool
    reason: str
    reason_text: str
    claimed_at: str
    answer: dict[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        answer = data.pop("answer")
        return data | (answer or {})


@dataclass(frozen=True)
class Progress:
    """How far this person is today."""

    decided_today: int
    daily_goal: int
    pace_per_hour: int


def text_of(assignment: Assignment) -> DeskText:
    """The assigned text with what is known about it; in the blind audit without any answer."""
    text = assignment.text
    reason = shown_reason(assignment.reason)
    return DeskText(
        id=text.pk,
        content=text.content,
        source=text.source,
        language=text.language,
        external_id=text.external_id,
        metadata=text.metadata,
        is_blind=is_blind_text(text),
        reason=reason,
        reason_text=NO_LABEL if text.status == TextStatus.FAILED else str(QueueReason(reason).label),
        claimed_at=assignment.claimed_at.isoformat(),
        answer=None if is_blind_text(text) else _answer(text, assignment.reviewer_id),
    )


def _answer(text: Text, reviewer_id: int) -> dict[str, Any]:
    return {
        "label": _shown_label(text.current_label) if text.current_label else None,
        "history": _history(text, reviewer_id),
    }


def _shown_label(label: Label) -> dict[str, Any]:
    return {
        "id": label.pk,
        "category_id": label.category_id,
        "confidence": label.confidence,
        "is_calibrated": label.is_calibrated,
        "is_truncated": label.is_truncated,
        "explanation": label.explanation,
        "evidence": label.evidence,
        "scores": label.scores,
    }


def _history(text: Text, reviewer_id: int) -> list[dict[str, Any]]:
    """Labels and reviews of the text, oldest first.

    Where several people decide each text, one does not see what the others said: agreement would mean nothing.
    """
    reviews = Review.objects.filter(text=text)
    first = text.current_label
    # Most texts have one label and no review yet: then the label in hand is all there is.
    if first and first.version == 1 and not reviews.exists():
        return [_label_row(first)]
    reviews = reviews.select_related("reviewer__user", "category_after")
    labels = Label.objects.filter(text=text).select_related("category", "annotator")
    if text.project.reviews_per_text > 1:
        labels = labels.filter(origin=LabelOrigin.MODEL)
        reviews = reviews.filter(reviewer_id=reviewer_id)
    rows = [*(_label_row(label) for label in labels), *(_review_row(review) for review in reviews)]
    return sorted(rows, key=lambda row: row["when"])


def _label_row(label: Label) -> dict[str, Any]:
    who = label.annotator.get_username() if label.annotator else label.model_name or label.provider or label.source
    return {
        "what": "label",
        "who": who,
        "category": label.category.name,
        "confidence": label.confidence,
        "comment": "",
        "when": label.created_at.isoformat(),
    }


def _review_row(review: Review) -> dict[str, Any]:
    category = None if review.action == Action.UNDO else review.category_after
    return {
        "what": review.action,
        "who": str(review.reviewer),
        "category": category.name if category else None,
        "confidence": review.confidence_after,
        "comment": review.comment,
        "when": review.created_at.isoformat(),
    }


def standing(reviewer: Reviewer, project: Project) -> dict[str, Any]:
    """The person's progress and last decisions. It goes with every answer, so it reads a few of the newest rows."""
    made = last_decisions(reviewer, project)
    shown = [row.as_json() for row in made[:LAST_DECISIONS]]
    return {"progress": asdict(progress(reviewer, pace=_pace(made))), "decisions": shown}


def progress(reviewer: Reviewer, *, pace: int) -> Progress:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    # By the undoing reviews, and not by the undone ones: a join from those reads all reviews there are.
    undone = Q(action=Action.UNDO, reverts__action__in=DECISIONS, reverts__created_at__gte=midnight)
    today = Review.objects.filter(reviewer=reviewer, created_at__gte=midnight)
    numbers = today.aggregate(made=Count("pk", filter=Q(action__in=DECISIONS)), undone=Count("pk", filter=undone))
    return Progress(numbers["made"] - numbers["undone"], reviewer.daily_goal, pace)


def waiting(project: Project) -> dict[str, Any]:
    """How much is left, for the page to say. Not with every decision: counting takes as long as deciding."""
    count = waiting_in(project)
    return {"waiting": min(count, MOST_COUNTED), "waiting_is_capped": count > MOST_COUNTED}


def waiting_in(project: Project) -> int:
    """How many texts wait for people at the desk, counted no further than just above MOST_COUNTED."""
    texts = Text.objects.filter(project=project).order_by()
    unsure = texts.filter(status__in=WAITING)
    # In the order of their index, or SQLite goes through every accepted text of the project.
    audits = texts.filter(is_audit=True, status=TextStatus.ACCEPTED).order_by("content_hash")
    return sum(some[: MOST_COUNTED + 1].count() for some in (unsure, audits))


class LastDecision(NamedTuple):
    """A Review, as far as the list of last decisions needs it."""

    pk: int
    text_id: int
    beginning: str
    action: str
    category: str | None
    when: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.pk,
            "text_id": self.text_id,
            "excerpt": Truncator(self.beginning).chars(EXCERPT),
            "action": self.action,
            "category": self.category,
            "when": self.when.isoformat(),
        }


def last_decisions(reviewer: Reviewer, project: Project) -> list[LastDecision]:
    """What this person did last in the project and has not undone, newest first."""
    beginning = Substr("text__content", 1, EXCERPT + 1)
    # Values, because building three models for each row took a fifth of the time of a decision.
    rows = _kept(reviewer, project).values_list("pk", "text", beginning, "action", "category_after__name", "created_at")
    return [LastDecision(*row) for row in rows[: 2 * LAST_DECISIONS]]


def to_undo(reviewer: Reviewer, project: Project, named: Collection[int]) -> int | None:
    """Which decision of this person in the project an undo means: the one named, however old it is, or the last."""
    kept = _kept(reviewer, project)
    return (kept.filter(pk__in=named) if named else kept).values_list("pk", flat=True).first()


def _kept(reviewer: Reviewer, project: Project) -> QuerySet[Review]:
    mine = Review.objects.filter(reviewer=reviewer, text__project=project).exclude(action=Action.UNDO)
    return mine.filter(~Exists(Review.objects.filter(reverts=OuterRef("pk")))).order_by("-pk")


def _pace(made: Sequence[LastDecision]) -> int:
    """Decisions an hour, at the speed of the last ones within the hour; 0 until there are three to measure."""
    since = timezone.now() - PACE_WINDOW
    times = [row.when for row in made if row.action in DECISIONS and row.when >= since]
    seconds = (times[0] - times[-1]).total_seconds() if len(times) > 2 else 0.0
    return round((len(times) - 1) * 3600 / seconds) if seconds > 1 else 0


def decided_by_others(reviewer: Reviewer, project: Project, text_ids: Collection[int]) -> list[dict[str, Any]]:
    """Which of these texts of the project are no longer open because of other people.

    Answers stay hidden where they could sway a second one. Gold texts are left out: they were decided all along.
    """
    texts = Text.objects.filter(pk__in=text_ids, project=project, is_gold=False)
    closed = texts.exclude(status__in=LABELABLE)
    made = Review.objects.filter(text__in=closed, action__in=SHOWN, reverted_by__isnull=True)
    rows = (
        made.exclude(reviewer=reviewer)
        .select_related("text__project", "reviewer__user", "category_after")
        .order_by("pk")
    )
    return [{"text_id": review.text_id, **other_decision(review)} for review in rows]


def other_decision(review: Review) -> dict[str, Any]:
    """Who decided what, as another reviewer may know it."""
    is_hidden = hides_answer(review.text)
    return {
        "reviewer": str(review.reviewer),
        "action": review.action,
        "category": None if is_hidden or review.category_after is None else review.category_after.name,
        "when": review.created_at.isoformat(),
    }


def categories_of(project: Project) -> list[dict[str, Any]]:
    return [_category(category) for category in project.shown_categories()]


def _category(category: Category) -> dict[str, Any]:
    return {
        "id": category.pk,
        "name": category.name,
        "description": category.description,
        "examples": category.examples,
        "color": category.color,
        "shortcut": category.shortcut,
    }
