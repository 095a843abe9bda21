"""What counts as an independent answer, and the figures that come out of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from analytics import quality, statistics
from analytics.agreement import NOBODY, NOTHING, ONE_CATEGORY
from labeling.models import Category, Project, Text
from reviews.models import Action, QueueReason, Review, Reviewer

Answer = Callable[..., Review]
BothAnswer = Callable[..., list[Text]]


def letters(project: Project) -> list[str]:
    """The answers that count, as "text reviewer letter" in their order."""
    answers = quality.answers_of(project)
    names = {category.pk: category.name[0] for category in project.categories.all()}
    return [names[key] for key in answers.categories.tolist()]


def undo(review: Review) -> None:
    Review.objects.create(
        text=review.text, reviewer=review.reviewer, action=Action.UNDO, reverts=review, status_before="reviewed"
    )


# --- What counts ------------------------------------------------------------------------------------------------------


def test_answers_of_two_people_to_one_text_count(project: Project, both_answer: BothAnswer) -> None:
    both_answer("SS", "SB")
    assert letters(project) == ["S", "S", "S", "B"]


def test_a_text_that_one_person_decided_does_not_count(
    project: Project, anna: Reviewer, answer: Answer, both_answer: BothAnswer, add_texts: Callable[..., list[Text]]
) -> None:
    both_answer("SB")
    answer(anna, add_texts(project, "Alone")[0], "W")
    assert letters(project) == ["S", "B"]


def test_an_answer_that_was_undone_does_not_count(
    project: Project, anna: Reviewer, both_answer: BothAnswer, answer: Answer
) -> None:
    first, second = both_answer("SB", "WW")
    for text in (first, second):
        undo(Review.objects.get(text=text, reviewer=anna))
    answer(anna, first, "B")
    assert letters(project) == ["B", "B"]


@pytest.mark.parametrize("action", [Action.SKIP, Action.FLAG, Action.ADJUDICATE])
def test_only_decisions_of_reviewers_are_answers(
    project: Project, add_reviewer: Callable[[str], Reviewer], both_answer: BothAnswer, answer: Answer, action: Action
) -> None:
    (text,) = both_answer("SB")
    answer(add_reviewer("carla"), text, "S" if action == Action.ADJUDICATE else "", action=action)
    assert letters(project) == ["S", "B"]


@pytest.mark.parametrize("reason", [QueueReason.GOLD, QueueReason.SECOND_LOOK])
def test_gold_and_second_looks_are_not_agreement(
    project: Project, both_answer: BothAnswer, reason: QueueReason
) -> None:
    both_answer("SS", known="S", queue_reason=reason)
    assert letters(project) == []


def test_another_projects_answers_do_not_count(project: Project, both_answer: BothAnswer) -> None:
    both_answer("SS")
    assert letters(Project.objects.create(name="Other")) == []


def test_of_two_answers_by_one_person_the_last_counts(
    project: Project, anna: Reviewer, both_answer: BothAnswer, answer: Answer
) -> None:
    (text,) = both_answer("SB")
    answer(anna, text, "W")
    assert letters(project) == ["W", "B"]


def test_two_answers_by_one_person_are_no_agreement(
    project: Project, anna: Reviewer, answer: Answer, add_texts: Callable[..., list[Text]]
) -> None:
    (text,) = add_texts(project, "Twice")
    answer(anna, text, "S")
    answer(anna, text, "S")
    assert letters(project) == []


def test_blind_answers_can_be_counted_alone(
    project: Project, add_reviewer: Callable[[str], Reviewer], both_answer: BothAnswer, answer: Answer
) -> None:
    half_blind, _, seen = both_answer("SB", "WW", "SS")[0], *both_answer("BB", "WB", is_blind=False)
    answer(add_reviewer("carla"), half_blind, "W", is_blind=False)
    answer(add_reviewer("dora"), seen, "W", is_blind=True)  # the only blind answer to it
    answers = quality.answers_of(project)
    assert (len(answers.texts), len(answers.only_blind().texts)) == (12, 6)
    assert quality.of_project(answers.only_blind()).texts == 3


def test_only_the_newest_texts_are_read_and_that_is_said(
    project: Project, both_answer: BothAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MOST_TEXTS", 2)
    both_answer("SS")
    assert quality.answers_of(project).is_cut is False
    both_answer("WB", "BB")
    assert letters(project) == ["W", "B", "B", "B"]
    assert quality.answers_of(project).is_cut is True


def test_answers_are_read_with_one_query(
    project: Project, both_answer: BothAnswer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    both_answer("SS", "SB", "WW")
    with django_assert_num_queries(1):
        quality.answers_of(project)


# --- Agreement --------------------------------------------------------------------------------------------------------


def test_agreement_of_the_project(project: Project, both_answer: BothAnswer) -> None:
    """Worked by hand: n = 8, matches 6, squares 25 + 9."""
    both_answer("SS", "SS", "BB", "SB")
    figures = quality.of_project(quality.answers_of(project))
    assert (figures.texts, figures.answers) == (4, 8)
    assert figures.percent.value == pytest.approx(3 / 4)
    assert figures.alpha.value == pytest.approx(1 - 7 * 2 / (64 - 34))


def test_agreement_of_an_empty_project_is_undefined(project: Project) -> None:
    answers = quality.answers_of(project)
    figures = quality.of_project(answers)
    assert (figures.texts, figures.alpha.undefined, figures.percent.undefined) == (0, NOBODY, NOBODY)
    assert quality.by_category(answers) == quality.by_pair(answers) == quality.confusions(answers) == []
    assert quality.of_project(answers.only_blind()).alpha.value is None
    assert quality.by_reviewer(project) == []


def test_each_category_against_the_rest_the_least_agreed_first(project: Project, both_answer: BothAnswer) -> None:
    both_answer("SS", "SS", "WB", "BW", "SS", "WW")
    rows = quality.by_category(quality.answers_of(project))
    assert [(row.category, row.answers) for row in rows] == [("Business", 2), ("Weather", 4), ("Sports", 6)]
    assert [row.percent.value for row in rows] == pytest.approx([4 / 6, 4 / 6, 1.0])
    # Business: n = 12, matches 8, squares 4 + 100.  Weather: the same matches, squares 16 + 64.
    assert [row.alpha.value for row in rows] == pytest.approx([1 - 11 * 4 / 40, 1 - 11 * 4 / 64, 1.0])


def test_a_category_that_everybody_gave_always_has_no_alpha(project: Project, both_answer: BothAnswer) -> None:
    both_answer("SS", "SS")
    (row,) = quality.by_category(quality.answers_of(project))
    assert (row.percent.value, row.alpha.undefined) == (1.0, ONE_CATEGORY)


def test_every_two_reviewers_with_their_common_texts(
    project: Project, add_reviewer: Callable[[str], Reviewer], both_answer: BothAnswer, answer: Answer
) -> None:
    texts = both_answer("SS", "SB", "BB", "BB")
    carla = add_reviewer("carla")
    for text in texts[:2]:
        answer(carla, text, "S")
    rows = quality.by_pair(quality.answers_of(project))
    assert [(row.first, row.second, row.texts) for row in rows] == [
        ("anna", "ben", 4),
        ("anna", "carla", 2),
        ("ben", "carla", 2),
    ]
    assert rows[0].percent.value == pytest.approx(3 / 4)
    assert rows[0].kappa.value == pytest.approx(0.5)  # by chance 1/2 x 1/4 + 1/2 x 3/4
    assert rows[1].kappa.undefined == ONE_CATEGORY
    assert rows[2].kappa.value == pytest.approx(0.0)


def test_the_categories_that_are_confused_most_come_first(project: Project, both_answer: BothAnswer) -> None:
    both_answer("SB", "BS", "WB", "SS", "SB")
    assert quality.confusions(quality.answers_of(project)) == [
        quality.Confusion("Sports", "Business", 3),
        quality.Confusion("Business", "Weather", 1),
    ]


def test_pairs_are_those_of_a_plain_count() -> None:
    random = np.random.default_rng(7)
    texts = np.sort(random.integers(30, size=100))
    answers = quality.Answers(texts, np.arange(100), np.zeros(100, dtype=np.int64), np.ones(100, dtype=np.int64))
    found = set(zip(*(places.tolist() for places in quality._pairs(answers)), strict=True))
    assert found == {(a, b) for a in range(100) for b in range(a + 1, 100) if texts[a] == texts[b]}


# --- Reviewers --------------------------------------------------------------------------------------------------------


def test_gold_says_how_often_a_reviewer_was_right(
    project: Project, anna: Reviewer, ben: Reviewer, answer: Answer, add_texts: Callable[..., list[Text]]
) -> None:
    for place, text in enumerate(add_texts(project, "One", "Two", "Three", "Four")):
        answer(anna, text, "B" if place == 3 else "S", known="S", queue_reason=QueueReason.GOLD)
    answer(ben, text, "S", known="S", queue_reason=QueueReason.AUDIT)  # equal to the model, but not gold
    rows = {row.reviewer: row for row in quality.by_reviewer(project)}
    assert (rows["anna"].gold.value, rows["anna"].gold.units) == (3 / 4, 4)
    assert rows["anna"].gold.low == pytest.approx(0.3006, abs=5e-5)
    assert rows["ben"].gold.undefined == NOTHING


def test_an_answer_to_gold_that_was_merged_with_the_known_one_is_right(
    project: Project, anna: Reviewer, answer: Answer, add_texts: Callable[..., list[Text]], categories: Any
) -> None:
    for letter, known, text in zip("SBW", "WSB", add_texts(project, "One", "Two", "Three"), strict=True):
        answer(anna, text, letter, known=known, queue_reason=QueueReason.GOLD)
    Category.objects.filter(pk=categories["S"].pk).update(is_active=False, merged_into=categories["W"])
    assert [(row.gold.value, row.gold.units) for row in quality.by_reviewer(project)] == [(1 / 3, 3)]
    (told,) = statistics.of_project(project).activity_by_reviewer
    assert (told.gold.value, told.gold.units) == (1 / 3, 3)


def test_an_answer_to_gold_that_was_undone_does_not_count(
    project: Project, anna: Reviewer, answer: Answer, add_texts: Callable[..., list[Text]]
) -> None:
    (text,) = add_texts(project, "One")
    undo(answer(anna, text, "B", known="S", queue_reason=QueueReason.GOLD))
    answer(anna, text, "S", known="S", queue_reason=QueueReason.GOLD)
    assert [(row.gold.value, row.decisions) for row in quality.by_reviewer(project)] == [(1.0, 1)]


@pytest.mark.parametrize(
    ("seconds", "median"),
    [
        ([3.0], 3.0),
        ([1.0, 9.0, 2.04], 2.0),
        ([1.0, 2.0, 4.0, 9.0], 3.0),
        ([2.0, 2.0, 2.0, 9.0], 2.0),
        ([5.0, None, None], 5.0),
        ([None], None),
    ],
)
def test_the_median_time_leaves_out_what_nobody_measured(
    project: Project,
    anna: Reviewer,
    answer: Answer,
    add_texts: Callable[..., list[Text]],
    seconds: list[Any],
    median: float | None,
) -> None:
    for text, spent in zip(add_texts(project, *(f"Text {n}" for n in range(len(seconds)))), seconds, strict=True):
        answer(anna, text, "S", seconds_spent=spent)
    (row,) = quality.by_reviewer(project)
    assert (row.decisions, row.median_seconds) == (len(seconds), pytest.approx(median))


def test_reviewers_are_read_with_few_queries(
    project: Project, both_answer: BothAnswer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    both_answer("SS", "SB", seconds_spent=2.0)
    with django_assert_num_queries(2):
        rows = quality.by_reviewer(project)
    assert [(row.reviewer, row.decisions) for row in rows] == [("anna", 2), ("ben", 2)]


# --- How often two people differ --------------------------------------------------------------------------------------


def test_disagreement_is_the_share_of_audit_texts_on_which_two_people_differ(
    project: Project, both_answer: Callable[..., list[Text]]
) -> None:
    audit = both_answer("SS", "SB", "BB", "WW")
    Text.objects.filter(pk__in=[text.pk for text in audit]).update(is_audit=True)
    both_answer("SB", "SB")  # blind, but not of the audit
    found = quality.disagreement(quality.audit_answers_of(project))
    assert (found.value, found.units) == (0.25, 4)
    assert found.low == pytest.approx(0.046, abs=0.001)  # Wilson's interval for 1 of 4
    assert found.high == pytest.approx(0.699, abs=0.001)


def test_answers_with_the_suggestion_in_view_do_not_measure_human_error(
    project: Project, both_answer: Callable[..., list[Text]]
) -> None:
    both_answer("SS", "SB", is_blind=False)
    Text.objects.update(is_audit=True)
    assert quality.disagreement(quality.audit_answers_of(project)).value is None


def test_of_three_answers_two_are_compared(
    project: Project, both_answer: Callable[..., list[Text]], add_reviewer, answer
) -> None:
    [text] = both_answer("SS")
    Text.objects.update(is_audit=True)
    answer(add_reviewer("carla"), text, "B")
    assert quality.disagreement(quality.audit_answers_of(project)).value == 0.0
