"""API keys in the admin: made for oneself, shown once, revoked."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import api_keys
from labeling.models import ApiKey, Project

pytestmark = pytest.mark.django_db

ADD = "/admin/labeling/apikey/add/"


@pytest.fixture
def desk(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def make(desk: Client, **values: Any) -> Any:
    return desk.post(ADD, {"name": "Nightly import", "scopes": ["read", "label"], **values})


def test_a_manager_makes_a_key_and_sees_it_once(desk: Client, mia: User) -> None:
    answer = make(desk)
    [key] = re.findall(r'value="([0-9a-f]{64})"', answer.content.decode())
    made = api_keys.authenticate(key)
    assert made is not None
    assert (made.user, made.name, made.scopes, made.is_bound) == (mia, "Nightly import", ["read", "label"], False)
    assert "no-store" in answer["Cache-Control"]
    for page in ("/admin/labeling/apikey/", f"/admin/labeling/apikey/{made.pk}/change/"):
        assert key not in desk.get(page).content.decode()


def test_a_key_is_bound_to_the_projects_that_were_chosen(desk: Client, project: Project) -> None:
    make(desk, projects=[project.pk])
    made = ApiKey.objects.get()
    assert (made.is_bound, list(made.projects.all())) == (True, [project])
    assert "News" in desk.get(f"/admin/labeling/apikey/{made.pk}/change/").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"name": ""}, {"expires_at_0": "2020-01-01", "expires_at_1": "10:00:00"}]
)
def test_what_cannot_be_is_told_in_the_form(desk: Client, wrong: dict[str, Any]) -> None:
    answer = make(desk, **wrong)
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode() or "Please correct the error" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_who_may_not_make_keys_gets_no_form(client: Client) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(ADD).status_code == 403
    assert make(client).status_code == 403


def test_keys_are_revoked_from_the_list(desk: Client, mia: User) -> None:
    api_keys.create(mia, name="old", scopes=["read"])
    key = ApiKey.objects.get()
    desk.post("/admin/labeling/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at is not None
