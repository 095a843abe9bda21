"""How well the reviewers of a project agree, with each other and with texts whose answer is known. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from django.db.models import Count, Max, Model, Q, QuerySet
from django.db.models.functions import Coalesce, Round
from django.db.models.lookups import Exact

from analytics import agreement
from analytics.agreement import Estimate, IntArray
from labeling.models import Category, Project
from reviews.models import ANSWERS, QueueReason, Review, Reviewer

MOST_TEXTS = 50_000
MOST_CATEGORIES = 100
MOST_PAIRS = 50
MOST_CONFUSIONS = 10

# Gold compares with a known answer, and a second look is at what seemed wrong: neither says how people agree.
NOT_COMPARED = (QueueReason.GOLD, QueueReason.SECOND_LOOK)

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, eq=False)
class Answers:
    """Independent answers to texts that have two or more, ordered by text and reviewer: arrays of shape (n_answers,).

    `is_cut` says that there may be more texts than were read.
    """

    texts: IntArray
    reviewers: IntArray
    categories: IntArray
    blind: IntArray
    is_cut: bool = False

    def only_blind(self) -> "Answers":
        """What people answered who did not see the model's suggestion, where two or more did."""
        return self._where(self.blind == 1)._where_several()

    def _where(self, kept: np.ndarray) -> "Answers":
        names = ("texts", "reviewers", "categories", "blind")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def _where_several(self) -> "Answers":
        _, inverse, sizes = np.unique(self.texts, return_inverse=True, return_counts=True)
        return self._where(sizes[inverse] >= 2)


@dataclass(frozen=True)
class ProjectAgreement:
    texts: int
    answers: int
    percent: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class CategoryAgreement:
    """One category against all others. `answers` is how often it was given."""

    category: str
    answers: int
    percent: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class PairAgreement:
    first: str
    second: str
    texts: int
    percent: Estimate
    kappa: Estimate


@dataclass(frozen=True)
class Confusion:
    """Two categories that two people gave to one text, and how often."""

    first: str
    second: str
    times: int


@dataclass(frozen=True)
class ReviewerQuality:
    """`gold` is the share of right answers to texts whose answer is known; the median is exact to a tenth."""

    reviewer: str
    decisions: int
    median_seconds: float | None
    gold: Estimate


# --- Agreement --------------------------------------------------------------------------------------------------------


def answers_of(project: Project) -> Answers:
    """The independent answers to the newest 50,000 texts that two or more people decided.

    The database finds these texts first: a text with one review costs no more than its place in the index.
    """
    return _compared(_answers(project))


def audit_answers_of(project: Project) -> Answers:
    """The blind ones among the independent answers to texts of the audit."""
    return _compared(_answers(project).filter(text__is_audit=True, is_blind=True))


def _compared(answers: QuerySet[Review]) -> Answers:
    several = Review.objects.values("text").annotate(reviews=Count("pk")).filter(reviews__gte=2).values("text")
    given = answers.exclude(queue_reason__in=NOT_COMPARED)
    compared = given.filter(text__in=several).values("text")
    people = compared.annotate(people=Count("reviewer", distinct=True), last=Max("pk")).filter(people__gte=2)
    newest = people.order_by("-last")[:MOST_TEXTS].values("text")
    rows = given.filter(text__in=newest).order_by("text", "reviewer", "pk")
    # Who said one of two categories that were merged since said the same as who said the other.
    category = Coalesce("category_after__merged_into", "category_after")
    found = np.array(list(rows.values_list("text_id", "reviewer_id", category, "is_blind")), dtype=np.int64).reshape(
        -1, 4
    )
    texts, reviewers, categories, blind = _last_of_each_person(found).T
    return Answers(texts, reviewers, categories, blind, is_cut=len(np.unique(texts)) >= MOST_TEXTS)


def of_project(answers: Answers) -> ProjectAgreement:
    """How far all reviewers agree."""
    patterns, times = agreement.collapse(agreement.value_counts(answers.texts, answers.categories))
    return ProjectAgreement(
        texts=int(times.sum()),
        answers=len(answers.texts),
        percent=agreement.percent_agreement(patterns, times),
        alpha=agreement.krippendorff_alpha(patterns, times),
    )


def disagreement(answers: Answers) -> Estimate:
    """Of the texts that two people decided the share on which they differ [WIL27]; the first two where there are more.

    The first by key, which has nothing to do with what they said.
    """
    is_first = np.ones(len(answers.texts), dtype=bool)
    is_first[1:] = answers.texts[1:] != answers.texts[:-1]
    (first,) = np.nonzero(is_first)
    differing = answers.categories[first] != answers.categories[first + 1]
    return agreement.wilson(int(differing.sum()), len(first))


def by_category(answers: Answers) -> list[CategoryAgreement]:
    """How far reviewers agree on each of the 100 categories given most often, the least agreed first."""
    patterns, times = agreement.collapse(agreement.value_counts(answers.texts, answers.categories))
    keys, given = np.unique(answers.categories, return_counts=True)
    names = _names(Category.objects.all(), keys)
    rows = []
    for column in np.argsort(-given, kind="stable")[:MOST_CATEGORIES].tolist():
        counts = agreement.one_against_rest(patterns, column)
        percent, alpha = agreement.percent_agreement(counts, times), agreement.krippendorff_alpha(counts, times)
        rows.append(CategoryAgreement(names[int(keys[column])], int(given[column]), percent, alpha))
    return sorted(rows, key=lambda row: (2.0 if row.alpha.value is None else row.alpha.value, row.category))


