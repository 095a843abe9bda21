"""The desk's addresses: who may, what they answer, and what they keep to themselves."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import get_template
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import queue
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer

AddLabeled = Callable[..., list[Text]]
VERBS = ["next", "decide", "undo", "keep", "leave"]


def post(client: Client, project: Project, verb: str, **data: Any) -> Any:
    return client.post(f"/admin/review/{project.pk}/{verb}/", json.dumps(data), content_type="application/json")


def page(client: Client, project: Project) -> Any:
    return client.get(f"/admin/review/{project.pk}/")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(anna: Reviewer) -> Client:
    return client_of(anna.user)


def decision(text: Text, action: str = "approve", **more: Any) -> dict[str, Any]:
    return {"text_id": text.pk, "action": action, "label_id": text.current_label_id, "idempotency_key": "k", **more}


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/admin/review/", "/admin/review/1/"])
def test_the_anonymous_are_asked_to_sign_in(db: None, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/?next=/admin/review/")


@pytest.mark.parametrize("verb", VERBS)
def test_the_anonymous_change_nothing(project: Project, verb: str) -> None:
    answer = post(Client(), project, verb)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


def test_a_manager_without_a_desk_is_told_how_to_get_one(project: Project, client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    answer = page(client, project)
    assert answer.status_code == 403
    assert "Add yourself on its page &quot;Members&quot;." in answer.content.decode()


def test_staff_without_rights_are_refused(project: Project, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    client = client_of(stranger)
    assert client.get("/admin/review/").status_code == 403
    assert page(client, project).status_code == 403
    assert {post(client, project, verb).status_code for verb in VERBS} == {403}


def test_a_reviewer_of_another_project_is_refused(desk: Client) -> None:
    other = Project.objects.create(name="Other")
    assert page(desk, other).status_code == 403
    assert {post(desk, other, verb).status_code for verb in VERBS} == {403}


def test_who_reviews_for_an_archived_project_is_told_that_it_is_archived(
    desk: Client, project: Project, ben: Reviewer
) -> None:
    Project.objects.filter(pk=project.pk).update(is_archived=True)
    answer = post(desk, project, "decide")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert answer.json()["message"] == "The project News is archived. Bring it back on its page, then review."
    assert "The project News is archived." in page(desk, project).content.decode()
    ben.projects.clear()
    assert "archived" not in page(client_of(ben.user), project).content.decode()


def test_a_reviewer_who_was_made_inactive_is_refused(desk: Client, project: Project, anna: Reviewer) -> None:
    Reviewer.objects.filter(pk=anna.pk).update(is_active=False)
    assert page(desk, project).status_code == 403


def test_a_reviewer_who_is_no_longer_staff_is_refused(desk: Client, project: Project, anna: Reviewer) -> None:
    User.objects.filter(pk=anna.user_id).update(is_staff=False)
    assert page(desk, project).status_code == 403
    assert post(desk, project, "next").status_code == 403


def test_verbs_need_post_and_the_csrf_token(desk: Client, project: Project, anna: Reviewer) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna.user)
    for verb in VERBS:
        assert desk.get(f"/admin/review/{project.pk}/{verb}/").status_code == 405
        assert post(strict, project, verb).status_code == 403


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_the_only_project_is_opened_at_once(desk: Client, project: Project) -> None:
    assert desk.get("/admin/review/")["Location"] == f"/admin/review/{project.pk}/"


def test_projects_are_listed_with_what_waits(
    desk: Client, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    anna.projects.add(Project.objects.create(name="Mail"))
    body = desk.get("/admin/review/").content.decode()
    assert "Mail" in body
    assert "2 waiting" in body


def test_a_reviewer_without_projects_is_told_what_to_do(desk: Client, anna: Reviewer) -> None:
    anna.projects.clear()
    assert "Ask a manager" in desk.get("/admin/review/").content.decode()


def test_the_menu_leads_to_the_desk_for_reviewers_only(desk: Client, project: Project, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    assert b'href="/review/"' in desk.get("/", follow=True).content
    assert b'href="/review/"' not in client_of(stranger).get("/", follow=True).content


@pytest.mark.parametrize("name", ["desk.html", "projects.html"])
def test_a_content_security_policy_may_forbid_inline_code(name: str) -> None:
    source = get_template(f"reviews/{name}").template.source
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)", source)


def test_names_and_instructions_cannot_break_out_of_the_page(
    desk: Client, project: Project, add_labeled: AddLabeled
) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    project.categories.filter(name="Sports").update(name=evil, description=evil)
    Project.objects.filter(pk=project.pk).update(name=evil, instructions=evil)
    body = page(desk, project).content.decode()
    assert "<img src=x" not in body
    assert "&lt;img src=x" in body


def test_the_page_asks_few_questions(
    desk: Client, project: Project, add_labeled: AddLabeled, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_labeled(*[0.5] * 12)
    with django_assert_max_num_queries(17):
        page(desk, project)


# --- Next -------------------------------------------------------------------------------------------------------------


def test_next_gives_the_text_with_what_the_model_said(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.55)
    got = post(desk, project, "next").json()["text"]
    assert (got["id"], got["content"], got["is_blind"], got["reason"]) == (text.pk, text.content, False, "uncertain")
    assert got["label"]["confidence"] == 0.55
    assert got["label"]["evidence"] == [[0, 5, 1.0]]
    assert [row["category"] for row in got["history"]] == ["Sports"]


def test_the_next_is_fetched_ahead(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    first, second = add_labeled(0.5, 0.6)
    got = post(desk, project, "next", besides=[]).json()["text"]["id"]
    ahead = post(desk, project, "next", besides=[got]).json()["text"]["id"]
    assert {got, ahead} == {first.pk, second.pk}
    assert Assignment.objects.count() == 2


def test_next_says_why_there_is_nothing(desk: Client, project: Project) -> None:
    got = post(desk, project, "next").json()
    left = {"waiting": 0, "waiting_is_capped": False}
    assert got == {"text": None, "nothing": {"reason": "finished", "message": "Everything is decided.", "left": left}}


def test_next_heeds_filters_and_refuses_wrong_ones(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    add_labeled(0.5)
    assert post(desk, project, "next", filters={"words": "unheard"}).json()["nothing"]["reason"] == "filtered_out"
    assert post(desk, project, "next", filters={"min_confidence": "high"}).status_code == 400


@pytest.mark.parametrize("also", [{"category_id": "1"}, {"min_confidence": "0"}, {"run_id": "1"}])
def test_the_audit_is_not_narrowed_by_what_would_reveal_the_label(
    desk: Client, project: Project, add_labeled: AddLabeled, also: dict[str, str]
) -> None:
    add_labeled(0.5, audit=True)
    answer = post(desk, project, "next", filters={"only_audit": "on", **also})
    assert answer.status_code == 400
    assert "Choose one of the two." in answer.json()["message"]


def test_a_blind_text_comes_without_any_answer(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.123456, audit=True)
    raw = post(desk, project, "next")
    assert raw.json()["text"]["is_blind"] is True
    body = raw.content.decode()
    for leak in ("label", "history", "confidence", "scores", "explanation", "evidence", "0.12", "Sports"):
        assert leak not in body, leak


def test_a_long_history_costs_no_more_questions(
    desk: Client, project: Project, add_labeled: AddLabeled, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    [text] = add_labeled(0.5)
    for n in range(6):
        post(desk, project, "decide", **decision(text, idempotency_key=f"k{n}"))
        post(desk, project, "undo")
    queue.release(Reviewer.objects.get())
    with django_assert_max_num_queries(26):
        assert len(post(desk, project, "next").json()["text"]["history"]) == 13


def test_other_peoples_decisions_are_hidden_where_several_decide(
    desk: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    [text] = add_labeled(0.5)
    weather = project.categories.get(name="Weather").pk
    record(ben, text.pk, Decision(Action.REJECT, text.current_label_id, weather, comment="rain"))
    body = post(desk, project, "next").content.decode()
    assert "Weather" not in body
    assert "rain" not in body


# --- Decide and undo --------------------------------------------------------------------------------------------------


def test_a_decision_is_recorded_and_answered_with_the_progress(
    desk: Client, project: Project, add_labeled: AddLabeled
) -> None:
    text, _ = add_labeled(0.5, 0.6)
    got = post(desk, project, "decide", **decision(text, comment="<b>clear</b>", seconds_spent=2.5)).json()
    review = Review.objects.get(pk=got["review"])
    assert (review.comment, review.seconds_spent) == ("<b>clear</b>", 2.5)
    assert got["progress"]["decided_today"] == 1
    assert [row["id"] for row in got["decisions"]] == [review.pk]


def test_a_decision_brings_the_next_text_when_asked(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    text, other = sorted(add_labeled(0.5, 0.6), key=lambda text: text.priority, reverse=True)
    sent = decision(text) | {"next": {"besides": [text.pk], "filters": {}}}
    assert post(desk, project, "decide", **sent).json()["text"]["id"] == other.pk


def test_a_decision_says_when_there_is_no_next_text(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    got = post(desk, project, "decide", **decision(text), next={}).json()
    assert (got["text"], got["nothing"]["reason"]) == (None, "finished")


def test_the_page_is_told_how_much_is_left(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    add_labeled(0.5, 0.6)
    got = post(desk, project, "keep", text_ids=[]).json()
    assert (got["waiting"], got["waiting_is_capped"]) == (2, False)


def test_a_decision_sent_again_changes_nothing(desk: Client, project: Project, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    answers = [post(desk, project, "decide", **decision(text)).json()["review"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert Review.objects.count() == 1


def test_a_conflict_says_who_was_first(desk: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    record(ben, text.pk, Decision(Action.REJECT, text.current_label_id, project.categories.get(name="Weather").pk))
    answer = post(desk, project, "decide", **decision(text))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")
    assert (answer.json()["other"]["reviewer"], answer.json()["other"]["category"]) == ("ben", "Weather")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "undo"},
        {"action": "reject"},
        {"confidence": 1.5},
        {"text_id": 10**6},
        {"text_id": "one"},
        {"idempotency_key": ""},
        {"category_id": 10**6},
    ],
    ids=str,
)
def test_wrong_decisions_are_explained(
    desk: Client, project: Project, add_labeled: AddLabeled, wrong: dict[str, Any]
) -> None:
    [text] = add_labeled(0.5)
    answer = post(desk, project, "decide", **decision(text) | wrong)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert not Review.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"text"'])
def test_what_is_not_an_object_is_refused(desk: Client, project: Project, body: str) -> None:
    address = f"/admin/review/{project.pk}/decide/"
    assert desk.post(address, body, content_type="application/json").status_code == 400


def test_a_text_of_another_project_cannot_be_decided_here(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    other = Project.objects.create(name="Other")
    anna.projects.add(other)
    assert post(desk, other, "decide", **decision(text)).status_code == 400


def test_undo_brings_the_text_back_as_it_lay_there(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5, audit=True)
    Project.objects.filter(pk=project.pk).update(audit_share=0.2)
    claim = queue.claim_next(anna, project)
    sports = project.categories.get(name="Sports").pk
    post(desk, project, "decide", **decision(text, "decide", label_id=None, category_id=sports))
    got = post(desk, project, "undo").json()
    assert got["text"]["id"] == text.pk
    assert "label" not in got["text"]
    again = Assignment.objects.get()
    assert isinstance(claim, Assignment)
    assert (again.reason, again.selection_probability) == (QueueReason.AUDIT, claim.selection_probability)
    assert got["decisions"] == []


def test_undo_gives_back_ones_own_comment_also_of_a_blind_text_and_no_answer(
    desk: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5, audit=True)
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    sports = project.categories.get(name="Sports").pk
    record(ben, text.pk, Decision(Action.DECIDE, None, sports, comment="his"))
    sent = decision(text, "decide", label_id=None, category_id=sports, comment="hers")
    assert post(desk, project, "decide", **sent).status_code == 200
    got = post(desk, project, "undo").json()
    assert got["comment"] == "hers"
    assert got.keys() == {"review", "text", "comment", "progress", "decisions"}
    assert "label" not in got["text"] and "history" not in got["text"]


def test_undo_goes_back_beyond_the_decisions_that_are_shown(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    for text in add_labeled(*[0.5] * 10):
        record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    answers = [post(desk, project, "undo") for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(answers[7].json()["decisions"]) == 2
    assert not Review.objects.effective().exists()


def test_a_decision_that_is_named_is_undone_however_old_it_is(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    first, *others = add_labeled(*[0.5] * 20)
    oldest = record(anna, first.pk, Decision(Action.APPROVE, first.current_label_id))
    for text in others:
        record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    again = post(desk, project, "decide", **decision(first))
    assert (again.status_code, again.json()["mine"]) == (409, oldest.pk)
    answer = post(desk, project, "undo", review_id=oldest.pk)
    assert (answer.status_code, answer.json()["text"]["id"]) == (200, first.pk)


def test_a_decision_in_another_project_is_not_undone_here(
    desk: Client, project: Project, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    made = record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    other = Project.objects.create(name="Other")
    anna.projects.add(other)
    assert post(desk, other, "undo", review_id=made.pk).json()["code"] == "nothing_to_undo"
    assert Review.objects.get() == made


def test_undo_of_a_skipped_text_that_went_to_another_desk_leaves_it_there(
    desk: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    post(desk, project, "decide", **decision(text, "skip", label_id=None))
    queue.claim_next(ben, project)
    assert post(desk, project, "undo").json()["text"] is None
    assert Assignment.objects.get().reviewer == ben


def test_only_ones_own_decisions_can_be_undone(
    desk: Client, project: Project, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    theirs = record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    answer = post(desk, project, "undo", review_id=theirs.pk)
    assert (answer.status_code, answer.json()["code"]) == (400, "nothing_to_undo")
    text.refresh_from_db()
    assert text.status == TextStatus.REVIEWED


# --- Keep and leave ---------------------------------------------------------------------------------------------------


def test_keep_extends_claims_and_tells_what_others_decided(
    desk: Client, project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    texts = add_labeled(0.5, 0.6)
    claim = queue.claim_next(anna, project)
    assert isinstance(claim, Assignment)
    other = next(text for text in texts if text.pk != claim.text_id)
    record(ben, other.pk, Decision(Action.APPROVE, other.current_label_id))
    [told] = post(desk, project, "keep", text_ids=[text.pk for text in texts], extend=True).json()["decided"]
    assert (told["text_id"], told["reviewer"], told["category"]) == (other.pk, "ben", "Sports")
    assert Assignment.objects.get().expires_at > claim.expires_at


def test_leaving_by_a_form_releases_only_ones_own_claims(
    desk: Client, project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    texts = add_labeled(0.5, 0.6)
    queue.claim_next(anna, project)
    queue.claim_next(ben, project)
    data = {"data": json.dumps({"text_ids": [text.pk for text in texts]})}
    assert desk.post(f"/admin/review/{project.pk}/leave/", data).json() == {"released": 1}
    assert Assignment.objects.get().reviewer == ben


def test_a_late_farewell_does_not_take_what_the_next_page_claimed(
    desk: Client, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    old = post(desk, project, "next").json()["text"]["claimed_at"]
    farewell = {"text_ids": [text.pk], "claimed_until": old}
    assert post(desk, project, "leave", **farewell).json() == {"released": 1}
    post(desk, project, "next")
    assert post(desk, project, "leave", **farewell).json() == {"released": 0}
