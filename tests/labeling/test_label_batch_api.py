"""The API that labels many texts: a few at once, more by a run."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import answering, backlog, execution, providers, runs
from labeling.choices import LabelWhen
from labeling.models import Label, LabelingRun, Project, Text
from labeling.providers.base import ProviderError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture(autouse=True)
def model(project: Project, settings: Any) -> None:
    settings.MAX_BATCH_SIZE = 3
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def post(client: Client, *texts: Any, **more: Any) -> Any:
    body = {"project": "News", "texts": texts, **more}
    return client.post("/api/label/batch", body, content_type="application/json")


def many(count: int = 4) -> list[str]:
    return [f"sports {number}" for number in range(count)]


# --- At once ----------------------------------------------------------------------------------------------------------


def test_a_few_texts_are_answered_in_their_order(api: Client) -> None:
    answer = post(api, "more sports", {"text": "rain and weather", "source": "mail", "external_id": "m-1"}).json()
    assert [one["answer"]["category"] for one in answer["results"]] == ["Sports", "Weather"]
    assert (answer["answered"], answer["failed"], Label.objects.count()) == (2, 0, 2)
    text = Text.objects.get(external_id="m-1")
    assert (text.source, text.pk) == ("mail", answer["results"][1]["answer"]["text_id"])


def test_equal_texts_of_a_batch_have_one_row(api: Client) -> None:
    answer = post(api, "sports", " sports ").json()
    assert len({one["answer"]["label_id"] for one in answer["results"]}) == 1
    assert (Text.objects.count(), Label.objects.count()) == (1, 1)


def test_what_is_wrong_with_one_text_is_said_for_it_alone(api: Client) -> None:
    answer = post(api, "sports", {"source": "mail"}, 17).json()
    errors = [one["error"] and one["error"]["detail"] for one in answer["results"]]
    assert (answer["answered"], answer["failed"], errors[0]) == (1, 2, None)
    assert "Has no 'text'" in errors[1]
    assert "Is not an object" in errors[2]


def test_a_text_that_the_model_refuses_does_not_fail_the_others(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="talkative")
    answer = post(api, "sports", "nothing", "weather").json()
    assert [one["error"] and one["error"]["code"] for one in answer["results"]] == [None, "provider_unavailable", None]
    assert sorted(Text.objects.values_list("content", flat=True)) == ["sports", "weather"]


def test_a_model_that_is_down_is_a_problem_of_the_whole_batch(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="broken")
    assert post(api, "sports", "weather").status_code == 502


def test_a_server_that_hangs_is_asked_no_longer_than_one_call_may_take(
    api: Client, project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LLM_TIMEOUT_SECONDS = 0.04
    monkeypatch.setattr(answering, "LONGEST", timedelta(seconds=0.1))
    Project.objects.filter(pk=project.pk).update(provider="flaky")
    calls = []

    def hang(texts: Any, categories: Any) -> Any:
        calls.append(len(texts))
        time.sleep(0.05)
        raise ProviderError("It did not answer.", permanent=False)

    monkeypatch.setattr(providers.get_provider("flaky"), "predict", hang)
    answer = post(api, "sports", "weather", "business").json()
    assert calls == [3]
    assert {one["error"]["code"] for one in answer["results"]} == {"provider_unavailable"}


def test_with_store_false_nothing_is_stored(api: Client) -> None:
    assert post(api, "sports", store=False).json()["answered"] == 1
    assert not Text.objects.exists()
    assert post(api, *many(), store=False).status_code == 400


def test_a_batch_of_nothing_is_refused(api: Client) -> None:
    assert post(api).status_code == 400


def test_a_batch_costs_the_same_queries_for_many_texts(api: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(32):
        assert post(api, "sports", "weather", "business").status_code == 200


# --- In the background ------------------------------------------------------------------------------------------------


def test_more_texts_become_a_run(api: Client, mia: User) -> None:
    answer = post(api, *many())
    run = LabelingRun.objects.get()
    assert answer.status_code == 202
    assert answer.json()["run"] == answer.headers["Location"] == f"http://testserver/api/runs/{run.pk}"
    assert (answer.json()["added"], answer.json()["waiting"], run.total, run.created_by) == (4, 4, 4, mia)


def test_the_run_labels_these_texts_and_no_others(api: Client, project: Project, add_texts: Any) -> None:
    [other] = add_texts(project, "weather")
    post(api, *many())
    execution.execute(LabelingRun.objects.get())
    other.refresh_from_db()
    assert (Label.objects.count(), other.status) == (4, "unlabeled")


def test_texts_that_cannot_be_stored_are_told(api: Client) -> None:
    answer = post(api, *many(), "").json()
    assert answer["errors"] == [{"index": 4, "error": {"code": "invalid_text", "detail": "The text is empty."}}]


def test_texts_that_have_a_label_need_no_run(api: Client) -> None:
    post(api, *many())
    execution.execute(LabelingRun.objects.get())
    answer = post(api, *many())
    assert (answer.status_code, answer.json()["run"], answer.json()["waiting"]) == (202, None, 0)


def test_texts_that_got_their_labels_meanwhile_need_no_run(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    post(api, *many())
    execution.execute(LabelingRun.objects.get())
    text_ids = list(Text.objects.values_list("pk", flat=True))
    monkeypatch.setattr(backlog, "_without_label", lambda *looked_up_before: text_ids)
    answer = post(api, *many())
    assert (answer.status_code, answer.json()["run"], answer.json()["waiting"]) == (202, None, 0)
    assert answer.json()["note"] == backlog.ALL_DONE


def test_a_project_without_categories_stores_nothing(api: Client) -> None:
    answer = post(api, *many(), project="Default")
    assert (answer.status_code, answer.json()["code"], Text.objects.count()) == (409, "no_active_categories", 0)


@pytest.mark.parametrize("count", [2, 4])
def test_an_archived_project_stores_nothing(api: Client, project: Project, count: int) -> None:
    Project.objects.filter(pk=project.pk).update(is_archived=True)
    answer = post(api, *many(count))
    assert (answer.status_code, answer.json()["code"], Text.objects.count()) == (409, "project_archived", 0)


def test_a_run_over_the_whole_project_takes_the_texts_in(api: Client, project: Project, add_texts: Any) -> None:
    add_texts(project, "weather")
    run = runs.start(project)
    answer = post(api, *many()).json()
    assert answer["run_id"] == run.pk
    assert "takes them in" in answer["note"]
    execution.execute(run)
    assert not project.texts.filter(status="unlabeled").exists()
    assert (run.total, run.status) == (5, "succeeded")


def test_a_paused_run_takes_them_in_and_says_that_it_rests(api: Client, project: Project, add_texts: Any) -> None:
    add_texts(project, "weather")
    runs.pause(runs.start(project))
    assert "resume it" in post(api, *many()).json()["note"]


@pytest.mark.parametrize(("label_when", "words"), [("asked", "start another run"), ("arrival", "schedule")])
def test_beside_a_run_over_other_texts_they_are_stored_and_wait(
    api: Client, project: Project, add_texts: Any, label_when: LabelWhen, words: str
) -> None:
    Project.objects.filter(pk=project.pk).update(label_when=label_when)
    [text] = add_texts(project, "weather")
    run = runs.start(project, text_ids=[text.pk])
    answer = post(api, *many()).json()
    assert (answer["run_id"], answer["waiting"], Text.objects.count()) == (run.pk, 4, 5)
    assert words in answer["note"]
