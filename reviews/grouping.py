"""Free texts that say nearly the same, in groups that can be decided together. Reads only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import models
from django.db.models import QuerySet
from django.db.models.functions import Left
from numpy.typing import NDArray

from labeling import classifiers, embeddings
from labeling.models import Project, Text
from reviews import listing
from reviews.filters import NO_FILTERS
from reviews.listing import Order, Row
from reviews.models import Reviewer

LOOKED_AT = 5_000  # texts, the most urgent: a tenth of a second
READ = 1_000  # characters of a text whose words are compared
ON_A_PAGE = 10  # groups
MOST_SHOWN = 100  # texts of a group


class By(models.TextChoices):
    """What is compared: triples of words [BRO97], or the vectors of a model."""

    WORDS = "words", "Nearly the same words"
    MEANING = "meaning", "Nearly the same meaning"


@dataclass(frozen=True)
class Group:
    """`rows` are the first of `count` texts that say nearly the same."""

    rows: list[Row]
    count: int

    @property
    def categories(self) -> list[tuple[str, int]]:
        """How many of the rows have which category, the most frequent first."""
        return Counter(row.category for row in self.rows).most_common()


@dataclass(frozen=True)
class GroupsPage:
    """Some of the groups, largest first. `compared` texts were looked at: all that are free, or the most urgent."""

    groups: list[Group]
    count: int
    compared: int
    is_all: bool
    next: int | None


def page_of(reviewer: Reviewer, project: Project, *, by: By, number: int = 0) -> GroupsPage:
    """One page of the groups among the texts that this person may decide now and not blind."""
    free = listing.free_texts(reviewer, project, NO_FILTERS, Order.URGENT)
    ids, groups = _by_words(free) if by == By.WORDS else _by_meaning(project, free)
    start, end = number * ON_A_PAGE, (number + 1) * ON_A_PAGE
    shown = groups[start:end]
    rows = {row.text_id: row for row in listing.rows_of([key for group in shown for key in group[:MOST_SHOWN]])}
    return GroupsPage(
        groups=[Group([rows[key] for key in group[:MOST_SHOWN] if key in rows], len(group)) for group in shown],
        count=len(groups),
        compared=len(ids),
        is_all=not free[LOOKED_AT : LOOKED_AT + 1].exists(),
        next=number + 1 if len(groups) > end else None,
    )


def _by_words(free: QuerySet[Text]) -> tuple[list[int], list[list[int]]]:
    """The ids of the texts compared, and those of each group."""
    from labeling.learning import duplicates  # here, because scipy is large and the other pages do not need it

    texts = list(free.annotate(beginning=Left("content", READ)).values_list("pk", "beginning")[:LOOKED_AT])
    ids = [pk for pk, _ in texts]
    return ids, _named(ids, duplicates.by_words([beginning for _, beginning in texts]))


def _by_meaning(project: Project, free: QuerySet[Text]) -> tuple[list[int], list[list[int]]]:
    from labeling.learning import duplicates  # here, for the same reason

    texts = list(free.values_list("pk", "content_hash")[:LOOKED_AT])
    cached = embeddings.load((key for _, key in texts), fingerprint=classifiers.newest_fingerprint(project))
    known = [(pk, cached[key].vector) for pk, key in texts if key in cached]
    ids = [pk for pk, _ in known]
    vectors = np.array([vector for _, vector in known], dtype=np.float32).reshape(len(known), -1 if known else 0)
    return ids, _named(ids, duplicates.by_cosine(vectors))


def _named(ids: Sequence[int], groups: Sequence[NDArray[np.int64]]) -> list[list[int]]:
    """Each group by the ids of its texts, in the order in which they were looked at."""
    return [[ids[row] for row in group.tolist()] for group in groups]
