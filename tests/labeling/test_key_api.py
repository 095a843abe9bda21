"""The API of a person's own keys."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from labeling import api_keys
from labeling.models import ApiKey, IdempotentRequest, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def create(client: Client, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
    wanted = {"name": "program", "scopes": ["read"], **body}
    return client.post("/api/keys", wanted, content_type="application/json", headers=headers)


def by_key(user: User, *scopes: str, **more: Any) -> Client:
    key = api_keys.create(user, name="parent", scopes=scopes, **more)
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_a_new_key_works_and_is_shown_once(api: Client, mia: User) -> None:
    made = create(api)
    key = made.json()["key"]
    assert (made.status_code, made.json()["prefix"], made.json()["is_usable"]) == (201, key[:8], True)
    assert Client().get("/api/runs", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert "key" not in api.get(f"/api/keys/{made.json()['id']}").json()


def test_a_key_is_not_kept_for_who_sends_the_request_again(api: Client) -> None:
    first, second = (create(api, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert second.json() == first.json() | {"key": None}
    assert ApiKey.objects.count() == 1
    assert first.json()["key"].encode() not in bytes(IdempotentRequest.objects.get().body)


def test_a_key_is_bound_to_projects(api: Client, project: Project) -> None:
    made = create(api, projects=["news"]).json()
    assert (made["is_bound"], made["projects"]) == (True, ["News"])
    assert create(api, projects=["Olds"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["fly"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_what_cannot_be_is_refused(api: Client, body: dict[str, Any], field: str) -> None:
    answer = create(api, **body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_key_is_revoked(api: Client, mia: User) -> None:
    program = by_key(mia, "read")
    pk = ApiKey.objects.get().pk
    assert api.post(f"/api/keys/{pk}/revoke").json()["is_usable"] is False
    assert program.get("/api/runs").status_code == 401


def test_nobody_sees_or_ends_the_keys_of_others(api: Client, manager: User) -> None:
    by_key(manager, "read")
    pk = ApiKey.objects.get().pk
    assert api.get("/api/keys").json()["results"] == []
    assert api.post(f"/api/keys/{pk}/revoke").status_code == 404


@pytest.mark.parametrize(
    ("parent", "body"),
    [
        ({"scopes": ["manage"]}, {"scopes": ["manage", "label"]}),
        ({"scopes": ["manage"], "bound": True}, {"scopes": ["manage"]}),
        ({"scopes": ["manage"], "ends": True}, {"scopes": ["manage"]}),
    ],
    ids=["more scopes", "more projects", "for longer"],
)
def test_a_key_makes_none_that_may_do_more(
    mia: User, project: Project, parent: dict[str, Any], body: dict[str, Any]
) -> None:
    end = timezone.now() + timedelta(days=1) if "ends" in parent else None
    program = by_key(mia, *parent["scopes"], projects=[project] if "bound" in parent else [], expires_at=end)
    answer = create(program, **body)
    assert (answer.status_code, answer.json()["code"]) == (403, "more_than_this_key")
    assert ApiKey.objects.count() == 1


def test_a_bound_key_makes_one_for_its_projects_only(mia: User, project: Project) -> None:
    Project.objects.create(name="Mail")
    program = by_key(mia, "manage", projects=[project])
    assert create(program, scopes=["manage"], projects=["Mail"]).status_code == 404
    assert create(program, scopes=["manage"], projects=["News"]).status_code == 201


def test_keys_are_listed_by_whether_they_work(api: Client, mia: User) -> None:
    for name in ("old", "new"):
        api_keys.create(mia, name=name, scopes=["read"])
    api_keys.revoke([ApiKey.objects.get(name="old").pk])
    found = {
        flag: [row["name"] for row in api.get("/api/keys", {"is_usable": flag}).json()["results"]]
        for flag in ("true", "false")
    }
    assert found == {"true": ["new"], "false": ["old"]}
