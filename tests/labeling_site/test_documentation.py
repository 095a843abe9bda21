"""The OpenAPI document and the pages that show it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import api_keys
from labeling_site.documentation import whole_document

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = whole_document()["paths"].items()
    return [(path, method, found[method]) for path, found in paths for method in METHODS if method in found]


@pytest.mark.parametrize("address", ["/api/schema", "/api/schema/"])
def test_the_document_is_json_or_yaml(client: Client, mia: User, address: str) -> None:
    client.force_login(mia)
    assert client.get(address, {"format": "json"}).json()["openapi"].startswith("3.")
    assert client.get(address).content.startswith(b"openapi: 3.")
    assert client.get(address, headers={"Accept": "application/json"}).json()["info"]["title"] == "Text labeling"


def test_programs_read_the_document_by_their_key(client: Client, mia: User) -> None:
    key = api_keys.create(mia, name="script", scopes=["read"])
    assert client.get("/api/schema", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(("address", "status"), [("/api/schema", 401), ("/docs", 302), ("/redoc/", 302)])
def test_nobody_reads_without_signing_in(client: Client, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_every_operation_says_what_it_does_and_which_errors_it_answers() -> None:
    for path, method, operation in operations():
        assert operation["summary"], (method, path)
        assert {"401", "403", "429"} <= operation["responses"].keys(), (method, path)
        if method == "post":
            assert {"409", "422"} <= operation["responses"].keys(), path
            assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, path


def test_every_question_may_be_answered_by_what_is_wrong_with_it() -> None:
    assert not [
        path for path, method, operation in operations() if method == "get" and "400" not in operation["responses"]
    ]


@pytest.mark.parametrize("address", ["/api/label", "/api/label/batch"])
def test_labeling_says_that_a_model_may_fail_or_be_busy(address: str) -> None:
    document = whole_document()
    assert {"502", "503"} <= document["paths"][address]["post"]["responses"].keys()
    assert "Retry-After" in document["components"]["responses"]["Unavailable"]["headers"]


def test_null_and_an_empty_text_are_where_a_program_that_reads_the_document_looks_for_them() -> None:
    [bare, row] = whole_document()["paths"]["/api/texts"]["post"]["requestBody"]["content"]["application/x-ndjson"][
        "schema"
    ]["oneOf"]
    source = row["properties"]["source"]
    assert (bare["minLength"], source["oneOf"][0]["nullable"], "nullable" in source) == (1, True, False)


def test_only_creating_texts_promises_to_update_them() -> None:
    document = whole_document()
    assert "external id is known" in document["paths"]["/api/texts"]["post"]["description"]
    assert "pdated" not in str(document["paths"]["/api/label/batch"]["post"]["requestBody"])


def test_every_tag_is_described() -> None:
    described = {tag["name"] for tag in whole_document()["tags"]}
    assert {tag for _, _, operation in operations() for tag in operation["tags"]} <= described


def test_the_mission_s_addresses_have_no_slash_at_their_end() -> None:
    assert all(not path.endswith("/") for path in whole_document()["paths"])
