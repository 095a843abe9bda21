"""Where no view answers."""

from typing import Any

import pytest
from django.test import Client
from django.urls import path

from labeling_site import urls

PROBLEM = "application/problem+json"


def boom(request: Any) -> None:
    raise RuntimeError("boom")


urlpatterns = [path("api/boom", boom), path("boom", boom), *urls.urlpatterns]
handler500 = urls.handler500


@pytest.mark.urls(__name__)
def test_a_crash_under_the_api_is_a_problem() -> None:
    answer = Client(raise_request_exception=False).get("/api/boom")
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert answer.json()["code"] == "server_error"
    assert "boom" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_crash_elsewhere_is_a_page() -> None:
    answer = Client(raise_request_exception=False).get("/boom")
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (500, "text/html")


@pytest.mark.parametrize("address", ["/api/nothing", "/api/runs/x", "/api/runs/1/x/y"])
def test_an_address_of_the_api_that_does_not_exist_is_a_problem(client: Client, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (404, PROBLEM, "not_found")
    assert "/api/schema" in answer.json()["detail"]


def test_a_host_that_is_not_served_is_a_problem_under_the_api(client: Client) -> None:
    answer = client.get("/api/runs", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (400, PROBLEM, "bad_request")
