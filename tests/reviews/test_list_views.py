"""The list's pages: who may open them, what they do, and what they keep to themselves."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import get_template
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling import annotations
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import list_forms, listing
from reviews.decisions import Decision, record
from reviews.models import Action, Review, Reviewer

AddLabeled = Callable[..., list[Text]]
FORMS = ["preview", "apply", "undo"]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def list_client(anna: Reviewer) -> Client:
    return client_of(anna.user)


def page(client: Client, project: Project, query: str = "") -> Any:
    return client.get(f"/admin/review/{project.pk}/list/?{query}")


def post(client: Client, project: Project, form: str, **data: Any) -> Any:
    return client.post(f"/admin/review/{project.pk}/list/{form}/", data)


def chosen(*texts: Text) -> list[str]:
    return [f"{text.pk}:{text.current_label_id}" for text in texts]


def preview(client: Client, project: Project, *texts: Text, **more: Any) -> Any:
    data = {"action": "approve", "scope": "checked", "checked": chosen(*texts), **more}
    return post(client, project, "preview", **data)


def payload_of(answer: Any) -> str:
    found = re.search(r'name="payload" value="([^"]+)"', answer.content.decode())
    assert found
    return html.unescape(found[1])


def told(client: Client, answer: Any) -> str:
    """What the page says to which the answer leads."""
    assert answer.status_code == 302
    return str(client.get(answer["Location"]).content.decode())


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_the_anonymous_are_asked_to_sign_in(project: Project) -> None:
    address = f"/admin/review/{project.pk}/list/"
    answers = [page(Client(), project), *(post(Client(), project, form) for form in FORMS)]
    assert {answer.status_code for answer in answers} == {302}
    assert all(answer["Location"].startswith(f"/admin/login/?next={address}") for answer in answers)


def refused(client: Client, project: Project) -> bool:
    answers = [page(client, project), *(post(client, project, form) for form in FORMS)]
    return {answer.status_code for answer in answers} == {403}


def test_people_without_rights_are_refused(project: Project, stranger: User) -> None:
    assert refused(client_of(stranger), project)
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    assert refused(client_of(stranger), project)


def test_a_reviewer_of_another_project_is_refused(list_client: Client) -> None:
    assert refused(list_client, Project.objects.create(name="Other"))


def test_a_manager_who_does_not_review_is_refused(project: Project, manager: User) -> None:
    assert refused(client_of(manager), project)


def test_changes_need_post_and_the_csrf_token(list_client: Client, project: Project, anna: Reviewer) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna.user)
    for form in FORMS:
        assert list_client.get(f"/admin/review/{project.pk}/list/{form}/").status_code == 405
        assert post(strict, project, form).status_code == 403


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_texts_with_what_the_model_said(
    list_client: Client, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.55)
    Text.objects.filter(pk=text.pk).update(source="mail.csv")
    body = page(list_client, project).content.decode()
    for part in (text.content, "Sports", "55 %", "mail.csv", f'value="{text.pk}:{text.current_label_id}"'):
        assert part in body


def test_blind_texts_are_never_in_the_page(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    add_labeled(0.3, audit=True)
    [gold] = add_labeled(0.4)
    Text.objects.filter(pk=gold.pk).update(is_gold=True)
    for query in ("", "order=sure", "max_confidence=0.5", "words=Match"):
        assert "Match number" not in page(list_client, project, query).content.decode()
    answer = post(list_client, project, "preview", action="approve", scope="matching")
    assert "can be decided any more" in told(list_client, answer)


def test_what_people_wrote_stays_text(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    short, long = add_labeled(0.5, 0.6)
    Text.objects.filter(pk=short.pk).update(content=EVIL, source=EVIL, language='"><img>')
    Text.objects.filter(pk=long.pk).update(content=EVIL * 20)
    project.categories.filter(name="Sports").update(name=EVIL, color='"><img>')
    Project.objects.filter(pk=project.pk).update(name=EVIL)
    pages = [
        page(list_client, project),
        page(list_client, project, "words=<img src=x"),
        preview(list_client, project, short, long, comment=EVIL),
    ]
    for answer in pages:
        body = answer.content.decode()
        assert "<script>alert" not in body
        assert "<img" not in body
        assert "&lt;img src=x" in body


def test_the_next_page_goes_on_where_this_one_ends(
    list_client: Client, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.3] * 32)
    seen, address = [], f"/admin/review/{project.pk}/list/?size=10&words=Match"
    while address:
        body = list_client.get(address).content.decode()
        seen += re.findall(r'name="checked" value="(\d+):', body)
        found = re.search(r'rel="next" href="([^"]+)"', body)
        address = html.unescape(found[1]) if found else ""
    assert len(seen) == len(set(seen)) == 32


@pytest.mark.parametrize(
    "query",
    [
        "size=11",
        "order=worst",
        "after=x",
        "after=nan:1",
        "after=1:0",
        "screen=9",
        f"category_id={10**30}",
        "batch=1",
        "only_audit=on&category_id=1",
        "only_audit=on&min_confidence=high",
    ],
)
def test_wrong_addresses_are_explained(
    list_client: Client, project: Project, add_labeled: AddLabeled, query: str
) -> None:
    add_labeled(0.5)
    answer = page(list_client, project, query)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_list_and_desk_share_their_filters(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    add_labeled(0.5)
    body = page(list_client, project, "words=Match&min_confidence=0.2&size=10").content.decode()
    assert f'href="/admin/review/{project.pk}/?min_confidence=0.2&amp;words=Match"' in body


@pytest.mark.parametrize("name", ["list.html", "list_preview.html"])
def test_a_content_security_policy_may_forbid_inline_code(name: str) -> None:
    source = get_template(f"reviews/{name}").template.source
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)", source)


def test_a_long_list_asks_no_more_questions(
    list_client: Client,
    project: Project,
    add_labeled: AddLabeled,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    add_labeled(*[0.5] * 120)
    with django_assert_max_num_queries(16):
        page(list_client, project, "size=100")
    with django_assert_max_num_queries(14):
        post(list_client, project, "preview", action="approve", scope="matching")


# --- The preview ------------------------------------------------------------------------------------------------------


def test_the_preview_says_what_would_change_and_changes_nothing(
    list_client: Client, project: Project, add_labeled: AddLabeled
) -> None:
    texts = add_labeled(0.4, 0.6)
    weather = project.categories.get(name="Weather").pk
    body = preview(list_client, project, *texts, action="relabel", category=weather).content.decode()
    assert re.search(r"Sports</span> → <strong[^>]*>Weather</strong>: 2", body)
    assert "50 % on average, 40 % at the lowest" in body
    assert not Review.objects.exists()
    assert set(Text.objects.values_list("status", flat=True)) == {TextStatus.NEEDS_REVIEW}


def test_all_that_match_can_be_previewed(
    list_client: Client, project: Project, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_TEXTS", 2)
    add_labeled(0.2, 0.4, 0.6, 0.7)
    data = {"action": "approve", "scope": "matching", "query": "min_confidence=0.3"}
    body = post(list_client, project, "preview", **data).content.decode()
    assert "the first 2 of 3 that match" in body


def test_all_on_the_page_need_no_script(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    texts = add_labeled(0.2, 0.4)
    answer = post(list_client, project, "preview", action="approve", scope="page", shown=chosen(*texts))
    assert "Approve 2 texts?" in answer.content.decode()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"checked": []}, "Select at least one text."),
        ({"checked": ["one:two"]}, "no texts of the list"),
        ({"checked": [f"{10**30}:1"]}, "no texts of the list"),
        ({"action": "relabel"}, "Choose the category"),
        ({"action": "relabel", "category": 10**6}, "Select a valid choice"),
        ({"scope": "everything"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_wrong_wishes_are_explained(
    list_client: Client, project: Project, add_labeled: AddLabeled, wrong: dict[str, Any], message: str
) -> None:
    texts = add_labeled(0.5)
    answer = preview(list_client, project, *texts, **wrong)
    assert message in told(list_client, answer)


# --- The batch --------------------------------------------------------------------------------------------------------


def test_a_batch_is_decided_and_undone(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    texts = add_labeled(0.4, 0.6)
    answer = preview(list_client, project, *texts, comment="looked through", query="size=10&words=Match")
    done = post(list_client, project, "apply", payload=payload_of(answer))
    assert done["Location"].startswith(f"/admin/review/{project.pk}/list/?words=Match&size=10&batch=")
    body = told(list_client, done)
    assert "2 texts decided." in body
    assert "Your last batch: 2 decisions." in body
    assert set(Review.objects.values_list("action", "comment")) == {("approve", "looked through")}

    batch = Review.objects.order_by("pk")[0].batch
    undone = post(list_client, project, "undo", batch=batch, query="size=10")
    assert undone["Location"] == f"/admin/review/{project.pk}/list/?size=10"
    assert "2 texts undone." in told(list_client, undone)
    assert set(Text.objects.values_list("status", flat=True)) == {TextStatus.NEEDS_REVIEW}


def test_a_batch_sent_twice_is_decided_once(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4, 0.6)))
    bodies = [told(list_client, post(list_client, project, "apply", payload=payload)) for _ in range(2)]
    assert all("2 texts decided." in body for body in bodies)
    assert Review.objects.count() == 2


def test_a_batch_that_was_undone_is_not_decided_by_the_same_preview(
    list_client: Client, project: Project, add_labeled: AddLabeled
) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4)))
    post(list_client, project, "apply", payload=payload)
    post(list_client, project, "undo", batch=Review.objects.get().batch)
    body = told(list_client, post(list_client, project, "apply", payload=payload))
    assert "decided and undone before" in body
    assert Review.objects.effective().count() == 0


def test_a_batch_gives_another_category(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    weather = project.categories.get(name="Weather")
    answer = preview(list_client, project, *add_labeled(0.4), action="relabel", category=weather.pk)
    post(list_client, project, "apply", payload=payload_of(answer))
    assert Text.objects.get().current_label.category == weather


def test_texts_decided_or_labeled_anew_since_the_preview_are_left_out_and_counted(
    list_client: Client, project: Project, ben: Reviewer, manager: User, add_labeled: AddLabeled
) -> None:
    kept, decided, replaced, drawn = add_labeled(0.4, 0.4, 0.4, 0.4)
    payload = payload_of(preview(list_client, project, kept, decided, replaced, drawn))
    record(ben, decided.pk, Decision(Action.APPROVE, decided.current_label_id))
    newer = annotations.record_human_label(replaced, project.categories.get(name="Weather"), annotator=manager)
    Text.objects.filter(pk=replaced.pk).update(current_label=newer)
    Text.objects.filter(pk=drawn.pk).update(is_audit=True)
    body = told(list_client, post(list_client, project, "apply", payload=payload))
    assert "1 text decided, 3 left out because others had them or their labels were replaced meanwhile." in body


def test_a_category_retired_since_the_preview_stops_the_batch(
    list_client: Client, project: Project, add_labeled: AddLabeled
) -> None:
    weather = project.categories.get(name="Weather")
    answer = preview(list_client, project, *add_labeled(0.4), action="relabel", category=weather.pk)
    project.categories.filter(pk=weather.pk).update(is_active=False)
    body = told(list_client, post(list_client, project, "apply", payload=payload_of(answer)))
    assert "not an active category" in body
    assert not Review.objects.exists()


def test_a_changed_preview_is_refused(list_client: Client, project: Project, add_labeled: AddLabeled) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4)))
    for wrong in ("", "nonsense", f"x{payload}", payload[:-1]):
        body = told(list_client, post(list_client, project, "apply", payload=wrong))
        assert "changed on its way" in body
    assert not Review.objects.exists()


def test_somebody_elses_preview_is_refused(
    list_client: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4)))
    theirs = client_of(ben.user)
    assert "not yours" in told(theirs, post(theirs, project, "apply", payload=payload))
    assert not Review.objects.exists()


def test_an_old_preview_is_refused(
    list_client: Client, project: Project, add_labeled: AddLabeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4)))
    monkeypatch.setattr(list_forms, "VALID_SECONDS", -1)
    body = told(list_client, post(list_client, project, "apply", payload=payload))
    assert "more than a day old" in body


def test_somebody_elses_batch_is_neither_shown_nor_undone(
    list_client: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    payload = payload_of(preview(list_client, project, *add_labeled(0.4)))
    post(list_client, project, "apply", payload=payload)
    batch, theirs = Review.objects.get().batch, client_of(ben.user)
    assert "Your last batch" not in page(theirs, project, f"batch={batch}").content.decode()
    assert "no such batch of yours" in told(theirs, post(theirs, project, "undo", batch=batch))
    assert "no such batch of yours" in told(theirs, post(theirs, project, "undo", batch="nonsense"))
    assert Review.objects.effective().count() == 1


def test_where_several_decide_a_batch_is_each_persons_own(
    list_client: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    [text] = add_labeled(0.4)
    for client in (list_client, client_of(ben.user)):
        post(client, project, "apply", payload=payload_of(preview(client, project, text)))
    text.refresh_from_db()
    assert (Review.objects.count(), text.status) == (2, TextStatus.REVIEWED)
