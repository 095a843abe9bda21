"""Which text a person gets next: a query, not a table of copies, and a claim that two people cannot both get."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.choices import LABELABLE, WAITING, Sampling, TextStatus
from labeling.models import Project, Text
from reviews import claiming, diversity, policy
from reviews.filters import NO_FILTERS, Filters
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer, claim_end

AUDIT_MIX = 0.1  # share of the texts shown that come from the blind audit, while both queues have some
SEEN_LATELY = 8  # decisions back that the guard against near-duplicates remembers


@dataclass(frozen=True)
class Nothing:
    """Why there is no next text, and how many texts stand behind the reason."""

    reason: str
    count: int

    def __str__(self) -> str:
        one, many = {
            "finished": ("", "Everything is decided."),
            "unlabeled": (
                "1 text has no label yet. It comes here if the model that labels it is unsure.",
                "{} texts have no label yet. Those come here of which the model that labels them is unsure.",
            ),
            "on_other_desks": (
                "1 text is on another desk. It will come back if nobody decides it.",
                "{} texts are on other desks. They come back if nobody decides them.",
            ),
            "only_audit": (
                "1 text is left, of the blind audit, which only others do.",
                "{} texts are left, all of the blind audit, which only others do.",
            ),
            "filtered_out": (
                "1 text is left, but your filters or languages hide it.",
                "{} texts are left, but your filters or languages hide them.",
            ),
        }[self.reason]
        return one if self.count == 1 else many.format(self.count)


def claim_next(
    reviewer: Reviewer, project: Project, *, filters: Filters = NO_FILTERS, besides: Collection[int] = ()
) -> Assignment | Nothing:
    """Put the next text on the reviewer's desk: one that lies there already, else the most urgent free one.

    `besides` are texts that the page shows already, when the one after them is fetched ahead.
    """
    on_desk = list(held(reviewer, project, filters).values_list("pk", "text_id", "text__content_hash"))
    waiting = [pk for pk, text_id, _ in on_desk if text_id not in besides]
    if waiting and (found := _with_text(reviewer).filter(pk=waiting[0]).first()):
        return found
    for reason in _order(reviewer, project, filters):
        # A text that is shown still may have lost its claim, and would come a second time.
        texts = candidates(reviewer, project, reason, filters).exclude(pk__in=besides)
        guard = _guard(reviewer, project, reason, on_desk=[content_hash for _, _, content_hash in on_desk])
        if claimed := claiming.claim(reviewer, texts, reason, order=guard):
            return claimed
    failed = unlabelable(reviewer, project, filters).exclude(pk__in=besides)
    return claiming.claim(reviewer, failed, QueueReason.UNCERTAIN) or why_nothing(reviewer, project)


def candidates(reviewer: Reviewer, project: Project, reason: QueueReason, filters: Filters) -> QuerySet[Text]:
    """The free texts of one queue for this reviewer, most urgent first."""
    texts = _wanted(reviewer, project, filters)
    if reason == QueueReason.GOLD:
        return _gold(texts.filter(_not_mine(reviewer)), reviewer)
    return _free(reviewer, project, _audits(texts) if reason == QueueReason.AUDIT else _uncertain(texts))


def unlabelable(reviewer: Reviewer, project: Project, filters: Filters) -> QuerySet[Text]:
    """The free texts that no model could label. They come last: another run may label them yet."""
    texts = _wanted(reviewer, project, filters).filter(status=TextStatus.FAILED)
    return _free(reviewer, project, texts.order_by("-priority", "pk"))


def _wanted(reviewer: Reviewer, project: Project, filters: Filters) -> QuerySet[Text]:
    texts = filters.apply(Text.objects.filter(project=project))
    return texts.filter(language__in=[*reviewer.languages, ""]) if reviewer.languages else texts


def _free(reviewer: Reviewer, project: Project, texts: QuerySet[Text]) -> QuerySet[Text]:
    """Those of the texts that still need this reviewer's word."""
    on_desks, decided = _on_desks(), _decided()
    if project.reviews_per_text == 1:
        return texts.exclude(Exists(on_desks))
    taken = _count(on_desks) + _count(decided)
    return texts.annotate(taken=taken).filter(_not_mine(reviewer), taken__lt=policy.reviews_needed_in(project))


def _on_desks() -> QuerySet[Assignment]:
    return Assignment.objects.filter(text=OuterRef("pk"), expires_at__gt=timezone.now())


def _decided() -> QuerySet[Review]:
    return Review.objects.effective().filter(text=OuterRef("pk"))


def _not_mine(reviewer: Reviewer) -> Q:
    return ~Exists(_on_desks().filter(reviewer=reviewer)) & ~Exists(_decided().filter(reviewer=reviewer))


def _gold(texts: QuerySet[Text], reviewer: Reviewer) -> QuerySet[Text]:
    """Without those that this person skipped: a text that comes straight back would be known for gold."""
    skips = Review.objects.filter(text=OuterRef("pk"), reviewer=reviewer, action=Action.SKIP, reverted_by__isnull=True)
    return texts.filter(~Exists(skips), is_gold=True, status=TextStatus.REVIEWED).order_by("content_hash")


def _uncertain(texts: QuerySet[Text]) -> QuerySet[Text]:
    return texts.filter(is_audit=False, status=TextStatus.NEEDS_REVIEW).order_by("-priority", "pk")


