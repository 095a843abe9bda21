"""The page of near-duplicates: who may open it, what it shows, and the way to a batch and back."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.models import Project, Text
from reviews.models import Review, Reviewer

AddLabeled = Callable[..., list[Text]]
EVIL = "<script>alert(1)</script>"
SAME = "your order has been sent to the address that you gave us"


@pytest.fixture
def alike(add_labeled: AddLabeled) -> list[Text]:
    texts = add_labeled(*[0.4] * 7)
    for text in texts:
        Text.objects.filter(pk=text.pk).update(content=f"{SAME} {EVIL} number{text.pk}")
    return texts


@pytest.fixture
def desk(anna: Reviewer) -> Client:
    client = Client()
    client.force_login(anna.user)
    return client


def address(project: Project, query: str = "") -> str:
    return f"/admin/review/{project.pk}/near-duplicates/?{query}"


def post(client: Client, project: Project, form: str, **data: Any) -> Any:
    return client.post(f"/admin/review/{project.pk}/list/{form}/", {"page": "near_duplicates", **data})


def preview(client: Client, project: Project, texts: list[Text], **data: Any) -> Any:
    checked = [f"{text.pk}:{text.current_label_id}" for text in texts]
    sent = {"query": "by=words&number=0", "scope": "checked", "action": "approve", "checked": checked, **data}
    return post(client, project, "preview", **sent)


def apply(client: Client, project: Project, previewed: Any) -> Any:
    found = re.search(r'name="payload" value="([^"]+)"', previewed.content.decode())
    assert found
    return post(client, project, "apply", payload=html.unescape(found[1]))


def test_a_group_is_shown_with_its_texts_and_labels(desk: Client, project: Project, alike: list[Text]) -> None:
    page = desk.get(address(project)).content.decode()
    assert "Group 1: 7 texts" in page and "2 more, all selected" in page
    assert page.count('name="checked"') == 7
    assert re.search(r'<option value="\d+" selected>Sports</option>', page)


def test_what_a_text_says_stays_text(desk: Client, project: Project, alike: list[Text]) -> None:
    page = desk.get(address(project)).content.decode()
    assert EVIL not in page and html.escape(EVIL) in page


def test_one_category_for_the_group_after_a_preview(desk: Client, project: Project, alike: list[Text]) -> None:
    weather = project.categories.get(name="Weather").pk
    previewed = preview(desk, project, alike, action="relabel", category=weather)
    assert "Give 7 texts the category" in previewed.content.decode()
    assert f'href="{html.escape(address(project, "by=words"))}"' in previewed.content.decode()
    assert not Review.objects.exists()
    answer = apply(desk, project, previewed)
    assert answer["Location"].startswith(address(project, "by=words&batch="))
    assert set(Text.objects.values_list("current_label__category__name", "status")) == {("Weather", "reviewed")}


def test_what_is_left_of_the_group_is_not_decided(desk: Client, project: Project, alike: list[Text]) -> None:
    apply(desk, project, preview(desk, project, alike[:3]))
    assert Text.objects.filter(status="reviewed").count() == 3


def test_the_batch_is_undone_with_one_click(desk: Client, project: Project, alike: list[Text]) -> None:
    answer = apply(desk, project, preview(desk, project, alike))
    page = desk.get(answer["Location"]).content.decode()
    assert "Your last batch: 7 decisions." in page
    batch = Review.objects.first().batch
    answer = post(desk, project, "undo", batch=batch, query="by=words")
    assert answer["Location"] == address(project, "by=words")
    assert Text.objects.filter(status="needs_review").count() == 7
    assert "7 texts undone." in desk.get(answer["Location"]).content.decode()


def test_a_text_drawn_for_the_audit_meanwhile_is_left_out(desk: Client, project: Project, alike: list[Text]) -> None:
    previewed = preview(desk, project, alike)
    Text.objects.filter(pk=alike[0].pk).update(is_audit=True)
    apply(desk, project, previewed)
    assert Text.objects.get(pk=alike[0].pk).status == "needs_review"


@pytest.mark.parametrize("query", ["by=nonsense", "number=-1", "number=99999999999", "batch=x"])
def test_a_wrong_address_shows_the_first_groups(desk: Client, project: Project, alike: list[Text], query: str) -> None:
    assert "Group 1" in desk.get(address(project, query)).content.decode()


def test_a_forged_place_leads_nowhere_else(desk: Client, project: Project, alike: list[Text]) -> None:
    answer = preview(desk, project, [], query="https://evil.example/?by=words")
    assert answer["Location"] == address(project, "by=words")


def test_nothing_alike_is_said(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    assert "No text could be compared" in desk.get(address(project)).content.decode()
    add_labeled(0.4)
    assert "None of the texts compared" in desk.get(address(project)).content.decode()


def test_the_page_is_for_the_projects_reviewers(
    project: Project, anna: Reviewer, stranger: User, manager: User
) -> None:
    answer = Client().get(address(project))
    assert answer.status_code == 302 and "/login/" in answer["Location"]
    for user, expected in ((anna.user, 200), (stranger, 403), (manager, 403)):
        client = Client()
        client.force_login(user)
        assert client.get(address(project)).status_code == expected
    anna.projects.clear()
    client = Client()
    client.force_login(anna.user)
    assert client.get(address(project)).status_code == 403


def test_the_page_is_only_read(desk: Client, project: Project) -> None:
    assert desk.post(address(project)).status_code == 405
