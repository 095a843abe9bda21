"""Keys of one's own: what may be changed, and what is refused."""

import json
from typing import Any

import pytest
from django.test import Client

from labeling.models import Project
from reviews.keys import DESK_ACTIONS, WrongKeys, change_keys, keys_of
from reviews.models import Reviewer

DEFAULTS = {name: key for name, (key, _) in DESK_ACTIONS.items()}


def post(client: Client, project: Project, keys: Any) -> Any:
    data = json.dumps({"keys": keys})
    return client.post(f"/admin/review/{project.pk}/keys/", data, content_type="application/json")


@pytest.fixture
def desk(anna: Reviewer) -> Client:
    client = Client()
    client.force_login(anna.user)
    return client


def test_only_what_differs_from_the_defaults_is_kept(project: Project, anna: Reviewer) -> None:
    assert change_keys(anna, project, {**DEFAULTS, "approve": "y", "skip": "a"}) == {"approve": "y", "skip": "a"}
    anna.refresh_from_db()
    assert keys_of(anna) == {"approve": "y", "skip": "a"}
    assert change_keys(anna, project, DEFAULTS) == {}


def test_two_actions_cannot_have_one_key(project: Project, anna: Reviewer) -> None:
    with pytest.raises(WrongKeys, match=r"S is given to “Approve the suggested category” and “Skip”\."):
        change_keys(anna, project, {**DEFAULTS, "approve": "s"})
    anna.refresh_from_db()
    assert anna.keys == {}


def test_keys_of_categories_stay_theirs(project: Project, anna: Reviewer) -> None:
    project.categories.filter(name="Weather").update(shortcut="W")
    with pytest.raises(WrongKeys, match="digits choose categories"):
        change_keys(anna, project, {**DEFAULTS, "approve": "4"})
    with pytest.raises(WrongKeys, match="it chooses Weather"):
        change_keys(anna, project, {**DEFAULTS, "approve": "w"})


def test_a_default_is_allowed_where_a_category_wants_its_key(project: Project, anna: Reviewer) -> None:
    project.categories.filter(name="Weather").update(shortcut="a")
    assert change_keys(anna, project, DEFAULTS) == {}


def test_the_desk_saves_keys_and_answers_with_the_changed_ones(desk: Client, project: Project, anna: Reviewer) -> None:
    answer = post(desk, project, {**DEFAULTS, "approve": "Y"})
    assert (answer.status_code, answer.json()) == (200, {"keys": {"approve": "y"}})
    anna.refresh_from_db()
    assert anna.keys == {"approve": "y"}


@pytest.mark.parametrize("wrong", ["", " ", "ab", "\t", "\u0000", None, 7, ["a"], "İ"])
def test_what_is_not_one_key_is_refused(desk: Client, project: Project, anna: Reviewer, wrong: Any) -> None:
    answer = post(desk, project, {**DEFAULTS, "approve": wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_keys")
    anna.refresh_from_db()
    assert anna.keys == {}


@pytest.mark.parametrize("wrong", [None, [], "a", {}, {"approve": "y"}])
def test_all_actions_must_be_named(desk: Client, project: Project, wrong: Any) -> None:
    assert post(desk, project, wrong).status_code == 400


def test_actions_that_the_desk_does_not_have_are_not_kept(desk: Client, project: Project, anna: Reviewer) -> None:
    assert post(desk, project, {**DEFAULTS, "explode": "q"}).json() == {"keys": {}}


def test_others_are_refused(desk: Client, project: Project, anna: Reviewer) -> None:
    assert post(Client(), project, DEFAULTS).status_code == 401
    assert desk.get(f"/admin/review/{project.pk}/keys/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna.user)
    assert post(strict, project, DEFAULTS).status_code == 403
    anna.projects.clear()
    assert post(desk, project, DEFAULTS).status_code == 403
