"""The API of labeling runs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ

from labeling import api_keys, runs
from labeling.models import LabelingRun, Project, Text
from labeling.models.api_key import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def texts(project: Project, add_texts) -> list[Text]:
    return add_texts(project, "Rain is expected.", "Shares fell.")


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def post(client: Client, address: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(f"/api/runs{address}", body, content_type="application/json", headers=headers)


def test_a_run_is_started_in_the_background(api: Client, mia: User, texts: list[Text]) -> None:
    answer = post(api, "", project="News", provider="keyword", limit=1)
    assert answer.status_code == 202
    run = LabelingRun.objects.get()
    assert (answer.json()["id"], answer.json()["total"], run.created_by) == (run.pk, 1, mia)
    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_a_second_run_is_refused_with_a_code(api: Client, texts: list[Text]) -> None:
    post(api, "", project="News")
    answer = post(api, "", project="News")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_in_progress")


def test_a_run_without_texts_is_refused(api: Client, project: Project) -> None:
    assert post(api, "", project="News").json()["code"] == "nothing_to_label"


def test_a_run_of_an_archived_project_is_refused_with_a_code(api: Client, texts: list[Text]) -> None:
    Project.objects.update(is_archived=True)
    answer = post(api, "", project="News")
    assert (answer.status_code, answer.json()["code"]) == (409, "project_archived")


def test_an_unknown_provider_is_told_the_known_ones(api: Client, texts: list[Text]) -> None:
    answer = post(api, "", project="News", provider="oracle")
    assert answer.status_code == 400
    assert "keyword" in answer.json()["errors"]["provider"][0]


def test_an_unknown_project_is_not_found(api: Client) -> None:
    assert post(api, "", project="Olds").status_code == 404


def test_one_run_tells_how_far_it_is(api: Client, project: Project, texts: list[Text]) -> None:
    run = runs.start(project)
    progress = api.get(f"/api/runs/{run.pk}").json()["progress"]
    assert (progress["phase"], progress["done"], progress["total"], progress["failures"]) == ("Preparing", 0, 2, [])


def test_runs_are_listed_by_project_and_status(api: Client, project: Project, texts: list[Text]) -> None:
    run = runs.start(project)
    assert [row["id"] for row in api.get("/api/runs?project=News&status=queued").json()["results"]] == [run.pk]
    assert api.get("/api/runs?status=failed").json()["results"] == []
    assert api.get("/api/runs?status=lost").status_code == 400


def test_the_list_costs_the_same_for_many_runs(
    api: Client, project: Project, texts: list[Text], django_assert_max_num_queries
) -> None:
    for _ in range(5):
        runs.cancel(runs.start(project))
    with django_assert_max_num_queries(6):
        assert len(api.get("/api/runs").json()["results"]) == 5


def test_a_run_is_paused_resumed_and_cancelled(api: Client, project: Project, texts: list[Text]) -> None:
    run = runs.start(project)
    states = [post(api, f"/{run.pk}/{verb}").json()["status"] for verb in ("pause", "resume", "cancel")]
    assert states == ["paused", "queued", "cancelled"]


def test_failed_texts_are_tried_once_more(api: Client, project: Project, texts: list[Text]) -> None:
    run = runs.start(project)
    runs.cancel(run)
    Text.objects.filter(pk=texts[0].pk).update(status="failed", error="No answer.")
    answer = post(api, f"/{run.pk}/retry")
    assert (answer.status_code, answer.json()["origin"], answer.json()["total"]) == (202, "retry", 1)


def test_a_key_that_reads_cannot_start(client: Client, mia: User, texts: list[Text]) -> None:
    key = api_keys.create(mia, name="reads", scopes=[Scope.READ])
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/runs", headers=headers).status_code == 200
    assert post(client, "", headers, project="News").status_code == 403


def test_a_stranger_gets_nothing(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get("/api/runs").status_code == 403
    assert Client().get("/api/runs").status_code == 401
