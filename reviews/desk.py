"""What the review desk shows: one text, the person's progress, what others decided meanwhile. Reads only."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.text import Truncator

from labeling.choices import LABELABLE, LabelOrigin, TextStatus
from labeling.models import Category, Label, Project, Text
from reviews.blind import is_blind_text, shown_reason
from reviews.models import DECISIONS, Action, Assignment, QueueReason, Review, Reviewer

MOST_COUNTED = 1_000  # waiting texts are counted up to here: a count of millions would slow every decision
LAST_DECISIONS = 8
EXCERPT = 70  # characters
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
    """How far this person is, and how much is left."""

    decided_today: int
    daily_goal: int
    pace_per_hour: int
    waiting: int
    waiting_is_capped: bool


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
        reason_text=str(QueueReason(reason).label),
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
    reviews = Review.objects.filter(text=text).select_related("reviewer__user", "category_after")
    labels = Label.objects.filter(text=text).select_related("category", "annotator")
    if text.project.reviews_per_text > 1:
        labels = labels.filter(origin=LabelOrigin.MODEL)
        reviews = reviews.filter(reviewer_id=reviewer_id)
    made, first = list(reviews), text.current_label
    # Most texts have one label and no review yet: then the label in hand is all there is.
    is_new = not made and first is not None and first.version == 1
    rows = [_label_row(label) for label in ([first] if first and is_new else labels)]
    return sorted([*rows, *(_review_row(review) for review in made)], key=lambda row: row["when"])


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


def progress(reviewer: Reviewer, project: Project) -> Progress:
    """Read with every decision, so it looks at this person's last day only, in one query."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    made_today, lately = _made(midnight), _made(now - PACE_WINDOW)
    # By the undoing reviews, and not by the undone ones: a join from those reads all reviews there are.
    undone_today = Q(action=Action.UNDO, reverts__action__in=DECISIONS, reverts__created_at__gte=midnight)
    mine = Review.objects.filter(reviewer=reviewer, created_at__gte=min(midnight, now - PACE_WINDOW))
    numbers = mine.aggregate(
        made=Count("pk", filter=made_today),
        undone=Count("pk", filter=undone_today),
        lately=Count("pk", filter=lately),
        first=Min("created_at", filter=lately),
        last=Max("created_at", filter=lately),
    )
    waiting = waiting_in(project)
    return Progress(
        decided_today=numbers["made"] - numbers["undone"],
        daily_goal=reviewer.daily_goal,
        pace_per_hour=_pace(numbers["lately"], numbers["first"], numbers["last"]),
        waiting=min(waiting, MOST_COUNTED),
        waiting_is_capped=waiting > MOST_COUNTED,
    )


def _made(since: datetime) -> Q:
    return Q(action__in=DECISIONS, created_at__gte=since)


def waiting_in(project: Project) -> int:
    """How many texts need review or wait for the blind audit, counted no further than just above MOST_COUNTED."""
    texts = Text.objects.filter(project=project).order_by()
    unsure = texts.filter(status=TextStatus.NEEDS_REVIEW)
    audits = texts.filter(is_audit=True, status=TextStatus.ACCEPTED)
    return sum(some[: MOST_COUNTED + 1].count() for some in (unsure, audits))


def _pace(count: int, first: datetime | None, last: datetime | None) -> int:
    """Decisions an hour at the speed of the last hour; 0 until there are three to measure."""
    if count < 3 or first is None or last is None:
        return 0
    seconds = (last - first).total_seconds()
    return round((count - 1) * 3600 / seconds) if seconds > 1 else 0


def last_decisions(reviewer: Reviewer, project: Project) -> list[dict[str, Any]]:
    """What this person did last in the project and has not undone, newest first."""
    mine = Review.objects.filter(reviewer=reviewer, text__project=project).order_by("-pk")
    # Values, because building three models for each row took a fifth of the time of a decision.
    start = Substr("text__content", 1, EXCERPT + 1)
    rows = mine.values_list("pk", "reverts", "text", start, "action", "category_after__name", "created_at")
    newest = list(rows[: 2 * LAST_DECISIONS])
    undone = {reverts for _, reverts, *_ in newest}  # nobody else undoes them, and an undo is always newer
    standing = [row for row in newest if row[4] != Action.UNDO and row[0] not in undone]
    return [
        {
            "id": pk,
            "text_id": text_id,
            "excerpt": Truncator(content).chars(EXCERPT),
            "action": action,
            "category": category,
            "when": when.isoformat(),
        }
        for pk, _, text_id, content, action, category, when in standing[:LAST_DECISIONS]
    ]


def decided_by_others(reviewer: Reviewer, text_ids: Collection[int]) -> list[dict[str, Any]]:
    """Which of these texts are no longer open because of other people. Their answers to blind texts stay hidden."""
    closed = Text.objects.filter(pk__in=text_ids).exclude(status__in=LABELABLE)
    made = Review.objects.filter(text__in=closed, action__in=SHOWN, reverted_by__isnull=True)
    rows = made.exclude(reviewer=reviewer).select_related("text", "reviewer__user", "category_after").order_by("pk")
    return [
        {"text_id": review.text_id, **other_decision(review, with_category=not is_blind_text(review.text))}
        for review in rows
    ]


def other_decision(review: Review, *, with_category: bool = True) -> dict[str, Any]:
    category = review.category_after if with_category else None
    return {
        "reviewer": str(review.reviewer),
        "action": review.action,
        "category": category.name if category else None,
        "when": review.created_at.isoformat(),
    }


def categories_of(project: Project) -> list[dict[str, Any]]:
    return [_category(category) for category in project.active_categories()]


def _category(category: Category) -> dict[str, Any]:
    return {
        "id": category.pk,
        "name": category.name,
        "description": category.description,
        "examples": category.examples,
        "color": category.color,
        "shortcut": category.shortcut,
    }
