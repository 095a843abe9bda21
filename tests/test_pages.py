"""Every address of the program, collected from the resolver: who is let in, and that it answers."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics import keeping
from labeling.models import Project
from tests.pages import ADDRESSES, Kind, addresses, build_world, found_names

pytestmark = pytest.mark.django_db
OF_PROJECTS = (Kind.PAGE, Kind.DATA, Kind.VERB)
WITHOUT_PROJECTS = ("/", "/projects/")  # these say whom to ask
MOST_QUERIES = 15
INNER = (Kind.PAGE, Kind.PACKAGED, Kind.DATA, Kind.VERB, Kind.LEADS_ON)


@pytest.fixture
def world(manager: User) -> dict[str, Any]:
    return build_world(manager)


def asked(client: Client, path: str, *, verb: bool) -> HttpResponse:
    return client.post(path, follow=False) if verb else client.get(path)  # type: ignore[return-value]


def test_every_address_is_listed() -> None:
    assert found_names() == set(ADDRESSES), "List what is new in tests/pages.py, with its kind and arguments."


def test_the_anonymous_are_sent_to_sign_in(client: Client, world: dict[str, Any]) -> None:
    client.logout()
    for path in addresses(world, *INNER):
        answer = asked(client, path, verb=path in addresses(world, Kind.VERB))
        is_sent = answer.status_code == 302 and answer.url.startswith(reverse("admin:login"))  # type: ignore[attr-defined]
        assert is_sent or answer.status_code == 401, f"{path}: {answer.status_code}"


def test_strangers_are_refused(client: Client, world: dict[str, Any], stranger: User) -> None:
    client.force_login(stranger)
    for path in addresses(world, *INNER):
        answer = asked(client, path, verb=path in addresses(world, Kind.VERB))
        assert answer.status_code == 403, f"{path}: {answer.status_code}"


def test_staff_without_any_right_see_nothing_of_a_project(client: Client, world: dict[str, Any]) -> None:
    client.force_login(User.objects.create_user("newcomer", is_staff=True))
    for path in addresses(world, *OF_PROJECTS):
        answer = asked(client, path, verb=path in addresses(world, Kind.VERB))
        assert answer.status_code in (403, 404) or path in WITHOUT_PROJECTS, f"{path}: {answer.status_code}"


def test_no_page_of_a_large_project_asks_the_database_more_than_fifteen_times(
    client: Client, world: dict[str, Any], manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 0)  # as if it were large: its figures are counted in the background
    keeping.refresh(Project.objects.get(pk=world["project"]))
    client.force_login(manager)
    many = {}
    for path in addresses(world, Kind.PAGE, Kind.DATA):
        client.get(path)  # what is remembered between requests is remembered
        with CaptureQueriesContext(connection) as asked_for:
            client.get(path)
        if len(asked_for) > MOST_QUERIES:
            many[path] = len(asked_for)
    assert many == {}


def test_a_manager_gets_every_page(client: Client, world: dict[str, Any], manager: User) -> None:
    client.force_login(manager)
    for path in addresses(world, Kind.PAGE, Kind.PACKAGED, Kind.DATA):
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"


def test_changes_are_made_by_post_only(client: Client, world: dict[str, Any], manager: User) -> None:
    client.force_login(manager)
    for path in addresses(world, Kind.VERB):
        assert client.get(path).status_code == 405, path


def test_what_is_open_answers_everybody(client: Client, world: dict[str, Any]) -> None:
    client.logout()
    for path in addresses(world, Kind.OPEN):
        assert client.get(path).status_code in (200, 302), path


def test_no_page_keeps_a_script_a_handler_or_a_style_within(
    client: Client, world: dict[str, Any], manager: User
) -> None:
    client.force_login(manager)
    for path in addresses(world, Kind.PAGE):
        page = client.get(path).content.decode()
        for forbidden in (
            " style=",
            " onclick=",
            " onsubmit=",
            " onchange=",
            "<style",
            "javascript:",
            "unfold/js/alpine",
        ):
            assert forbidden not in page, f"{path}: {forbidden}"
