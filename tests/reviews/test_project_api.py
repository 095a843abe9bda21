"""The API of projects and members: who may do what, what comes out, and what must not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling import api_keys
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import decisions, members, queue
from reviews.decisions import Decision
from reviews.models import Action, Assignment, Reviewer

pytestmark = pytest.mark.django_db

JSON = "application/json"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_mia(mia: User) -> Client:
    return signed_in(mia)


def by_key(user: User, *scopes: str, projects: tuple[Project, ...] = ()) -> Client:
    ends = timezone.now() + timedelta(days=1)
    key = api_keys.create(user, name="script", scopes=scopes, projects=projects, expires_at=ends)
    return Client(headers={"Authorization": f"Bearer {key}"})


# --- Projects ---------------------------------------------------------------------------------------------------------


def test_a_project_is_made_with_its_categories(as_mia: Client, mia: User) -> None:
    body = {"name": "Mail", "threshold": 0.9, "categories": [{"name": "Spam", "examples": ["Win!"]}, {"name": "Ham"}]}
    made = as_mia.post("/api/projects", body, content_type=JSON)
    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["threshold"], made.json()["created_by"]) == ("Mail", 0.9, "mia")
    project = Project.objects.get(pk=made.json()["id"])
    assert [category.name for category in project.shown_categories()] == ["Spam", "Ham"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_projects_are_found_with_and_without_a_slash(as_mia: Client, project: Project, slash: str) -> None:
    listed = as_mia.get(f"/api/projects{slash}").json()["results"]
    assert [row["name"] for row in listed] == ["News", "Default"]
    assert as_mia.get(f"/api/projects/{project.pk}{slash}").json()["name"] == "News"


def test_a_project_is_changed_and_the_second_of_two_is_told(as_mia: Client, project: Project) -> None:
    address = f"/api/projects/{project.pk}"
    revision = as_mia.get(address).json()["revision"]
    first = as_mia.patch(address, {"threshold": 0.7, "revision": revision}, content_type=JSON)
    assert (first.status_code, first.json()["threshold"]) == (200, 0.7)
    second = as_mia.patch(address, {"instructions": "Read.", "revision": revision}, content_type=JSON)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert Project.objects.get(pk=project.pk).instructions == ""


def test_texts_that_need_fewer_reviews_now_are_settled(
    as_mia: Client, project: Project, anna: Reviewer, add_labeled: Callable[..., list[Text]]
) -> None:
    Project.objects.update(reviews_per_text=2)
    [text] = add_labeled(0.6)
    decisions.record(anna, text.pk, Decision(Action.APPROVE, label_id=text.current_label_id))
    as_mia.patch(f"/api/projects/{project.pk}", {"reviews_per_text": 1}, content_type=JSON)
    assert Text.objects.get().status == TextStatus.REVIEWED


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"threshold": 2}, "threshold"),
        ({"provider": "oracle"}, "provider"),
        ({"name": ""}, "name"),
        ({"label_when": "daily"}, "label_at"),
        ({"sampling": "luck"}, "sampling"),
    ],
)
def test_a_wrong_value_is_named(as_mia: Client, project: Project, body: dict[str, Any], field: str) -> None:
    said = as_mia.patch(f"/api/projects/{project.pk}", body, content_type=JSON)
    assert (said.status_code, list(said.json()["errors"])) == (400, [field])


def test_a_name_that_is_taken_is_a_conflict(as_mia: Client, project: Project) -> None:
    said = as_mia.post("/api/projects", {"name": "NEWS"}, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (409, "project_exists")


def test_an_archived_project_is_put_away_and_taken_up_again(as_mia: Client, project: Project) -> None:
    assert as_mia.post(f"/api/projects/{project.pk}/archive").json()["is_archived"] is True
    assert [row["name"] for row in as_mia.get("/api/projects?archived=true").json()["results"]] == ["News"]
    assert as_mia.post(f"/api/projects/{project.pk}/unarchive").json()["is_archived"] is False


def test_the_error_budget_of_a_project_is_found_beside_it(as_mia: Client, project: Project) -> None:
    assert as_mia.get(f"/api/projects/{project.pk}/budget").status_code == 200


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_a_reviewer_reads_the_projects_of_theirs_and_changes_none(anna: Reviewer, project: Project) -> None:
    client = signed_in(anna.user)
    assert [row["name"] for row in client.get("/api/projects").json()["results"]] == ["News"]
    assert client.get(f"/api/projects/{Project.objects.get(name='Default').pk}").status_code == 404
    assert client.patch(f"/api/projects/{project.pk}", {"threshold": 0.1}, content_type=JSON).status_code == 403
    assert client.post("/api/projects", {"name": "Mine"}, content_type=JSON).status_code == 403
    assert client.get(f"/api/projects/{project.pk}/members").status_code == 403


def test_a_stranger_sees_nothing(stranger: User, project: Project) -> None:
    assert signed_in(stranger).get("/api/projects").status_code == 403
    assert Client().get(f"/api/projects/{project.pk}").status_code == 401


def test_a_key_needs_its_scope(mia: User, project: Project) -> None:
    assert by_key(mia, "read").get("/api/projects").status_code == 200
    for scopes in (("read",), ("label", "review")):
        client = by_key(mia, *scopes)
        assert client.patch(f"/api/projects/{project.pk}", {"threshold": 0.1}, content_type=JSON).status_code == 403
    assert by_key(mia, "manage").post("/api/projects", {"name": "Mail"}, content_type=JSON).status_code == 201


def test_a_bound_key_sees_its_projects_and_makes_none(mia: User, project: Project) -> None:
    client = by_key(mia, "read", "manage", projects=(project,))
    assert [row["name"] for row in client.get("/api/projects").json()["results"]] == ["News"]
    said = client.post("/api/projects", {"name": "Mail"}, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (403, "key_is_bound")


# --- Members ----------------------------------------------------------------------------------------------------------


def test_members_are_listed_with_their_last_activity(
    as_mia: Client, project: Project, anna: Reviewer, add_labeled: Callable[..., list[Text]]
) -> None:
    [text] = add_labeled(0.6)
    review = decisions.record(anna, text.pk, Decision(Action.APPROVE, label_id=text.current_label_id))
    [row] = as_mia.get(f"/api/projects/{project.pk}/members").json()["results"]
    assert (row["user"], row["role"], row["is_active"]) == ("anna", "reviewer", True)
    assert row["last_active"] == review.created_at.isoformat().replace("+00:00", "Z")


def test_many_members_take_few_queries(
    as_mia: Client, project: Project, add_reviewer: Callable[[str], Reviewer], django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        add_reviewer(f"reviewer{number}")
    with django_assert_max_num_queries(15):
        as_mia.get(f"/api/projects/{project.pk}/members")


def test_somebody_with_an_account_is_added(as_mia: Client, project: Project, stranger: User) -> None:
    said = as_mia.post(f"/api/projects/{project.pk}/members", {"user": "stranger"}, content_type=JSON)
    assert (said.status_code, said.json()["link"]) == (201, None)
    listed = signed_in(stranger).get("/api/projects").json()["results"]
    assert [row["name"] for row in listed] == ["News"]


def test_a_new_person_chooses_a_password_by_a_link_that_works_once(as_mia: Client, project: Project) -> None:
    body = {"user": "maria", "is_new": True, "role": "manager"}
    said = as_mia.post(f"/api/projects/{project.pk}/members", body, content_type=JSON).json()
    assert said["role"] == "manager"
    path = said["link"].removeprefix("http://testserver")
    maria = Client()
    form = maria.get(path, follow=True)
    chosen = {"new_password1": "correct horse 7", "new_password2": "correct horse 7"}
    maria.post(form.request["PATH_INFO"], chosen)
    assert Client().login(username="maria", password="correct horse 7")
    assert b"new_password1" not in Client().get(path, follow=True).content


@pytest.mark.parametrize(("user", "is_new"), [("maria", True), ("stranger", False)])
def test_a_bound_key_makes_nobody_manager_of_all_projects(
    mia: User, project: Project, stranger: User, user: str, is_new: bool
) -> None:
    client = by_key(mia, "manage", projects=(project,))
    address, body = f"/api/projects/{project.pk}/members", {"user": user, "is_new": is_new}
    said = client.post(address, {**body, "role": "manager"}, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (403, "key_is_bound")
    assert [manager.username for manager in members.managers()] == ["mia"]
    assert client.post(address, body, content_type=JSON).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user": "nobody"}, 400, "invalid"),
        ({"user": "anna", "is_new": True}, 409, "wrong_member"),
        ({"user": "a b", "is_new": True}, 409, "wrong_member"),
        ({"user": "x", "role": "king"}, 400, "invalid"),
    ],
)
def test_who_cannot_be_added_is_told(
    as_mia: Client, project: Project, anna: Reviewer, body: dict[str, Any], status: int, code: str
) -> None:
    said = as_mia.post(f"/api/projects/{project.pk}/members", body, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (status, code)


def test_who_makes_no_accounts_invites_nobody(project: Project, stranger: User) -> None:
    stranger.user_permissions.add(*Permission.objects.filter(codename__in=["change_reviewer", "change_project"]))
    body = {"user": "maria", "is_new": True}
    said = signed_in(stranger).post(f"/api/projects/{project.pk}/members", body, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (403, "permission_denied")
    assert "You may not make accounts" in said.json()["detail"]
    assert not User.objects.filter(username="maria").exists()


def test_who_leaves_gives_the_texts_on_the_desk_back(
    as_mia: Client, project: Project, anna: Reviewer, add_labeled: Callable[..., list[Text]]
) -> None:
    add_labeled(0.6)
    queue.claim_next(anna, project)
    assert Assignment.objects.count() == 1
    assert as_mia.delete(f"/api/projects/{project.pk}/members/{anna.pk}").status_code == 204
    assert not Assignment.objects.exists()
    assert signed_in(anna.user).get("/api/projects").json()["results"] == []
    assert as_mia.delete(f"/api/projects/{project.pk}/members/{anna.pk}").status_code == 404


def test_lists_take_few_queries(as_mia: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    Project.objects.bulk_create(Project(name=f"Project {n}") for n in range(30))
    with django_assert_max_num_queries(15):
        as_mia.get("/api/projects")
