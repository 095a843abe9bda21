"""Which text a person gets next: a query, not a table of copies, and a claim that two people cannot both get."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews.models import Assignment, QueueReason, Review, Reviewer, claim_end

AUDIT_MIX = 0.1  # share of the texts shown that come from the blind audit, while both queues have some
CANDIDATES = 10  # others may claim the first ones between our look and our write
ATTEMPTS = 20  # when others have all that is left locked


@dataclass(frozen=True)
class Filters:
    """What a reviewer wants to see. Those on the model's answer leave out the blind audit, which hides it."""

    category_id: int | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    run_id: int | None = None
    source: str | None = None
    language: str | None = None
    words: str | None = None

    @property
    def reveal_the_label(self) -> bool:
        shown = (self.category_id, self.min_confidence, self.max_confidence, self.run_id)
        return any(value is not None for value in shown)

    def apply(self, texts: QuerySet[Text]) -> QuerySet[Text]:
        conditions: dict[str, Any] = {
            "current_label__category_id": self.category_id,
            "current_label__confidence__gte": self.min_confidence,
            "current_label__confidence__lte": self.max_confidence,
            "current_label__run_id": self.run_id,
            "source": self.source,
            "language": self.language,
            "content__icontains": self.words,
        }
        return texts.filter(**{name: value for name, value in conditions.items() if value is not None})


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Nothing:
    """Why there is no next text, and how many texts stand behind the reason."""

    reason: str
    count: int

    def __str__(self) -> str:
        messages = {
            "finished": "Everything is decided.",
            "on_other_desks": "{} texts are on other desks. They come back if nobody decides them.",
            "filtered_out": "{} texts are left, but your filters or languages hide them.",
        }
        return messages[self.reason].format(self.count)


def claim_next(
    reviewer: Reviewer, project: Project, *, filters: Filters = NO_FILTERS, besides: Collection[int] = ()
) -> Assignment | Nothing:
    """Put the next text on the reviewer's desk: one that lies there already, else the most urgent free one.

    `besides` are texts that the page shows already, when the one after them is fetched ahead.
    """
    held = reviewer.assignments.filter(text__project=project, expires_at__gt=timezone.now())
    mine = held.exclude(text_id__in=besides).select_related("text").order_by("claimed_at", "pk")
    if not filters.reveal_the_label and (waiting := mine.first()):
        return waiting
    for reason in _order(reviewer, filters):
        if claimed := _claim(reviewer, candidates(reviewer, project, reason, filters), reason):
            return claimed
    return why_nothing(reviewer, project)


def candidates(reviewer: Reviewer, project: Project, reason: QueueReason, filters: Filters) -> QuerySet[Text]:
    """The free texts of one queue for this reviewer, most urgent first."""
    texts = filters.apply(Text.objects.filter(project=project))
    if reviewer.languages:
        texts = texts.filter(language__in=[*reviewer.languages, ""])
    if reason == QueueReason.AUDIT:
        # By hash, which is a random order: whoever stops half-way has audited a random half. Skipped ones come last.
        is_skipped = Case(When(priority__lt=0, then=1), default=0)
        texts = texts.filter(is_audit=True, status__in=[TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED])
        texts = texts.order_by(is_skipped, "content_hash")
    else:
        texts = texts.filter(is_audit=False, status=TextStatus.NEEDS_REVIEW).order_by("-priority", "pk")
    now = timezone.now()
    on_desks = Assignment.objects.filter(text=OuterRef("pk"), expires_at__gt=now)
    if project.reviews_per_text == 1:
        return texts.exclude(Exists(on_desks))
    decided = Review.objects.effective().filter(text=OuterRef("pk"))
    by_me = decided.filter(reviewer=reviewer)
    taken = _count(on_desks) + _count(decided)
    free = texts.annotate(taken=taken).filter(taken__lt=project.reviews_per_text)
    return free.exclude(Exists(on_desks.filter(reviewer=reviewer))).exclude(Exists(by_me))


