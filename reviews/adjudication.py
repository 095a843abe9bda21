"""What a manager decides: texts on which people disagree, texts they flagged, and categories they miss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Prefetch, QuerySet
from django.db.models.functions import Lower

from labeling import annotations, categories
from labeling.choices import UNDONE, TextStatus
from labeling.models import Category, Label, Project, Text
from reviews import policy, refusals, reviewers
from reviews.blind import is_blind_text
from reviews.models import ANSWERS, Action, Review
from reviews.writing import before, lock, write

MOST_PROPOSED = 200  # categories that are listed


@dataclass(frozen=True)
class Case:
    """A text that waits for a manager, with all that people said of it."""

    text: Text
    answers: Sequence[Review]
    flags: Sequence[Review]

    @property
    def is_disagreement(self) -> bool:
        return len({answer.category_after and answer.category_after.holds_as for answer in self.answers}) > 1

    @property
    def can_go_back(self) -> bool:
        """Its flags can be dismissed, because reviewers or a run can do something more."""
        had_no_label = any(flag.status_before in UNDONE for flag in self.flags)
        return not self.is_disagreement and (self.text.current_label is not None or had_no_label)

    @property
    def shown_label(self) -> Label | None:
        """What a text of the blind audit was labeled stays hidden from the manager, whose word counts there as well."""
        return None if is_blind_text(self.text) else self.text.current_label


@dataclass(frozen=True)
class Proposal:
    """A category that people miss: its name as first written, and how many flagged texts ask for it."""

    name: str
    texts: int


def cases(project: Project, *, after: int = 0, limit: int = 20) -> list[Case]:
    """The texts that wait for a manager, oldest first, from the one after the id `after` on."""
    answers = Review.objects.filter(reverted_by__isnull=True, action__in=ANSWERS)
    said = [_said(answers, "answers"), _said(_open_flags(), "flags")]
    waiting = _waiting(project).filter(pk__gt=after).select_related("project", "current_label__category")
    return [_case(text) for text in waiting.prefetch_related(*said)[:limit]]


def proposals(project: Project) -> list[Proposal]:
    """The categories that people propose, most wanted first."""
    rows = _flags_with_proposal(project).annotate(key=Lower("proposed_category")).values("key").order_by()
    found = rows.annotate(name=Min("proposed_category"), n=Count("text", distinct=True)).order_by("-n", "key")
    return [Proposal(row["name"], row["n"]) for row in found[:MOST_PROPOSED]]


@transaction.atomic
def adjudicate(manager: User, text_id: int, *, category_id: int, comment: str = "") -> Review:
    """Give a text that waits for a manager its category. Raises AlreadyDecided or WrongDecision."""
    text = _waiting_text(text_id)
    category = refusals.active_category(text, category_id)
    shown, new_label = text.current_label, None
    if shown is None or shown.category_id != category.pk:
        new_label = annotations.record_human_label(text, category, annotator=manager)
    review = _sign(manager, text, Action.ADJUDICATE, comment, new_label=new_label, category_after=category)
    held = new_label or shown
    assert held is not None
    annotations.hold(text, label_id=held.pk, reviewed_by=manager)
    return review


@transaction.atomic
def return_to_queue(manager: User, text_id: int, *, comment: str = "") -> Review:
    """Dismiss the flags of a text: it waits again, for a label where it had none, or stays decided as it was.

    Raises WrongDecision where reviewers can do nothing more, so that the manager must decide.
    """
    text = _waiting_text(text_id)
    status = _status_before(text)
    review = _sign(manager, text, Action.RETURN, comment)
    annotations.restore(text, label_id=text.current_label_id, status=status)
    return review


def _status_before(text: Text) -> str:
    flag = _open_flags().filter(text=text).order_by("pk").last()
    if flag is not None and flag.status_before == TextStatus.REVIEWED:
        return TextStatus.REVIEWED
    if Review.objects.effective().filter(text=text).count() >= policy.reviews_needed(text):
        raise refusals.WrongDecision("The reviewers have all answered. Choose the category here.")
    if text.current_label is not None:
        return TextStatus.NEEDS_REVIEW
    if flag is not None and flag.status_before in UNDONE:
        return flag.status_before
    raise refusals.WrongDecision("This text has no label yet. Choose its category here.")


@transaction.atomic
def accept_proposal(manager: User, project: Project, name: str) -> tuple[Category, int]:
    """Add a proposed category and give it to the texts that were flagged for it; returns how many.

    Raises WrongCategory when the project has a category of this name.
    """
    category = categories.add(project, name, user=manager)
    flags = _flags_with_proposal(project).filter(proposed_category__iexact=name.strip())
    text_ids = sorted(set(flags.values_list("text_id", flat=True)))
    for text_id in text_ids:
        adjudicate(manager, text_id, category_id=category.pk, comment=f"New category: {category.name}")
    return category, len(text_ids)


def _waiting(project: Project) -> QuerySet[Text]:
    return Text.objects.filter(project=project, status=TextStatus.FLAGGED).order_by("pk")


def _open_flags() -> QuerySet[Review]:
    """Flags to which no manager has given an answer that stands, by dismissing them or by deciding the text."""
    later = Review.objects.filter(text=OuterRef("text"), pk__gt=OuterRef("pk"), reverted_by__isnull=True)
    answered = later.filter(action__in=[Action.RETURN, Action.ADJUDICATE])
    return Review.objects.filter(~Exists(answered), action=Action.FLAG, reverted_by__isnull=True)


def _flags_with_proposal(project: Project) -> QuerySet[Review]:
    return _open_flags().exclude(proposed_category="").filter(text__in=_waiting(project).order_by())


def _said(reviews: QuerySet[Review], name: str) -> Prefetch:
    return Prefetch("reviews", reviews.select_related("reviewer__user", "category_after").order_by("pk"), to_attr=name)


def _case(text: Text) -> Case:
    said: Any = text  # what the prefetches set is unknown to the type
    return Case(text, said.answers, said.flags)


def _waiting_text(text_id: int) -> Text:
    text = lock(Text.objects.select_related("project"), text_id)
    if text.status != TextStatus.FLAGGED:
        review = Review.objects.effective().filter(text=text).select_related("reviewer__user").last()
        raise refusals.AlreadyDecided("This text does not wait for a manager any more.", review)
    return text


def _sign(manager: User, text: Text, action: Action, comment: str, **values: Any) -> Review:
    shared = {"reviewer": reviewers.profile_of_manager(manager), "is_blind": is_blind_text(text), "comment": comment}
    return write(text=text, action=action, **shared, **before(text), **values)
