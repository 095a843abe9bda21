"""The API that labels texts while the caller waits."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock, patch

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from labeling import annotations, answering, api_keys, categories, providers
from labeling.choices import TextStatus
from labeling.models import Embedding, IdempotentRequest, Label, Project, Text
from labeling.models.api_key import Scope
from labeling.providers.base import Provider
from reviews.models import Reviewer
from tests.fakes import KeywordEncoder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture(autouse=True)
def model(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword", threshold=0.4)
    project.refresh_from_db()


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def post(client: Client, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post("/api/label", {"project": "News", **body}, content_type="application/json", headers=headers)


def decide(text: Text, user: User) -> Label:
    category = text.project.categories.get(name="Weather")
    label = annotations.record_human_label(text, category, annotator=user)
    annotations.hold(text, label_id=label.pk, reviewed_by=user)
    return label


def test_one_text_is_answered_and_stored(api: Client, project: Project) -> None:
    answer = post(api, text="  a report on business ", source="desk").json()
    text, label = Text.objects.get(), Label.objects.get()
    assert (answer["category"], answer["text_id"], answer["label_id"]) == ("Business", text.pk, label.pk)
    assert (text.content, text.source, text.current_label_id, text.project_id) == (
        "a report on business", "desk", label.pk, project.pk,
    )  # fmt: skip
    assert (label.origin, label.run_id, label.provider, label.model_name) == ("model", None, "keyword", "keyword")
    assert Embedding.objects.filter(content_hash=text.content_hash).exists()


def test_the_answer_says_all_that_the_model_knows(api: Client) -> None:
    answer = post(api, text="a report on business").json()
    assert answer["confidence"] == pytest.approx(Label.objects.get().confidence)
    assert (answer["is_calibrated"], answer["classifier"], answer["status"]) == (False, None, answer["status"])
    assert {one["category"] for one in answer["alternatives"]} == {"Sports", "Weather"}
    assert answer["evidence"][0] == {
        "start": 12,
        "end": 20,
        "text": "business",
        "weight": answer["evidence"][0]["weight"],
    }
    assert "business" in answer["explanation"]
    assert answer["seconds"] > 0


@pytest.mark.parametrize(("seconds", "status"), [(320, 409), (330, 200)])
def test_a_model_that_takes_its_time_is_not_asked_beside_the_first_request(
    api: Client, seconds: int, status: int
) -> None:
    post(api, {"Idempotency-Key": "k1"}, text="a report on business")
    begun_at = timezone.now() - timedelta(seconds=seconds)
    IdempotentRequest.objects.update(status=None, begun_at=begun_at)
    assert post(api, {"Idempotency-Key": "k1"}, text="a report on business").status_code == status


@pytest.mark.parametrize(
    ("threshold", "route", "status"), [(0.1, "accept", "accepted"), (1.0, "review", "needs_review")]
)
def test_the_route_goes_by_the_threshold(
    api: Client, project: Project, threshold: float, route: str, status: str
) -> None:
    Project.objects.filter(pk=project.pk).update(threshold=threshold)
    answer = post(api, text="a report on business").json()
    assert (answer["route"], answer["status"], Text.objects.get().status) == (route, status, status)


def test_an_archived_project_labels_nothing(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(is_archived=True)
    answer = post(api, text="a report on business")
    assert (answer.status_code, answer.json()["code"], Text.objects.count()) == (409, "project_archived", 0)


def test_with_store_false_nothing_is_stored(api: Client) -> None:
    answer = post(api, text="a report on business", store=False).json()
    assert (answer["category"], answer["text_id"], answer["label_id"], answer["status"]) == (
        "Business",
        None,
        None,
        None,
    )
    assert not (Text.objects.exists() or Label.objects.exists() or Embedding.objects.exists())


def test_the_same_text_again_has_one_row_and_one_label(api: Client) -> None:
    first, second = (post(api, text=text).json() for text in ("Rain and weather.", " Rain and weather. "))
    assert (first["text_id"], first["label_id"]) == (second["text_id"], second["label_id"])
    assert second["note"] == "The text has this label already."
    assert Label.objects.count() == 1


def test_a_text_that_waits_gets_its_label(api: Client, project: Project, add_texts) -> None:
    [text] = add_texts(project, "a report on business")
    assert post(api, text=text.content).json()["text_id"] == text.pk
    text.refresh_from_db()
    assert text.current_label is not None


def test_a_new_answer_becomes_a_new_version(api: Client, project: Project) -> None:
    post(api, text="rain and shares")
    project.categories.filter(name="Weather").update(description="rain rain rain")
    post(api, text="rain and shares")
    assert list(Label.objects.order_by("version").values_list("version", flat=True)) == [1, 2]


def test_what_a_person_decided_stays(api: Client, manager: User) -> None:
    text = Text.objects.get(pk=post(api, text="a report on business").json()["text_id"])
    label = decide(text, manager)
    answer = post(api, text="a report on business").json()
    text.refresh_from_db()
    assert (text.current_label_id, text.status, Label.objects.count()) == (label.pk, "reviewed", 2)
    assert (answer["category"], answer["label_id"], answer["status"]) == ("Business", None, "reviewed")
    assert "A person has decided" in answer["note"]


def test_the_audit_is_drawn_here_too_and_the_answer_does_not_tell(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(audit_share=1.0)
    answer = post(api, text="a report on business").json()
    assert Text.objects.get().is_audit
    assert "audit" not in str(answer)


@pytest.mark.parametrize(
    ("body", "reason"),
    [({"text": "   "}, "empty"), ({"text": "x" * 101}, "MAX_TEXT_LENGTH"), ({}, "required"), ({"text": None}, "null")],
)
def test_a_text_that_cannot_be_stored_is_refused(api: Client, settings: Any, body: dict[str, Any], reason: str) -> None:
    settings.MAX_TEXT_LENGTH = 100
    answer = post(api, **body)
    assert answer.status_code == 400
    assert reason in str(answer.json()["errors"]["text"])
    assert not Text.objects.exists()


def test_the_project_is_the_default_one_where_none_is_named(api: Client) -> None:
    answer = api.post("/api/label/", {"text": "Rain."}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_active_categories")
    assert "Default" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("provider", "status", "code", "retry"),
    [
        ("flaky", 503, "provider_unavailable", "15"),
        ("broken", 502, "provider_failed", None),
        ("oracle", 502, "provider_failed", None),
    ],
)
def test_a_provider_that_fails_is_a_clear_problem(
    api: Client, project: Project, provider: str, status: int, code: str, retry: str | None
) -> None:
    Project.objects.filter(pk=project.pk).update(provider=provider)
    answer = post(api, text="Rain.")
    assert (answer.status_code, answer.json()["code"], answer.headers.get("Retry-After")) == (status, code, retry)
    assert not Text.objects.exists()


def test_one_text_that_the_model_refuses_is_a_temporary_problem(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="talkative")
    answer = post(api, text="nothing")
    assert (answer.status_code, answer.json()["detail"]) == (503, "It says nothing.")


def test_a_project_that_has_spent_its_cap_is_told(api: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(spending_cap=0, prompt_price=1)
    assert post(api, text="Rain.").json()["code"] == "spending_cap_reached"


def test_when_all_turns_are_taken_it_says_so_soon(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.01)
    for _ in range(answering.AT_ONCE):
        answering._turns.acquire()
    try:
        answer = post(api, text="Rain.")
    finally:
        for _ in range(answering.AT_ONCE):
            answering._turns.release()
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "1")
    assert post(api, text="Rain.").status_code == 200


def test_a_model_is_loaded_within_a_turn(api: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that all threads of a process never wait for it."""
    left: list[int] = []

    def build(alias: str) -> Provider:
        left.append(answering._turns._value)
        return KeywordEncoder()

    monkeypatch.setattr(providers, "_build", build)
    assert post(api, text="Rain.").status_code == 200
    assert left == [answering.AT_ONCE - 1]


