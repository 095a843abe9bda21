"""Histories: what they tell, whom, what they keep to themselves, and how they travel as files."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.template.loader import get_template
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries

from labeling import annotations
from labeling.choices import TextStatus
from labeling.models import Category, Project, Text
from labeling.spreadsheets import unescape_formula
from reviews import audit_trail, entries, history
from reviews.decisions import Decision, record
from reviews.entries import Entry
from reviews.hashing import content_hash
from reviews.models import Action, QueueReason, Review, Reviewer
from reviews.undoing import undo

AddLabeled = Callable[..., list[Text]]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example","click")'


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of_text(text: Text) -> str:
    return f"/admin/review/history/text/{text.pk}/"


def of_reviewer(reviewer: Reviewer) -> str:
    return f"/admin/review/history/reviewer/{reviewer.pk}/"


def body(answer: Any) -> str:
    assert answer.status_code == 200
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def rows(client: Client, address: str, **filters: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body(client.get(address, {"export": "jsonl", **filters})).splitlines()]


def cells(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(client.get(address, {"export": "csv"})), newline="")))


def approve(reviewer: Reviewer, text: Text, **more: Any) -> Review:
    return record(reviewer, text.pk, Decision(Action.APPROVE, text.current_label_id, **more))


def reject(reviewer: Reviewer, text: Text, category: Category, **more: Any) -> Review:
    return record(reviewer, text.pk, Decision(Action.REJECT, text.current_label_id, category.pk, **more))


def write(reviewer: Reviewer, text: Text, action: Action = Action.DECIDE, **values: Any) -> Review:
    """A review as it would stand there, without the way to it."""
    review = Review(reviewer=reviewer, text=text, action=action, **{"status_before": text.status, **values})
    review.content_hash = content_hash(review)
    review.save()
    return review


@pytest.fixture
def head(db: None) -> Client:
    """Somebody of the group Managers, not a superuser, signed in."""
    user = User.objects.create_user("head", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    return client_of(user)


@pytest.fixture
def hers(anna: Reviewer) -> Client:
    return client_of(anna.user)


@pytest.fixture
def weather(project: Project) -> Category:
    return project.categories.get(name="Weather")


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?export=csv", "?export=jsonl"])
def test_who_may_see_the_history_of_a_text(
    project: Project, anna: Reviewer, stranger: User, head: Client, add_labeled: AddLabeled, query: str
) -> None:
    [text] = add_labeled(0.5)
    address = of_text(text) + query
    assert Client().get(address)["Location"].startswith("/admin/login/?next=/admin/review/history/")
    assert client_of(stranger).get(address).status_code == 403
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    assert client_of(stranger).get(address).status_code == 403
    assert client_of(anna.user).get(address).status_code == 403
    assert head.get(address).status_code == 200
    assert head.post(address).status_code == 405


@pytest.mark.parametrize("query", ["", "?export=csv", "?export=jsonl"])
def test_who_may_see_the_history_of_a_reviewer(
    anna: Reviewer, ben: Reviewer, stranger: User, head: Client, query: str
) -> None:
    ben.projects.set([Project.objects.create(name="Other")])
    address = of_reviewer(anna) + query
    assert Client().get(address)["Location"].startswith("/admin/login/?next=/admin/review/history/")
    assert client_of(stranger).get(address).status_code == 403
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    assert client_of(stranger).get(address).status_code == 403
    assert client_of(ben.user).get(address).status_code == 403
    assert client_of(anna.user).get(address).status_code == 200
    assert head.get(address).status_code == 200
    assert head.post(address).status_code == 405


def test_a_manager_who_is_no_longer_staff_is_refused(manager: User, anna: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    User.objects.filter(pk=manager.pk).update(is_staff=False)
    assert client_of(manager).get(of_text(text)).status_code == 403
    assert client_of(manager).get(of_reviewer(anna)).status_code == 403


def test_a_reviewer_does_not_learn_which_reviewers_there_are(hers: Client, head: Client) -> None:
    assert hers.get("/admin/review/history/reviewer/999/").status_code == 403
    assert head.get("/admin/review/history/reviewer/999/").status_code == 404
    assert head.get("/admin/review/history/text/999/").status_code == 404


# --- Of a text --------------------------------------------------------------------------------------------------------


def test_a_text_shows_who_said_what_oldest_first(
    head: Client, anna: Reviewer, ben: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    first = reject(anna, text, weather, comment="It rained.", seconds_spent=2.5)
    undo(anna)
    approve(ben, text)
    audit_trail.seal(everything=True)
    told = [(row["kind"], row["who"], row["action"], row["category_after"]) for row in rows(head, of_text(text))]
    assert told == [
        ("label", "keyword", None, "Sports"),
        ("label", "anna", None, "Weather"),
        ("review", "anna", "reject", "Weather"),
        ("review", "anna", "undo", "Sports"),
        ("review", "ben", "approve", "Sports"),
    ]
    page = body(head.get(of_text(text)))
    for words in (text.content, "It rained.", "2.5 s", f"Review {first.pk}", "Undone by", "Sealed as 1", "0.500"):
        assert words in page
    assert page.index("It rained.") < page.index("Takes back")


def test_a_label_tells_what_made_it(head: Client, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    [row] = rows(head, of_text(text))
    assert (row["origin"], row["provider"], row["version"], row["confidence_after"]) == ("model", "keyword", 1, 0.5)
    assert row["run_id"] is not None
    assert row["explanation"] == "Sports 0.50"


def test_a_review_that_is_not_sealed_says_so(head: Client, anna: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    approve(anna, text)
    assert "Not sealed yet" in body(head.get(of_text(text)))


def test_a_text_without_anything_has_a_history(head: Client, project: Project, add_texts: Callable[..., Any]) -> None:
    [text] = add_texts(project, "Fresh")
    assert "Nobody and nothing has labeled this text yet." in body(head.get(of_text(text)))
    assert rows(head, of_text(text)) == []


def test_a_long_timeline_costs_no_more_queries(
    head: Client, anna: Reviewer, add_labeled: AddLabeled, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    [text] = add_labeled(0.5)
    for _ in range(8):
        approve(anna, text)
        undo(anna)
    with django_assert_max_num_queries(14):
        body(head.get(of_text(text)))


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


# --- Files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_streamed_and_named(head: Client, anna: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    approve(anna, text)
    for address, name in ((of_reviewer(anna), f"reviewer-{anna.pk}"), (of_text(text), f"text-{text.pk}")):
        for file_format, kind in (("csv", "text/csv; charset=utf-8"), ("jsonl", "application/x-ndjson")):
            answer = head.get(address, {"export": file_format})
            assert answer.streaming
            assert answer["Content-Type"] == kind
            assert answer["Content-Disposition"] == f'attachment; filename="history-of-{name}.{file_format}"'
            assert "no-store" in answer["Cache-Control"]
            body(answer)


def test_a_file_is_read_from_the_database_piece_by_piece(
    anna: Reviewer,
    add_labeled: AddLabeled,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(history, "CHUNK_ROWS", 2)
    for text in add_labeled(*[0.5] * 5):
        approve(anna, text)
    stream = history.entries_of(anna, history.Chosen(), hides_answers=False)
    with django_assert_num_queries(1):
        first = [next(stream), next(stream)]
    with django_assert_num_queries(3):
        rest = list(stream)
    assert [entry.id for entry in first + rest] == sorted(Review.objects.values_list("pk", flat=True), reverse=True)


def test_csv_and_json_lines_say_the_same(
    head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    reject(anna, text, weather, comment="Two\nlines, one comma")
    audit_trail.seal(everything=True)
    flat, whole = cells(head, of_text(text)), rows(head, of_text(text))
    assert [list(row) for row in flat] == [list(row) for row in whole] == [list(Entry._fields)] * 3
    for cell_row, row in zip(flat, whole, strict=True):
        for name, value in row.items():
            as_cell = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert unescape_formula(cell_row[name]) == as_cell
    assert flat[-1]["created_at"].endswith("Z")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "'="])
def test_a_spreadsheet_runs_nothing(
    head: Client, hers: Client, anna: Reviewer, project: Project, add_labeled: AddLabeled, start: str
) -> None:
    evil = start + FORMULA[1:]
    project.categories.filter(name="Sports").update(name=evil)
    [text] = add_texts_with(project, evil)
    write(anna, text, Action.FLAG, comment=evil, proposed_category=evil, category_after=project.categories.first())
    User.objects.filter(pk=anna.user_id).update(username=f"{start}anna")
    for client in (head, hers):
        [row] = cells(client, of_reviewer(anna))
        for name in ("text", "external_id", "comment", "proposed_category", "category_after", "who"):
            assert row[name].startswith("'"), name
        assert unescape_formula(row["comment"]) == evil
        assert rows(client, of_reviewer(anna))[0]["comment"] == evil


def add_texts_with(project: Project, evil: str) -> list[Text]:
    return [Text.objects.create(project=project, content=evil, content_hash="0" * 32, external_id=evil)]


def test_from_a_file_the_content_hash_can_be_computed_again(
    head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    one, two = add_labeled(0.5, 0.6)
    reject(anna, one, weather, comment="=rain", seconds_spent=3, idempotency_key="k")
    undo(anna)
    approve(anna, two)
    for row in rows(head, of_reviewer(anna)):
        names = {"text", "reviewer", "label", "new_label", "category_before", "category_after", "reverts"}
        values = {f"{name}_id": row[f"{name}_id"] for name in names}
        same = {"action", "slot", "confidence_before", "confidence_after", "status_before", "comment", "is_blind"}
        same |= {"proposed_category", "queue_reason", "selection_probability", "seconds_spent", "idempotency_key"}
        values |= {name: row[name] for name in same | {"batch"}}
        again = Review(**values, created_at=parse_datetime(row["created_at"]))
        assert content_hash(again) == row["content_hash"]


def test_the_export_keeps_the_filter(head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled) -> None:
    one, two = add_labeled(0.5, 0.6)
    approve(anna, one)
    reject(anna, two, weather)
    assert [row["action"] for row in rows(head, of_reviewer(anna), action="reject")] == ["reject"]


def test_another_format_is_refused(head: Client, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    assert head.get(of_text(text), {"export": "xlsx"}).status_code == 400


# --- What people wrote stays text -------------------------------------------------------------------------------------


def test_what_people_wrote_stays_text(
    head: Client, hers: Client, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    for category in project.categories.all():
        Category.objects.filter(pk=category.pk).update(name=f"{EVIL}{category.pk}")
    Text.objects.filter(pk=text.pk).update(content=EVIL, source=EVIL, external_id=EVIL, language='"><script>')
    Project.objects.filter(pk=project.pk).update(name=EVIL)
    approve(anna, text, comment=EVIL, proposed_category=EVIL)
    for page in (head.get(of_text(text)), head.get(of_reviewer(anna)), hers.get(of_reviewer(anna))):
        source = body(page)
        assert "<script>alert" not in source
        assert "<img src=x" not in source
        assert '"><script>' not in source
        assert source.count("&lt;img src=x") > 2
    wrong = hers.get(of_reviewer(anna), {"since": '"><img src=x>'}).content.decode()
    assert "<img src=x" not in wrong


@pytest.mark.parametrize("name", ["history_text.html", "history_reviewer.html", "history_entry.html", "live.html"])
def test_a_content_security_policy_may_forbid_inline_code(name: str) -> None:
    source = get_template(f"reviews/{name}").template.source
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)", source)


# --- The way there ----------------------------------------------------------------------------------------------------


def test_a_reviewer_finds_the_own_history_in_the_list_of_projects(hers: Client, anna: Reviewer) -> None:
    anna.projects.add(Project.objects.create(name="Mail"))
    assert f'href="{of_reviewer(anna)}"' in body(hers.get("/admin/review/"))


def test_adjudicating_has_a_name_and_a_place(
    head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    write(anna, text, Action.ADJUDICATE, category_after=weather, comment="Rain it is.")
    write(anna, text, Action.RETURN)
    page = body(head.get(of_text(text)))
    assert "Adjudicate" in page
    assert "Return to the queue" in page


def test_a_label_of_a_person_names_the_person(anna: Reviewer, weather: Category, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    label = annotations.record_human_label(text, weather, annotator=anna.user, confidence=0.8)
    entry = entries.entry_of_label(label, text)
    assert (entry.who, entry.origin, entry.confidence_after, entry.run_id) == ("anna", "human", 0.8, None)
