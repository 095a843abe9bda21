"""Histories: whom they are told, what those of texts tell, and how pages show what people wrote."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import get_template
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling import annotations
from labeling.models import Category, Project, Text
from reviews import audit_trail, entries
from reviews.models import Action, Reviewer
from reviews.undoing import undo
from tests.reviews.asking import client_of
from tests.reviews.desk_page import AddLabeled
from tests.reviews.histories import approve, body, of_reviewer, of_text, reject, rows, write

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


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