def test_a_model_that_another_request_loads_is_waited_for_some_seconds(api: Client, project: Project) -> None:
    taken = Mock(acquire=Mock(return_value=False))
    with patch.dict(providers._building, {(os.getpid(), project.provider_alias): taken}):
        answer = post(api, text="Rain.")
    taken.acquire.assert_called_once_with(timeout=answering.LOADING_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"] == "15"
    assert "is being loaded" in answer.json()["detail"]
    assert post(api, text="Rain.").status_code == 200


@pytest.mark.parametrize("scope", [Scope.READ, Scope.REVIEW, Scope.MANAGE])
def test_a_key_without_the_scope_is_refused(client: Client, mia: User, scope: Scope) -> None:
    key = api_keys.create(mia, name="program", scopes=[scope])
    assert post(client, {"Authorization": f"Bearer {key}"}, text="Rain.").status_code == 403


def test_a_key_with_the_scope_labels(client: Client, mia: User, django_assert_max_num_queries: Any) -> None:
    key = api_keys.create(mia, name="program", scopes=[Scope.LABEL])
    with django_assert_max_num_queries(24):
        assert post(client, {"Authorization": f"Bearer {key}"}, text="Rain.").status_code == 200


def test_reviewers_who_decide_blind_cannot_ask_the_model(client: Client, project: Project) -> None:
    user = User.objects.create_user("rosa", is_staff=True)
    user.groups.add(Group.objects.get(name="Reviewers"))
    Reviewer.objects.create(user=user).projects.add(project)
    client.force_login(user)
    assert post(client, text="Rain.").status_code == 403


def test_strangers_and_the_anonymous_get_nothing(client: Client, stranger: User) -> None:
    assert post(client, text="Rain.").status_code == 401
    client.force_login(stranger)
    assert post(client, text="Rain.").status_code == 403


def test_a_project_that_the_key_may_not_touch_is_not_found(client: Client, mia: User, project: Project) -> None:
    bound = [Project.objects.get(name="Default")]
    key = api_keys.create(mia, name="program", scopes=[Scope.LABEL], projects=bound)
    assert post(client, {"Authorization": f"Bearer {key}"}, text="Rain.").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_same_text_by_several_requests_at_once_has_one_row_and_one_label(project: Project) -> None:
    user = User.objects.create_superuser("boss")

    def label(_: int) -> Any:
        client = Client()
        client.force_login(user)
        try:
            return post(client, text="a report on business").json()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(label, range(8)))
    assert len({(one["text_id"], one["label_id"]) for one in answers}) == 1
    assert (Text.objects.count(), Label.objects.count()) == (1, 1)


def test_an_answer_that_a_change_of_the_categories_overtook_is_to_be_asked_again(api: Client, project: Project) -> None:
    original = answering.Answerer.label

    def label(self: Any, *args: Any, **options: Any) -> Any:
        said = original(self, *args, **options)
        categories.retire(project.categories.get(pk=said[0].category_id))
        return said

    with patch.object(answering.Answerer, "label", label):
        answer = post(api, text="a report on business")
    assert (answer.status_code, answer.json()["code"]) == (503, "categories_changed")
    assert answer.headers["Retry-After"] == "1"
    assert not Text.objects.exists()


def test_the_model_is_asked_outside_of_any_transaction(api: Client) -> None:
    depths = []
    original = answering.Answerer.label

    def label(self: Any, *args: Any, **options: Any) -> Any:
        depths.append(len(connection.savepoint_ids))
        return original(self, *args, **options)

    with patch.object(answering.Answerer, "label", label):
        post(api, text="Rain.")
    assert depths == [0]
    assert Text.objects.get().status in (TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW)
