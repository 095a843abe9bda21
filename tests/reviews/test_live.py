"""The live page: who is there, how fast it goes, what was decided, and that looking costs little."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling import gold
from labeling.models import Category, Project, Text
from reviews import live, queue
from reviews.decisions import Decision, record
from reviews.hashing import content_hash
from reviews.models import Action, Assignment, Review, Reviewer
from reviews.undoing import undo

AddLabeled = Callable[..., list[Text]]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, project: Project) -> Any:
    return client.get(f"/admin/review/{project.pk}/live/")


def numbers(client: Client, project: Project) -> Any:
    return client.get(f"/admin/review/{project.pk}/live.json")


def approve(reviewer: Reviewer, text: Text) -> Review:
    return record(reviewer, text.pk, Decision(Action.APPROVE, text.current_label_id))


def approved_at(reviewer: Reviewer, text: Text, made: datetime) -> Review:
    review = Review(reviewer=reviewer, text=text, action=Action.APPROVE, status_before=text.status, created_at=made)
    review.content_hash = content_hash(review)
    review.save()
    return review


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_who_may_look(project: Project, anna: Reviewer, ben: Reviewer, stranger: User, head: Client) -> None:
    ben.projects.set([Project.objects.create(name="Other")])
    assert page(Client(), project)["Location"].startswith("/admin/login/?next=/admin/review/")
    assert numbers(Client(), project).status_code == 401
    assert numbers(Client(), project).json()["code"] == "signed_out"
    refused = [client_of(stranger)]
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    refused += [client_of(stranger), client_of(anna.user), client_of(ben.user)]
    for client in refused:
        assert page(client, project).status_code == 403
        assert numbers(client, project).status_code == 403
    assert page(head, project).status_code == 200
    assert numbers(head, project).status_code == 200


def test_a_manager_who_is_no_longer_staff_is_refused(manager: User, project: Project) -> None:
    User.objects.filter(pk=manager.pk).update(is_staff=False)
    client = client_of(manager)
    assert page(client, project).status_code == 403
    assert numbers(client, project).status_code == 403


def test_it_is_for_reading_only(head: Client, project: Project) -> None:
    assert head.post(f"/admin/review/{project.pk}/live/").status_code == 405
    assert head.post(f"/admin/review/{project.pk}/live.json").status_code == 405
    assert "no-store" in numbers(head, project)["Cache-Control"]


def test_an_unknown_project_is_not_found(head: Client) -> None:
    assert head.get("/admin/review/999/live/").status_code == 404
    assert head.get("/admin/review/999/live.json").status_code == 404


# --- What it tells ----------------------------------------------------------------------------------------------------


def test_a_quiet_project(head: Client, project: Project) -> None:
    got = numbers(head, project).json()
    assert (got["people"], got["last"], got["waiting"], got["is_capped"]) == ([], [], 0, False)
    assert timezone.now() - datetime.fromisoformat(got["now"]) < timedelta(minutes=1)


def test_who_is_on_the_desk_since_when_and_with_how_much(
    project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    first, _, third = add_labeled(0.5, 0.6, 0.7)
    for reviewer in (ben, anna, ben):
        queue.claim_next(reviewer, project, besides=list(reviewer.assignments.values_list("text_id", flat=True)))
    earlier = timezone.now() - timedelta(minutes=7)
    Assignment.objects.filter(reviewer=ben, text=first).update(claimed_at=earlier)
    Assignment.objects.filter(reviewer=ben, text=third).update(claimed_at=timezone.now())
    shown = [(one["name"], one["on_desk"]) for one in live.snapshot(project)["people"]]
    assert shown == [("ben", 2), ("anna", 1)]
    since = {one["name"]: one["since"] for one in live.snapshot(project)["people"]}
    assert since["ben"] == Assignment.objects.filter(reviewer=ben).earliest("claimed_at").claimed_at.isoformat()


def test_expired_claims_and_other_projects_do_not_count(
    project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    queue.claim_next(anna, project)
    assert live.snapshot(Project.objects.create(name="Other"))["people"] == []
    Assignment.objects.update(expires_at=timezone.now())
    assert live.snapshot(project)["people"] == []


def test_decisions_are_counted_by_minutes(
    project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    now = timezone.now()
    for text, minutes in zip(add_labeled(*[0.5] * 5), (0.5, 3, 10, 40, 70), strict=True):
        approved_at(anna, text, now - timedelta(minutes=minutes))
    [text] = add_labeled(0.5)
    approve(ben, text)
    shown = {one["name"]: one["decided"] for one in live.snapshot(project)["people"]}
    assert shown == {"anna": [1, 2, 3, 4], "ben": [1, 1, 1, 1]}
    assert live.snapshot(Project.objects.create(name="Other"))["people"] == []


def test_undone_and_skipped_do_not_count_as_decided(project: Project, anna: Reviewer, add_labeled: AddLabeled) -> None:
    one, two, three = add_labeled(0.5, 0.6, 0.7)
    approve(anna, one)
    undo(anna)
    record(anna, two.pk, Decision(Action.SKIP))
    approve(anna, three)
    [person] = live.snapshot(project)["people"]
    assert person["decided"] == [1, 1, 1, 1]
    shown = [(row["action"], row["is_undone"]) for row in live.snapshot(project)["last"]]
    assert shown == [("Approve", False), ("Skip", False), ("Approve", True)]


def test_the_last_decisions_are_shown_newest_first(
    head: Client, project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    texts = add_labeled(*[0.5] * 22)
    for text in texts[:-1]:
        approve(anna, text)
    weather = project.categories.get(name="Weather")
    record(ben, texts[-1].pk, Decision(Action.REJECT, texts[-1].current_label_id, weather.pk))
    rows = numbers(head, project).json()["last"]
    assert len(rows) == live.LAST_DECISIONS
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    first = rows[0]
    assert (first["who"], first["action"], first["before"], first["after"]) == ("ben", "Reject", "Sports", "Weather")
    assert (first["excerpt"], first["text"]) == (texts[-1].content, f"/admin/review/history/text/{texts[-1].pk}/")


def test_answers_to_open_blind_texts_are_hidden_from_managers_who_may_review_them_next(
    head: Client, project: Project, anna: Reviewer, ben: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    [text] = add_labeled(0.5, audit=True)
    record(anna, text.pk, Decision(Action.DECIDE, category_id=weather.pk))
    [row] = numbers(head, project).json()["last"]
    assert (row["before"], row["after"], row["is_hidden"], row["is_blind"]) == (None, None, True, True)
    record(ben, text.pk, Decision(Action.DECIDE, category_id=weather.pk))
    shown = [(row["before"], row["after"], row["is_hidden"]) for row in numbers(head, project).json()["last"]]
    assert shown == [("Sports", "Weather", False)] * 2


def test_the_known_answer_of_gold_is_hidden_from_managers(
    head: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    approve(anna, text)
    assert numbers(head, project).json()["last"][0]["after"] == "Sports"
    gold.mark(Text.objects.filter(pk=text.pk))
    [row] = numbers(head, project).json()["last"]
    assert (row["before"], row["after"], row["is_hidden"]) == (None, None, True)


def test_it_says_how_much_waits(project: Project, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch) -> None:
    add_labeled(0.5, 0.6, 0.7)
    got = live.snapshot(project)
    assert (got["waiting"], got["waiting_is_capped"]) == (3, False)
    monkeypatch.setattr("reviews.desk.MOST_COUNTED", 2)
    got = live.snapshot(project)
    assert (got["waiting"], got["waiting_is_capped"]) == (2, True)


def test_more_than_can_be_counted_is_said(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_READ", 2)
    for text in add_labeled(*[0.5] * 3):
        approve(anna, text)
    got = live.snapshot(project)
    assert (got["is_capped"], got["people"][0]["decided"]) == (True, [2, 2, 2, 2])


def test_old_decisions_beyond_the_newest_do_not_make_the_hour_uncertain(
    project: Project, anna: Reviewer, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_READ", 1)
    for text, minutes in zip(add_labeled(0.5, 0.5), (90, 5), strict=True):
        approved_at(anna, text, timezone.now() - timedelta(minutes=minutes))
    assert live.snapshot(project)["is_capped"] is False


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_the_number_of_queries_is_small_and_does_not_grow(
    head: Client,
    project: Project,
    add_reviewer: Callable[[str], Reviewer],
    add_labeled: AddLabeled,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def arrive(name: str) -> None:
        reviewer = add_reviewer(name)
        done, *_ = add_labeled(0.5, 0.6, 0.7)
        approve(reviewer, done)
        queue.claim_next(reviewer, project)

    arrive("cleo")
    with CaptureQueriesContext(connection) as when_quiet:
        numbers(head, project)
    for name in ("dora", "emil", "fritz"):
        arrive(name)
    with CaptureQueriesContext(connection) as when_busy:
        assert len(numbers(head, project).json()["people"]) == 4
    assert len(when_busy) == len(when_quiet)
    with django_assert_max_num_queries(12):
        numbers(head, project)


def test_two_processes_tell_the_same(head: Client, manager: User, project: Project, anna: Reviewer) -> None:
    one, two = numbers(head, project).json(), numbers(client_of(manager), project).json()
    assert {**one, "now": ""} == {**two, "now": ""}


# --- What people wrote stays text -------------------------------------------------------------------------------------


def test_what_people_wrote_cannot_break_out_of_the_page(
    head: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    Category.objects.filter(project=project, name="Sports").update(name=EVIL)
    Project.objects.filter(pk=project.pk).update(name=EVIL)
    Text.objects.filter(pk=text.pk).update(content=EVIL)
    approve(anna, text)
    body = page(head, project).content.decode()
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    found = re.search(r'<script id="live-settings" type="application/json">(.*?)</script>', body, re.DOTALL)
    assert found
    assert json.loads(found[1])["snapshot"]["last"][0]["after"] == EVIL


# --- The way there ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_default_project(db: None) -> None:
    Project.objects.all().delete()


def links(client: Client) -> set[str]:
    body = client.get("/admin/review/").content.decode()
    return set(re.findall(r'href="(/admin/review/\d+/(?:live/)?)"', body))


def test_a_manager_finds_all_projects_and_no_desk_of_others(head: Client, project: Project) -> None:
    other = Project.objects.create(name="Other")
    Project.objects.create(name="Old", is_archived=True)
    assert links(head) == {f"/admin/review/{project.pk}/live/", f"/admin/review/{other.pk}/live/"}


def test_a_manager_who_reviews_finds_the_desk_as_well(manager: User, project: Project) -> None:
    reviewer = Reviewer.objects.create(user=manager)
    reviewer.projects.add(project)
    other = Project.objects.create(name="Other")
    desk = f"/admin/review/{project.pk}/"
    assert links(client_of(manager)) == {desk, f"{desk}live/", f"/admin/review/{other.pk}/live/"}
    Reviewer.objects.update(is_active=False)
    assert desk not in links(client_of(manager))


def test_a_manager_without_projects_is_told_so(head: Client) -> None:
    assert "There is no project yet" in head.get("/admin/review/").content.decode()


def test_a_plain_reviewer_finds_desks_only(anna: Reviewer, project: Project) -> None:
    client = client_of(anna.user)
    assert client.get("/admin/review/")["Location"] == f"/admin/review/{project.pk}/"
    mail = Project.objects.create(name="Mail")
    Project.objects.create(name="Not hers")
    anna.projects.add(mail)
    assert links(client) == {f"/admin/review/{project.pk}/", f"/admin/review/{mail.pk}/"}