def by_pair(answers: Answers) -> list[PairAgreement]:
    """How far every two reviewers agree, those with most texts in common first; at most 50 pairs."""
    first, second = _pairs(answers)
    people = np.column_stack([answers.reviewers[first], answers.reviewers[second]])
    pairs, inverse, sizes = np.unique(people, axis=0, return_inverse=True, return_counts=True)
    names = _names(Reviewer.objects.select_related("user"), pairs.ravel())
    rows = []
    for place in np.argsort(-sizes, kind="stable")[:MOST_PAIRS]:
        mine = inverse.reshape(-1) == place
        table = agreement.cross_table(answers.categories[first[mine]], answers.categories[second[mine]])
        one, other = (names[key] for key in pairs[place].tolist())
        percent = agreement.wilson(int(np.trace(table)), int(sizes[place]))
        rows.append(PairAgreement(one, other, int(sizes[place]), percent, agreement.cohen_kappa(table)))
    return rows


def with_others(answers: Answers) -> dict[int, Estimate]:
    """By key of the reviewer: of all comparisons with another person's answer to the same text the share that is equal.

    A text that three people answered counts twice for each of them, so that the interval is a little narrow there.
    """
    first, second = _pairs(answers)
    is_equal = answers.categories[first] == answers.categories[second]
    people = np.concatenate([answers.reviewers[first], answers.reviewers[second]])
    names, places = np.unique(people, return_inverse=True)
    compared = np.bincount(places, minlength=len(names))
    equal = np.bincount(places, weights=np.concatenate([is_equal, is_equal]), minlength=len(names))
    rows = zip(names.tolist(), equal.tolist(), compared.tolist(), strict=True)
    return {reviewer: agreement.wilson(int(right), total) for reviewer, right, total in rows}


def confusions(answers: Answers) -> list[Confusion]:
    """The ten pairs of categories that two people most often gave to one text."""
    first, second = _pairs(answers)
    given = np.sort(np.column_stack([answers.categories[first], answers.categories[second]]), axis=1)
    pairs, times = np.unique(given[given[:, 0] != given[:, 1]], axis=0, return_counts=True)
    most = np.argsort(-times, kind="stable")[:MOST_CONFUSIONS]
    names = _names(Category.objects.all(), pairs[most].ravel())
    return [
        Confusion(names[a], names[b], n) for (a, b), n in zip(pairs[most].tolist(), times[most].tolist(), strict=True)
    ]


# --- Reviewers --------------------------------------------------------------------------------------------------------


def by_reviewer(project: Project) -> list[ReviewerQuality]:
    """What each reviewer decided, how fast, and how often gold was answered right; the busiest first."""
    gold = Q(queue_reason=QueueReason.GOLD)
    known, given = (Coalesce(f"{name}__merged_into", name) for name in ("category_before", "category_after"))
    counts = {"decisions": Count("pk"), "right": Count("pk", filter=gold & Exact(given, known))}
    # By tenths of a second, so that one pass of the database gives the counts and all that medians need.
    kinds = _answers(project).values("reviewer", seconds=Round("seconds_spent", precision=1))
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in kinds.annotate(**counts, gold=Count("pk", filter=gold)):
        rows[row["reviewer"]].append(row)
    names = _names(Reviewer.objects.select_related("user"), rows)
    qualities = [_quality(names[reviewer], mine) for reviewer, mine in rows.items()]
    return sorted(qualities, key=lambda quality: (-quality.decisions, quality.reviewer))


def _quality(reviewer: str, rows: list[dict[str, Any]]) -> ReviewerQuality:
    decisions, right, gold = (sum(row[name] for row in rows) for name in ("decisions", "right", "gold"))
    spent = sorted((row["seconds"], row["decisions"]) for row in rows if row["seconds"] is not None)
    return ReviewerQuality(reviewer, decisions, median(spent), agreement.wilson(right, gold))


def median(spent: Sequence[tuple[float, int]]) -> float | None:
    """The median of values in ascending order, each with how often it occurs; None where there are none."""
    if not spent:
        return None
    values, times = zip(*spent, strict=True)
    ends = np.cumsum(times)
    middle = np.searchsorted(ends, [(ends[-1] + 1) // 2, ends[-1] // 2 + 1])
    return float(np.mean([float(values[place]) for place in middle]))


# --- What all of them need --------------------------------------------------------------------------------------------


def _answers(project: Project) -> QuerySet[Review]:
    """What reviewers themselves say of the project's texts; not what a manager adjudicates, who saw all answers."""
    given = Review.objects.effective().filter(text__project=project, action__in=ANSWERS)
    return given.filter(category_after__isnull=False).order_by()


def _last_of_each_person(rows: IntArray) -> IntArray:
    """One answer by a person to a text, from rows ordered by text, reviewer and time, (n, 4)."""
    is_last = np.ones(len(rows), dtype=bool)
    is_last[:-1] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    return rows[is_last]


def _pairs(answers: Answers) -> tuple[IntArray, IntArray]:
    """The places of every two answers to one text, that of the reviewer with the smaller key first: (n_pairs,) each."""
    first, second = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for step in range(1, len(answers.texts)):
        (found,) = np.nonzero(answers.texts[step:] == answers.texts[:-step])
        if not len(found):
            break
        first.append(found)
        second.append(found + step)
    return np.concatenate(first), np.concatenate(second)


def _names(rows: QuerySet[Row], keys: Iterable[int]) -> dict[int, str]:
    return {key: str(row) for key, row in rows.in_bulk(sorted({int(key) for key in keys})).items()}