def _audits(texts: QuerySet[Text]) -> QuerySet[Text]:
    """By hash, which is a random order: whoever stops half-way has audited a random half. Skipped ones come last.

    What a filter or a reviewer's languages leave out counts as wrong in a certificate: see `audits.read_pool`.
    """
    waiting = texts.filter(is_audit=True, status__in=[TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED])
    fresh = waiting.filter(priority__gte=0)
    return (fresh if fresh.exists() else waiting).order_by("content_hash")


def held(reviewer: Reviewer, project: Project, filters: Filters) -> QuerySet[Assignment]:
    """What lies on the reviewer's desk, as far as the filters let it through."""
    is_open = Q(text__status__in=LABELABLE) | Q(text__status=TextStatus.REVIEWED, reason=QueueReason.GOLD)
    claims = reviewer.assignments.filter(is_open, text__project=project, expires_at__gt=timezone.now())
    if filters != NO_FILTERS:
        claims = claims.filter(text__in=filters.apply(Text.objects.filter(project=project)))
    return claims.order_by("claimed_at", "pk")


def _with_text(reviewer: Reviewer) -> QuerySet[Assignment]:
    """The reviewer's claims with all that the desk shows of a text. Wide: only for those that are shown."""
    return reviewer.assignments.select_related("reviewer", *(f"text__{name}" for name in claiming.WITH_TEXT))


def _guard(reviewer: Reviewer, project: Project, reason: QueueReason, *, on_desk: Collection[str]) -> claiming.Order:
    """Moves back what is nearly the same as a text this person has seen just now. A random draw is left as drawn."""
    if reason != QueueReason.UNCERTAIN or project.sampling != Sampling.DIVERSE_MARGIN:
        return list

    def order(texts: Sequence[Text]) -> list[Text]:
        lately = reviewer.reviews.order_by("-pk").values_list("text__project_id", "text__content_hash")[:SEEN_LATELY]
        # Filtered by project here: asked for both, SQLite reads the whole project instead of a few keys.
        seen = {content_hash for owner, content_hash in lately if owner == project.pk}
        return diversity.spread(project, texts, shown=[*on_desk, *(seen - set(on_desk))])

    return order


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


def open_queues(reviewer: Reviewer, filters: Filters) -> list[QueueReason]:
    """The queues of texts that need this person, as far as the filters leave any."""
    if filters.reveal_the_label:
        return [QueueReason.UNCERTAIN]
    audit = [QueueReason.AUDIT] if reviewer.does_blind_audit else []
    return audit if filters.only_audit else [QueueReason.UNCERTAIN, *audit]


def _order(reviewer: Reviewer, project: Project, filters: Filters) -> list[QueueReason]:
    """The queues to look into, one after the other."""
    queues = open_queues(reviewer, filters)
    if random.random() < AUDIT_MIX:
        queues.reverse()
    is_mixed = not filters.reveal_the_label and random.random() < project.gold_share
    if is_mixed and is_anything_left(reviewer, project, filters):
        queues.insert(0, QueueReason.GOLD)
    return queues


def is_anything_left(reviewer: Reviewer, project: Project, filters: Filters) -> bool:
    """Gold is mixed among other texts; alone it would keep people at the desk when all is decided."""
    return any(candidates(reviewer, project, reason, filters).exists() for reason in open_queues(reviewer, filters))


def why_nothing(reviewer: Reviewer, project: Project) -> Nothing:
    """The reason why no text of the project can be claimed by this reviewer now."""
    waiting = Q(status__in=WAITING) | Q(status=TextStatus.ACCEPTED, is_audit=True)
    open_texts = Text.objects.filter(waiting, project=project)
    if project.reviews_per_text > 1:  # else a text that this person has decided waits for nobody
        # Not by Exists: PostgreSQL, whose statistics lag behind, compares every text with every review: seconds.
        open_texts = open_texts.exclude(pk__in=Review.objects.effective().filter(reviewer=reviewer).values("text"))
    offered, others = _offered(reviewer), _on_desks().exclude(reviewer=reviewer)
    # One statement: between two, somebody claims or decides, and the numbers do not fit together.
    elsewhere = Count("pk", filter=offered & Exists(others))
    counts = open_texts.aggregate(waiting=Count("pk"), left=Count("pk", filter=offered), elsewhere=elsewhere)
    if not counts["left"]:
        return Nothing("only_audit", counts["waiting"]) if counts["waiting"] else _nothing_waits(project)
    free = counts["left"] - counts["elsewhere"]
    return Nothing("filtered_out", free) if free else Nothing("on_other_desks", counts["elsewhere"])


def _nothing_waits(project: Project) -> Nothing:
    unlabeled = Text.objects.filter(project=project, status=TextStatus.UNLABELED).count()
    return Nothing("unlabeled", unlabeled) if unlabeled else Nothing("finished", 0)


def _offered(reviewer: Reviewer) -> Q:
    """Which of the waiting texts come to this reviewer at all. What no model could label comes to everybody."""
    routine = Q(is_audit=False) | Q(status=TextStatus.FAILED)
    return routine | Q(is_audit=True) if reviewer.does_blind_audit else routine


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("text").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
