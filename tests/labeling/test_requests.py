"""Pages of lists, and the parameters that they take."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import runs
from labeling.models import LabelingRun, Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


@pytest.fixture
def seven(project: Project, add_texts) -> list[int]:
    """Runs, newest first."""
    add_texts(project, "Rain is expected.")
    for _ in range(7):
        runs.cancel(runs.start(project))
    return list(LabelingRun.objects.order_by("-pk").values_list("pk", flat=True))


def page(api: Client, address: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(address).json()
    return found


def ids(document: dict[str, Any]) -> list[int]:
    return [row["id"] for row in document["results"]]


def test_pages_hold_every_row_once_whatever_comes_meanwhile(api: Client, project: Project, seven: list[int]) -> None:
    first = page(api, "/api/runs?limit=3")
    runs.cancel(runs.start(project))
    second = page(api, first["next"])
    third = page(api, second["next"])
    assert ids(first) + ids(second) + ids(third) == seven
    assert third["next"] is None
    assert ids(page(api, second["previous"])) == ids(first)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many", "1.5", "٣", "", "1" * 30])
def test_a_limit_out_of_reach_is_refused(api: Client, limit: str) -> None:
    answer = api.get("/api/runs", {"limit": limit})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["limit"])


@pytest.mark.parametrize("token", ["p=x", "p=99999999999999999999999", "p=%00", "o=x", "r=x", "p=1.5"])
def test_a_cursor_that_nobody_was_given_is_not_found(api: Client, seven: list[int], token: str) -> None:
    cursor = quote(b64encode(token.encode()).decode())
    assert api.get(f"/api/runs?cursor={cursor}").status_code in (200, 404)


def test_a_parameter_that_a_list_does_not_know_is_refused(api: Client) -> None:
    answer = api.get("/api/runs?projct=News")
    assert answer.status_code == 400
    assert "project" in answer.json()["errors"]["projct"][0]


def test_a_format_that_an_address_does_not_have_is_refused_by_its_name(api: Client) -> None:
    answer = api.get("/api/runs?format=csv")
    assert answer.status_code == 400
    assert answer.json()["errors"]["format"] == ["This address has no format 'csv'. It has: json."]
    assert api.get("/api/runs?format=json").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"created_after": "yesterday"}, "created_after"),
    ],
)
def test_a_wrong_filter_is_refused_by_its_name(api: Client, query: dict[str, str], field: str) -> None:
    answer = api.get("/api/runs", query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_rows_are_filtered_by_time(api: Client, seven: list[int]) -> None:
    assert ids(page(api, "/api/runs?created_before=2020-01-01T00:00:00Z")) == []
    assert ids(page(api, "/api/runs?created_after=2020-01-01T00:00:00Z")) == seven


@pytest.mark.parametrize(
    ("beyond", "earlier", "later"),
    [("0001-01-01T00:00:00+14:00", False, True), ("9999-12-31T23:59:59.999999-12:00", True, False)],
)
def test_a_moment_that_lies_beyond_the_calendar_in_utc_still_parts_the_rows(
    api: Client, seven: list[int], beyond: str, earlier: bool, later: bool
) -> None:
    assert ids(page(api, f"/api/runs?created_before={quote(beyond)}")) == (seven if earlier else [])
    assert ids(page(api, f"/api/runs?created_after={quote(beyond)}")) == (seven if later else [])


@pytest.mark.parametrize(
    ("address", "body"), [("/api/runs", {}), ("/api/label", {"text": "rain"}), ("/api/categories", {"name": "Snow"})]
)
def test_a_change_is_refused_that_names_its_project_in_the_address(
    api: Client, project: Project, address: str, body: dict[str, Any]
) -> None:
    answer = api.post(f"{address}?project=News", body, content_type="application/json")
    wrong = {
        "project": ["There is no such parameter. Leave it out, or put it into the body, where that has such a field."]
    }
    assert (answer.status_code, answer.json()["errors"]) == (400, wrong)
    assert not project.categories.filter(name="Snow").exists()


def test_a_change_names_its_parameters_where_it_has_some(api: Client, project: Project) -> None:
    answer = api.post("/api/texts?projct=News", [{"text": "rain"}], content_type="application/json")
    assert answer.json()["errors"] == {"projct": ["There is no such parameter. Parameters: project."]}
