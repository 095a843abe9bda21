"""Histories of reviewers: what they tell in which order, and what a reviewer must not learn from the own one."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling.choices import TextStatus
from labeling.models import Category, Project, Text
from reviews import audit_trail, history
from reviews.decisions import Decision, record
from reviews.models import Action, QueueReason, Review, Reviewer
from reviews.undoing import undo
from tests.reviews.desk_page import AddLabeled
from tests.reviews.histories import approve, body, of_reviewer, reject, rows, write

# --- Of a reviewer ----------------------------------------------------------------------------------------------------


def test_a_reviewer_sees_the_own_reviews_newest_first(
    hers: Client, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    one, two, three = add_labeled(0.5, 0.6, 0.7)
    approve(anna, one)
    approve(ben, two, comment="His own affair")
    approve(anna, three)
    assert [row["text_id"] for row in rows(hers, of_reviewer(anna))] == [three.pk, one.pk]
    assert "His own affair" not in body(hers.get(of_reviewer(anna)))


def test_pages_follow_each_other_without_gaps(
    head: Client, anna: Reviewer, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_ROWS", 3)
    for text in add_labeled(*[0.5] * 7):
        approve(anna, text)
    seen: list[int] = []
    before: int | None = None
    for _ in range(3):
        context = head.get(of_reviewer(anna), {} if before is None else {"before": before, "action": "approve"}).context
        seen += [entry.id for entry in context["page"].entries]
        before = context["page"].next_before
    assert before is None
    assert seen == sorted(Review.objects.values_list("pk", flat=True), reverse=True)


def test_the_way_to_the_next_page_keeps_the_filter(
    head: Client, anna: Reviewer, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_ROWS", 1)
    for text in add_labeled(0.5, 0.6):
        approve(anna, text)
    last = Review.objects.latest("pk").pk
    assert f'href="?action=approve&amp;before={last}"' in body(head.get(of_reviewer(anna), {"action": "approve"}))


def test_filters_choose_by_project_day_and_action(
    head: Client, anna: Reviewer, weather: Category, project: Project, add_labeled: AddLabeled
) -> None:
    one, two = add_labeled(0.5, 0.6)
    approve(anna, one)
    reject(anna, two, weather)
    old = write(anna, one, Action.SKIP, created_at=timezone.now() - timedelta(days=40))
    other = Project.objects.create(name="Other")
    day = (timezone.localtime() - timedelta(days=40)).date().isoformat()

    def found(**filters: Any) -> list[str]:
        return [row["action"] for row in rows(head, of_reviewer(anna), **filters)]

    assert found() == ["skip", "reject", "approve"]
    assert found(action="reject") == ["reject"]
    assert found(since=day, until=day) == ["skip"]
    assert found(until=(old.created_at - timedelta(days=2)).date().isoformat()) == []
    assert found(since=timezone.localtime().date().isoformat()) == ["reject", "approve"]
    assert found(project=project.pk) == ["skip", "reject", "approve"]
    assert found(project=other.pk) == []


@pytest.mark.parametrize(
    "wrong",
    ["project=99", "project=x", "since=soon", "until=9999-12-31", "action=x", "before=0", "before=x", "export=x"],
)
def test_wrong_filters_are_named_and_nothing_is_shown(hers: Client, anna: Reviewer, wrong: str) -> None:
    answer = hers.get(f"{of_reviewer(anna)}?{wrong}")
    assert answer.status_code == 400
    assert f"{wrong.split('=')[0]}:" in answer.content.decode()


def test_a_number_beyond_all_ids_is_no_error(hers: Client, anna: Reviewer) -> None:
    assert hers.get(of_reviewer(anna), {"before": 10**30}).status_code == 200


def test_a_reviewer_cannot_filter_by_the_projects_of_others(hers: Client, anna: Reviewer) -> None:
    other = Project.objects.create(name="Secret plans")
    assert "Secret plans" not in body(hers.get(of_reviewer(anna)))
    assert hers.get(of_reviewer(anna), {"project": other.pk}).status_code == 400


def test_numbers_count_decisions_that_stand(anna: Reviewer, add_labeled: AddLabeled) -> None:
    one, two, three = add_labeled(0.5, 0.6, 0.7)
    approve(anna, one)
    approve(anna, two)
    undo(anna)
    write(anna, three, created_at=timezone.now() - timedelta(days=3))
    write(anna, three, created_at=timezone.now() - timedelta(days=30))
    numbers = history.numbers_of(anna)
    assert (numbers.today, numbers.week, numbers.entries) == (1, 2, 5)
    assert not (numbers.is_today_capped or numbers.is_week_capped or numbers.are_entries_capped)


def test_numbers_say_when_they_stopped_counting(
    anna: Reviewer, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_COUNTED", 2)
    monkeypatch.setattr(history, "MOST_COUNTED_EVER", 3)
    for text in add_labeled(*[0.5] * 4):
        approve(anna, text)
    numbers = history.numbers_of(anna)
    assert (numbers.today, numbers.is_today_capped, numbers.week, numbers.is_week_capped) == (2, True, 2, True)
    assert (numbers.entries, numbers.are_entries_capped) == (3, True)


def test_a_full_page_costs_few_queries(
    hers: Client, anna: Reviewer, add_labeled: AddLabeled, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for text in add_labeled(*[0.5] * 20):
        approve(anna, text)
    with django_assert_max_num_queries(14):
        body(hers.get(of_reviewer(anna)))


# --- What a reviewer must not see -------------------------------------------------------------------------------------

SILENT = {
    "category_before_id",
    "category_before",
    "confidence_before",
    "label_id",
    "new_label_id",
    "status_before",
    "selection_probability",
    "slot",
    "content_hash",
    "chain_hash",
    "previous_hash",
}


def decide_blind(reviewer: Reviewer, text: Text, category: Category) -> Review:
    return record(reviewer, text.pk, Decision(Action.DECIDE, category_id=category.pk))


@pytest.mark.parametrize("people", [1, 2])
def test_the_models_answer_to_a_blind_text_stays_hidden(
    hers: Client, anna: Reviewer, weather: Category, project: Project, add_labeled: AddLabeled, people: int
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=people)
    [text] = add_labeled(0.123456, audit=True)
    decide_blind(anna, text, weather)
    audit_trail.seal(everything=True)
    [row] = rows(hers, of_reviewer(anna))
    assert {name for name in SILENT if row[name] is not None} == set()
    assert (row["category_after"], row["is_hidden"]) == ("Weather", True)
    page = body(hers.get(of_reviewer(anna)))
    assert "hidden: blind audit" in page
    for leak in ("Sports", "0.123", Review.objects.get().content_hash):
        assert leak not in page
        assert leak not in body(hers.get(of_reviewer(anna), {"export": "csv"}))


def test_agreeing_with_the_hidden_answer_looks_like_disagreeing(
    hers: Client, anna: Reviewer, project: Project, weather: Category, add_labeled: AddLabeled
) -> None:
    agreed, differed = add_labeled(0.9, 0.4, audit=True)
    decide_blind(anna, agreed, project.categories.get(name="Sports"))
    decide_blind(anna, differed, weather)
    one, two = rows(hers, of_reviewer(anna))
    own = {"id", "text_id", "text", "created_at", "category_after", "category_after_id"}
    assert {name for name in one if one[name] != two[name]} <= own


def test_an_undo_does_not_tell_what_it_put_back(
    hers: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.9, audit=True)
    decide_blind(anna, text, weather)
    undo(anna)
    taken_back, _ = rows(hers, of_reviewer(anna))
    assert (taken_back["action"], taken_back["category_before"]) == ("undo", "Weather")
    assert (taken_back["category_after"], taken_back["category_after_id"], taken_back["content_hash"]) == (None,) * 3
    assert "Sports" not in body(hers.get(of_reviewer(anna)))


@pytest.fixture
def gold(anna: Reviewer, project: Project, weather: Category, add_labeled: AddLabeled) -> Text:
    """A text whose answer is known to be Sports, about which anna said Weather."""
    [text] = add_labeled(0.9)
    Text.objects.filter(pk=text.pk).update(status=TextStatus.REVIEWED, is_gold=True)
    text.refresh_from_db()
    assert text.current_label
    answer = {"label": text.current_label, "category_before": text.current_label.category, "confidence_before": 0.9}
    write(anna, text, category_after=weather, is_blind=True, queue_reason=QueueReason.GOLD, slot=1, **answer)
    return text


def test_gold_looks_like_the_blind_audit_to_the_reviewer(
    hers: Client, anna: Reviewer, gold: Text, weather: Category, add_labeled: AddLabeled
) -> None:
    [audited] = add_labeled(0.3, audit=True)
    write(anna, audited, category_after=weather, is_blind=True, queue_reason=QueueReason.AUDIT)
    one, two = rows(hers, of_reviewer(anna))
    assert {name for name in one if one[name] != two[name]} <= {"id", "text_id", "text", "created_at"}
    page = body(hers.get(of_reviewer(anna)))
    for leak in ("gold", "Gold", "answer is known", "Sports"):
        assert leak not in page
    assert "gold" not in body(hers.get(of_reviewer(anna), {"export": "csv"}))


def test_managers_see_gold_and_blind_answers(head: Client, anna: Reviewer, gold: Text) -> None:
    [row] = rows(head, of_reviewer(anna))
    assert (row["queue_reason"], row["category_before"], row["is_hidden"]) == ("gold", "Sports", False)
    assert "Its answer is known" in body(head.get(of_reviewer(anna)))


def test_the_links_of_the_chain_are_for_managers(
    head: Client, hers: Client, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    review = approve(anna, text)
    audit_trail.seal(everything=True)
    [own], [full] = rows(hers, of_reviewer(anna)), rows(head, of_reviewer(anna))
    assert (own["content_hash"], own["seal_position"], own["chain_hash"]) == (review.content_hash, 1, None)
    assert full["chain_hash"] == review.seal.chain_hash
