"""Errors of the API, each with a code, and a next step."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import api_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(mia: User) -> Client:
    key = api_keys.create(mia, name="script", scopes=["read", "label"])
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize(
    ("method", "address", "body", "kind", "status", "code", "step"),
    [
        ("post", "/api/runs", "{", "application/json", 400, "parse_error", "Content-Type"),
        ("post", "/api/runs", "<a/>", "text/xml", 415, "unsupported_media_type", "application/json"),
        ("delete", "/api/runs", "", "application/json", 405, "method_not_allowed", "Allow"),
        ("get", "/api/runs/99", "", "", 404, "not_found", "id"),
        ("get", "/api/runs?limit=9999", "", "", 400, "invalid", "errors"),
    ],
)
def test_an_error_has_a_code_and_a_next_step(
    api: Client, method: str, address: str, body: str, kind: str, status: int, code: str, step: str
) -> None:
    answer = api.generic(method.upper(), address, body, content_type=kind or "application/json")
    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"]) == (status, code)
    assert step in problem["detail"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Client) -> None:
    answer = api.post("/api/runs", {"project": "x" * 3_000_000}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_wrong_method_is_told_the_right_ones(api: Client) -> None:
    assert set(api.delete("/api/runs")["Allow"].split(", ")) >= {"GET", "POST"}


def test_who_is_nobody_is_told_how_to_sign_in(client: Client) -> None:
    assert "Authorization: Bearer KEY" in client.get("/api/runs").json()["detail"]


def test_an_answer_in_another_format_is_not_to_be_had(api: Client) -> None:
    answer = api.get("/api/runs", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("method", "address", "body", "field", "words"),
    [
        ("get", "/api/exports/download?format=xls", None, "format", '"xls" is none of the choices: csv, tsv, jsonl'),
        ("get", "/api/texts?status=done", None, "status", '"done" is none of the choices: unlabeled, needs_review'),
        ("get", "/api/labels?origin=cat", None, "origin", '"cat" is none of the choices: model'),
        ("get", "/api/classifiers?is_active=perhaps", None, "is_active", "Give true or false."),
        ("post", "/api/projects", {"name": "A", "sampling": "luck"}, "sampling", '"luck" is none of the choices: '),
    ],
)
def test_a_value_that_is_no_choice_is_told_all_of_them(
    mia: User, method: str, address: str, body: dict[str, str] | None, field: str, words: str
) -> None:
    key = api_keys.create(mia, name="script", scopes=["read", "label", "manage"])
    api = Client(headers={"Authorization": f"Bearer {key}"})
    answer = api.generic(method.upper(), address, json.dumps(body) if body else "", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][field][0].startswith(words)
