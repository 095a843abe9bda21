"""The frame of the program's pages, and what is said to those who may not see one."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from unfold.settings import get_config

from labeling import pages


@pytest.fixture
def password(stranger: User) -> str:
    stranger.set_password("a password")
    stranger.save()
    return "a password"


def sign_in(client: Client, password: str) -> str:
    return client.post("/admin/login/", {"username": "stranger", "password": password}).content.decode()


def test_its_colours_are_the_theme_s() -> None:
    css = (Path(pages.__file__).parent / "static" / "labeling" / "colors.css").read_text()
    for name, weights in get_config()["COLORS"].items():
        for weight, value in weights.items():
            assert f"--color-{name}-{weight}: {value};" in css


def test_who_is_not_staff_is_told_whom_to_ask(client: Client, password: str) -> None:
    assert "Ask a manager to make you a reviewer" in sign_in(client, password)


def test_a_wrong_password_says_nothing_about_the_account(client: Client, password: str) -> None:
    page = sign_in(client, "another password")
    assert "the password is wrong" in page
    assert "Ask a manager" not in page


def test_the_short_address_leads_to_the_form_and_back(client: Client, db: None) -> None:
    assert client.get("/login/?next=/review/").url == "/admin/login/?next=/review/"


def test_signing_out_works_and_is_no_link(client: Client, manager: User) -> None:
    client.force_login(manager)
    page = client.get("/", follow=True).content.decode()
    assert '<form method="post" action="/admin/logout/">' in page
    client.post("/admin/logout/")
    assert client.get("/", follow=True).request["PATH_INFO"] == "/admin/login/"


def test_a_refusal_says_who_is_signed_in_and_how_to_sign_out(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    answer = client.get("/admin/budget/")
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Ask a manager" in page
    assert "stranger" in page
    assert 'action="/admin/logout/"' in page


def test_what_does_not_exist_says_so_in_the_same_look(client: Client, db: None) -> None:
    answer = client.get("/nothing/here/")
    assert answer.status_code == 404
    assert "labeling/frame.css" in answer.content.decode()


def test_an_error_of_the_server_has_a_page(
    client: Client, manager: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("reviews.views.may_manage", fail)
    client.force_login(manager)
    client.raise_request_exception = False
    answer = client.get("/admin/review/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
    assert "on purpose" not in answer.content.decode()