def extend(reviewer: Reviewer, text_ids: Collection[int]) -> int:
    """Keep claims while the page is open; returns how many still stand."""
    mine = reviewer.assignments.filter(text_id__in=text_ids, expires_at__gt=timezone.now())
    return mine.update(expires_at=claim_end())


def release(reviewer: Reviewer, text_ids: Collection[int] | None = None) -> int:
    """Take texts, or all, off the reviewer's desk; returns how many."""
    mine = reviewer.assignments.all() if text_ids is None else reviewer.assignments.filter(text_id__in=text_ids)
    return mine.delete()[0]


def release_expired() -> int:
    """Remove the claims of people who left; returns how many. Claims expire by themselves, this only tidies up."""
    return Assignment.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _order(reviewer: Reviewer, filters: Filters) -> list[QueueReason]:
    if not reviewer.does_blind_audit or filters.reveal_the_label:
        return [QueueReason.UNCERTAIN]
    audit_first = random.random() < AUDIT_MIX
    queues = [QueueReason.AUDIT, QueueReason.UNCERTAIN]
    return queues if audit_first else queues[::-1]


def _claim(reviewer: Reviewer, texts: QuerySet[Text], reason: QueueReason) -> Assignment | None:
    """Write a claim for the first text that nobody claimed meanwhile."""
    if not connection.features.has_select_for_update_skip_locked:
        return _claim_one_of(reviewer, texts, reason)
    passing = texts.select_for_update(skip_locked=True, of=("self",), no_key=True)
    for _ in range(ATTEMPTS):
        if claimed := _claim_one_of(reviewer, passing, reason):
            return claimed
        if not _is_one_left(texts):
            return None
    return None


@transaction.atomic
def _is_one_left(texts: QuerySet[Text]) -> bool:
    """Wait until the first text is not locked: who looks at ten texts claims one, and the others are still free.

    One text only, since waiting for a second while holding a first can be waiting for each other.
    """
    return texts.select_for_update(of=("self",), no_key=True).first() is not None


@transaction.atomic
def _claim_one_of(reviewer: Reviewer, texts: QuerySet[Text], reason: QueueReason) -> Assignment | None:
    for text in texts[:CANDIDATES]:
        Assignment.objects.filter(text=text, expires_at__lte=timezone.now()).delete()
        if claimed := _insert(reviewer, text, reason):
            return claimed
    return None


def _insert(reviewer: Reviewer, text: Text, reason: QueueReason) -> Assignment | None:
    probability = text.project.audit_share if reason == QueueReason.AUDIT else None
    slot = _free_slot(text)
    if slot is None:
        return None
    try:
        with transaction.atomic():
            return Assignment.objects.create(
                text=text, reviewer=reviewer, slot=slot, reason=reason, selection_probability=probability
            )
    except IntegrityError:  # a_text_is_on_one_desk_for_each_review_asked_for: somebody was first
        return None


def _free_slot(text: Text) -> int | None:
    """The first of the text's asked-for reviews that nobody made or holds."""
    used = set(text.assignments.values_list("slot", flat=True))
    used |= set(Review.objects.effective().filter(text=text).values_list("slot", flat=True))
    return next((slot for slot in range(text.project.reviews_per_text) if slot not in used), None)


def why_nothing(reviewer: Reviewer, project: Project) -> Nothing:
    """The reason why no text of the project can be claimed by this reviewer now."""
    open_texts = Text.objects.filter(project=project, status=TextStatus.NEEDS_REVIEW)
    on_desks = Assignment.objects.filter(text=OuterRef("pk"), expires_at__gt=timezone.now())
    others = on_desks.exclude(reviewer=reviewer)
    # One statement: between two, somebody claims or decides, and the numbers do not fit together.
    counts = open_texts.aggregate(left=Count("pk"), elsewhere=Count("pk", filter=Exists(others)))
    left, elsewhere = counts["left"], counts["elsewhere"]
    if not left:
        return Nothing("finished", 0)
    return Nothing("on_other_desks", elsewhere) if elsewhere == left else Nothing("filtered_out", left - elsewhere)


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("text").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
