"""The page of agreement: who may see it, and what it says."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics import quality
from labeling.models import Category, Project, Text
from reviews.models import QueueReason, Review, Reviewer

BothAnswer = Callable[..., list[Text]]
ADDRESSES = ["/admin/agreement/", "/admin/agreement/{}/"]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def body(client: Client, project: Project, query: str = "") -> str:
    """What a person reads on the page, tags and spaces taken out."""
    answer = client.get(f"/admin/agreement/{project.pk}/{query}")
    assert answer.status_code == 200
    main = answer.content.decode().split('<div class="agreement">')[1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


@pytest.fixture
def head(manager: User) -> Client:
    return client_of(manager)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_anonymous_are_asked_to_sign_in(project: Project, address: str) -> None:
    answer = Client().get(address.format(project.pk))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/?next=/admin/agreement/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_managers_may_look(project: Project, stranger: User, anna: Reviewer, address: str) -> None:
    assert client_of(stranger).get(address.format(project.pk)).status_code == 403
    assert client_of(anna.user).get(address.format(project.pk)).status_code == 403


def test_staff_of_the_group_of_managers_may_look(project: Project) -> None:
    user = User.objects.create_user("mia", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    assert "The project as a whole" in body(client_of(user), project)


def test_the_menu_leads_managers_to_the_page(project: Project, head: Client, anna: Reviewer) -> None:
    assert b'href="/admin/agreement/"' in head.get("/", follow=True).content
    assert b'href="/admin/agreement/"' not in client_of(anna.user).get("/", follow=True).content


def test_the_page_changes_nothing_and_takes_no_post(project: Project, head: Client) -> None:
    assert head.post(f"/admin/agreement/{project.pk}/").status_code == 405


def test_a_project_that_does_not_exist_is_not_found(head: Client, db: None) -> None:
    assert head.get("/admin/agreement/12345/").status_code == 404


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_the_only_project_is_opened_at_once(project: Project, head: Client) -> None:
    Project.objects.exclude(pk=project.pk).delete()
    assert head.get("/admin/agreement/")["Location"] == f"/admin/agreement/{project.pk}/"


def test_projects_are_listed_without_those_in_the_archive(project: Project, head: Client) -> None:
    Project.objects.create(name="Mail")
    Project.objects.create(name="Old", is_archived=True)
    page = head.get("/admin/agreement/").content.decode()
    assert f"/admin/agreement/{project.pk}/" in page
    assert "Mail</strong>" in page
    assert "Old</strong>" not in page


def test_a_project_without_answers_says_what_to_do(project: Project, head: Client) -> None:
    page = body(head, project)
    assert "No text has answers by two people yet." in page
    assert 'Set "reviews per text" of the project to 2 or more.' in page
    assert "Nobody has decided a text of this project yet." in page
    assert "nan" not in page.lower().split()
    assert "None" not in page


def test_blind_and_all_answers_stand_beside_each_other(project: Project, head: Client, both_answer: BothAnswer) -> None:
    both_answer("SS", "BB", "SB", "WW", "WW")
    both_answer("SS", "SS", "SS", "SS", is_blind=False)
    page = body(head, project)
    assert re.search(r"Blind answers only 5 80% \S+ to \S+ 0\.727 \S+ to \S+ Tentative, but too few texts", page)
    assert re.search(r"All answers 9 89% \S+ to \S+ 0\.809 ", page)


def test_details_are_of_blind_answers_unless_all_are_asked_for(
    project: Project, head: Client, both_answer: BothAnswer
) -> None:
    both_answer("SS", "BB")
    both_answer("WS", is_blind=False)
    assert "No two answers to one text differ." in body(head, project)
    assert "Sports against Weather , 1 time" in body(head, project, "?answers=all")
    assert "No two answers to one text differ." in body(head, project, "?answers=blind")


def test_without_blind_answers_the_details_are_of_all(project: Project, head: Client, both_answer: BothAnswer) -> None:
    both_answer("WS", is_blind=False)
    assert "Sports against Weather , 1 time" in body(head, project)
    assert "No text has blind answers by two people yet." in body(head, project, "?answers=blind")


def test_pairs_and_confusions_are_shown(project: Project, head: Client, both_answer: BothAnswer) -> None:
    both_answer("SS", "SB", "BB", "BB")
    page = body(head, project)
    assert "Sports against Business , 1 time" in page
    assert re.search(r"anna and ben 4 75% 30% to 95% 0\.500 ", page)


def test_reviewers_are_shown_with_their_gold(project: Project, head: Client, both_answer: BothAnswer) -> None:
    both_answer("SB", "SS", known="S", queue_reason=QueueReason.GOLD, seconds_spent=4.0)
    page = body(head, project)
    assert re.search(r"anna 2 4\.0 s 2 100% 34% to 100% ben 2 4\.0 s 2 50% ", page)


def test_what_is_undefined_is_said_in_words(project: Project, head: Client, both_answer: BothAnswer) -> None:
    both_answer("SS", "SS")
    page = body(head, project)
    assert "All answers are the same category: agreement cannot be told from chance." in page
    assert "No gold text answered yet." in page
    assert "Not measured." in page


def test_a_cut_is_said(
    project: Project, head: Client, both_answer: BothAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_answer("SS", "SB", "BB")
    assert "Counted are the newest" not in body(head, project)
    monkeypatch.setattr(quality, "MOST_TEXTS", 2)
    assert "Counted are the newest 2 such texts" in body(head, project)


def test_names_from_the_database_are_escaped(
    project: Project, head: Client, both_answer: BothAnswer, categories: dict[str, Category]
) -> None:
    both_answer("SB", "SS")
    Category.objects.filter(pk=categories["B"].pk).update(name="<script>alert(1)</script>")
    page = head.get(f"/admin/agreement/{project.pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_number_of_queries_does_not_grow_with_reviewers_and_texts(
    project: Project, head: Client, both_answer: BothAnswer, add_reviewer: Callable[[str], Reviewer]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            body(head, project)
        return len(counted)

    texts = both_answer("SB", "SS")
    before = queries()
    texts += both_answer("WB", "WW", "BB")
    for name in ("carla", "dora", "emil"):
        reviewer = add_reviewer(name)
        for text in texts:
            of_ben = Review.objects.filter(text=text).latest("pk")
            Review.objects.create(
                text=text,
                reviewer=reviewer,
                action=of_ben.action,
                category_after=of_ben.category_after,
                status_before="accepted",
                is_blind=True,
            )
    assert queries() == before
    assert before <= 20
