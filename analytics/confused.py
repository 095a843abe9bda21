"""The texts of one cell of the confusion matrix: what the machine called so, and people decided to be that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from analytics.choosing import Filters
from labeling.choices import LabelOrigin, TextStatus
from labeling.fields import LARGEST_ID
from labeling.models import Label, Project, Text

PAGE = 50
MOST_LOOKED_AT = 2_000  # reviewed texts for one page: a rare cell may be found on a later one
# A category that was merged counts as the one that it became.
SAID = Coalesce("category__merged_into", "category")
HELD = Coalesce("current_label__category__merged_into", "current_label__category")


@dataclass(frozen=True)
class Place:
    """A text after which a page begins: when it was reviewed, and its key."""

    reviewed_at: datetime
    text_id: int

    def __str__(self) -> str:
        return f"{self.reviewed_at.isoformat()}/{self.text_id}"

    @classmethod
    def read(cls, words: str) -> "Place":
        """Raises ValueError for what no page has written."""
        moment, _, key = words.partition("/")
        found = cls(datetime.fromisoformat(moment), int(key))
        if found.reviewed_at.tzinfo is None or not 0 < found.text_id <= LARGEST_ID:
            raise ValueError("This is no place in the list.")
        return found


@dataclass(frozen=True)
class Page:
    """`next` is where the list goes on; None at its end."""

    texts: list[Text]
    next: Place | None


def texts_of(project: Project, filters: Filters, *, machine: int, human: int, after: Place | None) -> Page:
    """Last decided first. Only what is decided: of a text that is still to be decided blind nothing is told.

    Walks along the index of review times, a bounded part of it for each page.
    """
    looked_at = _reviewed(project, after).values_list("reviewed_at", "pk")[:MOST_LOOKED_AT]
    window = [Place(moment, key) for moment, key in looked_at if moment]
    texts = project.texts.filter(pk__in=[place.text_id for place in window])
    found = list(_in_cell(_chosen(texts, filters), machine, human, filters.run)[: PAGE + 1])
    if len(found) > PAGE:
        last = found[PAGE - 1]
        return Page(found[:PAGE], Place(last.reviewed_at, last.pk) if last.reviewed_at else None)
    return Page(found, window[-1] if len(window) == MOST_LOOKED_AT else None)


def _reviewed(project: Project, after: Place | None) -> QuerySet[Text]:
    texts = project.texts.filter(status=TextStatus.REVIEWED, reviewed_at__isnull=False)
    if after:
        before = Q(reviewed_at__lt=after.reviewed_at) | Q(reviewed_at=after.reviewed_at, pk__lt=after.text_id)
        texts = texts.filter(before, reviewed_at__lte=after.reviewed_at)
    return texts.order_by("-reviewed_at", "-pk")


def _chosen(texts: QuerySet[Text], filters: Filters) -> QuerySet[Text]:
    conditions: dict[str, Any] = {
        "created_at__date__gte": filters.since,
        "created_at__date__lte": filters.until,
        "source": filters.source,
        "held": filters.category,
        "reviewed_by__reviewer": filters.reviewer,
    }
    return texts.alias(held=HELD).filter(**{name: value for name, value in conditions.items() if value is not None})


def _in_cell(texts: QuerySet[Text], machine: int, human: int, run: int | None) -> QuerySet[Text]:
    said = Label.objects.filter(text=OuterRef("pk"), origin=LabelOrigin.MODEL).order_by("-version")
    decided = texts.alias(held=HELD).filter(held=human).annotate(said=Subquery(said.values(as_now=SAID)[:1]))
    if run is not None:
        decided = decided.annotate(said_by=Subquery(said.values("run")[:1])).filter(said_by=run)
    return decided.filter(said=machine).order_by("-reviewed_at", "-pk")
