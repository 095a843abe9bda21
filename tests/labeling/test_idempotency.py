"""A request that is sent again with its key."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import api_keys, idempotency
from labeling.guarding import Guarded
from labeling.idempotency import Answer
from labeling.models import IdempotentRequest, LabelingRun, Project
from labeling.permissions import HasScope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def key(mia: User) -> str:
    return api_keys.create(mia, name="script", scopes=["read", "label", "manage"])


@pytest.fixture
def ready(project: Project, add_texts) -> Project:
    add_texts(project, "Rain is expected.", "Shares fell.")
    return project


def start(key: str, name: str = "k1", **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    return Client(headers=headers).post("/api/runs", {"project": "News", **body}, content_type="application/json")


def test_the_same_request_has_one_effect_and_one_answer(key: str, ready: Project) -> None:
    first, second = start(key), start(key)
    assert (first.status_code, second.status_code, LabelingRun.objects.count()) == (202, 202, 1)
    assert (first.content, first["Content-Type"]) == (second.content, second["Content-Type"])
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"


def test_another_request_with_the_key_is_refused(key: str, ready: Project) -> None:
    start(key)
    answer = start(key, limit=1)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_the_same_body_for_another_address_is_another_request(key: str, ready: Project) -> None:
    run = start(key).json()["id"]
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k1"}
    assert Client(headers=headers).post(f"/api/runs/{run}/pause").status_code == 422


def test_callers_do_not_share_keys(key: str, ready: Project, mia: User) -> None:
    start(key)
    other = api_keys.create(mia, name="other", scopes=["label"])
    assert start(other).json()["code"] == "run_in_progress"  # carried out, not answered from the first one's


def test_a_request_that_was_refused_may_be_mended(key: str, ready: Project) -> None:
    assert start(key, provider="oracle").status_code == 400
    assert start(key).status_code == 202


def test_a_request_that_is_being_carried_out_is_not_carried_out_again(key: str, ready: Project) -> None:
    start(key)
    IdempotentRequest.objects.update(status=None)
    answer = start(key)
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")


def test_who_cannot_know_is_told_so(key: str, ready: Project) -> None:
    start(key)
    IdempotentRequest.objects.update(status=None, begun_at=timezone.now() - timedelta(minutes=11))
    answer = start(key)
    assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")


def test_after_a_day_the_key_is_new(key: str, ready: Project) -> None:
    start(key)
    IdempotentRequest.objects.update(begun_at=timezone.now() - timedelta(days=1))
    assert start(key).json()["code"] == "run_in_progress"


def test_old_answers_are_forgotten(key: str, ready: Project) -> None:
    start(key)
    assert idempotency.forget_old() == 0
    IdempotentRequest.objects.update(begun_at=timezone.now() - timedelta(days=1))
    assert idempotency.forget_old() == 1


def begin() -> IdempotentRequest | Answer:
    return idempotency.begin("caller", "k1", lambda: "", repeatable_after=idempotency.QUICK)


@pytest.fixture
def slow(db: None) -> IdempotentRequest:
    """A request that was taken over by another because it took so long."""
    begin()
    IdempotentRequest.objects.update(begun_at=timezone.now() - idempotency.QUICK)
    noted = IdempotentRequest.objects.get()
    assert isinstance(begin(), IdempotentRequest)
    return noted


def test_one_that_fails_late_does_not_make_forget_who_took_it_over(slow: IdempotentRequest) -> None:
    idempotency.forget(slow)
    assert IdempotentRequest.objects.filter(status=None).exists()


def test_one_that_ends_late_does_not_answer_for_who_took_it_over(slow: IdempotentRequest) -> None:
    idempotency.keep(slow, "", Answer(200, {}, b"late"))
    with pytest.raises(idempotency.InProgress):
        begin()


def test_who_took_it_over_is_answered_from_then_on(slow: IdempotentRequest) -> None:
    IdempotentRequest.objects.update(begun_at=timezone.now() - idempotency.QUICK)
    second = begin()
    assert isinstance(second, IdempotentRequest)
    idempotency.keep(second, "", Answer(200, {}, b"kept"))
    assert begin() == Answer(200, {}, b"kept")


@pytest.mark.parametrize("name", ["", " ", "k" * 65, "two words", "ü"])
def test_a_key_that_cannot_be_one_is_refused(key: str, ready: Project, name: str) -> None:
    answer = start(key, name)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["Idempotency-Key"])


def test_who_may_not_leaves_nothing_behind(stranger: User, ready: Project) -> None:
    assert start(api_keys.create(stranger, name="x", scopes=["label"])).status_code == 403
    assert not IdempotentRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_carried_out(boss: User, ready: Project) -> None:
    key = api_keys.create(boss, name="x", scopes=["label"])
    statuses: list[int] = []

    def send() -> None:
        statuses.append(start(key).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 202 in statuses
    assert set(statuses) <= {202, 409}
    assert LabelingRun.objects.count() == 1


# --- Bodies of any size -----------------------------------------------------------------------------------------------


class Open(HasScope):
    def has_permission(self, request: Request, view: Any) -> bool:
        return True


class Pieces(Guarded):
    """Reads its body piece by piece and keeps none of it."""

    permission_classes = [Open]
    authentication_classes = []

    def post(self, request: Request) -> Response:
        count = 0
        while piece := request.stream.read(1000):
            count += len(piece)
        return Response({"bytes": count})


class Files(Guarded):
    permission_classes = [Open]
    authentication_classes = []
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        return Response({"size": request.FILES["file"].size})


def test_a_long_body_is_hashed_while_it_is_read(rf: RequestFactory) -> None:
    def send(body: bytes) -> Any:
        request = rf.post("/x", body, content_type="application/x-ndjson", headers={"Idempotency-Key": "k"})
        answer = Pieces.as_view()(request)
        answer.render() if hasattr(answer, "render") else None
        assert not hasattr(request, "_body")  # which is where Django would have kept all of it
        return answer

    rows = b'{"text": "a"}\n' * 100_000
    assert send(rows).data == {"bytes": len(rows)}
    assert send(rows).content == b'{"bytes":1400000}'
    assert send(rows + b"{}").status_code == 422


def test_a_file_is_the_same_whatever_stands_between_the_parts(rf: RequestFactory) -> None:
    def send(content: bytes, boundary: str) -> Any:
        part = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{content.decode()}\r\n--{boundary}--\r\n"
        )
        kind = f"multipart/form-data; boundary={boundary}"
        answer = Files.as_view()(rf.post("/x", part, content_type=kind, headers={"Idempotency-Key": "k"}))
        answer.render() if hasattr(answer, "render") else None
        return answer

    assert send(b"text\nrain", "one").data == {"size": 9}
    assert send(b"text\nrain", "two").headers["Idempotency-Replayed"] == "true"
    assert send(b"text\nsnow", "one").status_code == 422
