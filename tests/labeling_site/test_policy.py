"""What the headers of answers allow."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from labeling_site.policy import OF_THE_ADMIN, STRICT, header


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def test_the_program_s_pages_run_no_script_of_a_page_and_ask_no_other_host(desk: Client) -> None:
    answer = desk.get("/", follow=True)
    assert answer.headers["Content-Security-Policy"] == header(STRICT)
    assert "unsafe" not in header(STRICT)


def test_the_admin_s_pages_may_compile_attributes_but_run_no_script_of_a_page(desk: Client) -> None:
    answer = desk.get("/admin/labeling/project/")
    assert answer.headers["Content-Security-Policy"] == header(OF_THE_ADMIN)
    assert OF_THE_ADMIN["script-src"] == "'self' 'unsafe-eval'"


@pytest.mark.parametrize(
    "path", ["/nothing/here/", "/admin/login/", "/api/reviews/pending/", "/static/labeling/frame.css"]
)
def test_every_answer_has_the_headers(client: Client, db: None, path: str) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_developer_s_page_about_an_error_keeps_its_styles(client: Client, db: None, settings: LazySettings) -> None:
    settings.DEBUG = True
    assert "Content-Security-Policy" not in client.get("/nothing/here/").headers
