"""The API of imports: who may send files, what comes of them, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labeling import api_keys, uploads
from labeling.choices import ImportStatus
from labeling.models import ImportRecord, Project
from reviews.models import Reviewer

pytestmark = pytest.mark.django_db

TABLE = b"key,headline,topic\n1,goal,Sports\n2,,Sports\n3,goal,Sports\n4,rain,Chess\n"


@pytest.fixture(autouse=True)
def _uploads_of_tests(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(uploads, "AT_ONCE_BYTES", 10)


@pytest.fixture
def key(mia: User) -> Callable[..., Client]:
    def client(*scopes: str, user: User = mia) -> Client:
        made = api_keys.create(user, name="script", scopes=scopes)
        return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {made}"})

    return client


@pytest.fixture
def api(key) -> Client:
    return key("read", "manage")


def send(client: Client, content: bytes = TABLE, name: str = "news.csv", **more: Any) -> Any:
    data = {"file": SimpleUploadedFile(name, content), "project": "News", **more}
    return client.post("/api/imports", data)


MAPPED = {"text_column": "headline", "id_column": "key"}

# --- Who may ----------------------------------------------------------------------------------------------------------


def test_sending_needs_the_scope_and_the_right(key, project: Project, mia: User) -> None:
    anna = User.objects.create_user("anna", is_staff=True)
    Reviewer.objects.create(user=anna).projects.add(project)
    assert send(Client(), **MAPPED).status_code == 401
    assert send(key("read", "label", "review"), **MAPPED).status_code == 403
    assert send(key("read", "manage", user=anna), **MAPPED).status_code == 403
    assert not ImportRecord.objects.exists()
    assert send(key("manage"), **MAPPED).status_code == 202


def test_imports_of_other_projects_are_not_found(api: Client, key, project: Project, mia: User) -> None:
    record = ImportRecord.objects.get(pk=send(api, **MAPPED).json()["id"])
    other = Project.objects.create(name="Other")
    bound = api_keys.create(mia, name="bound", scopes=("read", "manage"), projects=[other])
    client = Client(headers={"Authorization": f"Bearer {bound}"})
    assert client.get("/api/imports").json()["results"] == []
    for address in (f"/api/imports/{record.pk}", f"/api/imports/{record.pk}/rejected"):
        assert client.get(address).status_code == 404
    assert client.post(f"/api/imports/{record.pk}/cancel").status_code == 404
    assert send(client, **MAPPED).status_code == 404


# --- What comes of it -------------------------------------------------------------------------------------------------


def test_a_file_is_imported_in_the_background_and_followed(api: Client, project: Project) -> None:
    answer = send(api, **MAPPED, label_column="topic")
    sent = answer.json()
    assert (answer.status_code, sent["status"], sent["added"]) == (202, "queued", 0)
    uploads.carry_on(sent["id"])
    done = api.get(answer["Location"]).json()
    counts = {name: done[name] for name in ("status", "percent", "added", "duplicate", "empty", "rejected")}
    assert counts == {"status": "finished", "percent": 100, "added": 1, "duplicate": 1, "empty": 1, "rejected": 1}
    reason = "the project has no category 'Chess': add it, or use create_categories"
    assert done["rejections"] == [{"line": 5, "reason": reason}]
    assert project.texts.get().external_id == "1"


def test_rejected_rows_come_as_csv_whatever_is_accepted(api: Client, project: Project) -> None:
    record = send(api, **MAPPED, label_column="topic").json()["id"]
    uploads.carry_on(record)
    answer = api.get(f"/api/imports/{record}/rejected", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert b"".join(answer.streaming_content).startswith(b"rejected_line,rejected_reason,key,headline,topic\r\n5,")


def test_the_list_can_be_filtered(api: Client, project: Project) -> None:
    first, second = (send(api, **MAPPED).json()["id"] for _ in range(2))
    uploads.carry_on(first)
    assert [row["id"] for row in api.get("/api/imports?project=News").json()["results"]] == [second, first]
    assert [row["id"] for row in api.get("/api/imports?status=finished").json()["results"]] == [first]
    assert api.get("/api/imports?state=finished").status_code == 400


def test_an_import_can_be_cancelled_once(api: Client, project: Project) -> None:
    record = send(api, **MAPPED).json()["id"]
    assert api.post(f"/api/imports/{record}/cancel").json()["status"] == "cancelled"
    again = api.post(f"/api/imports/{record}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_cancel")
    uploads.carry_on(record)
    assert not project.texts.exists()


def test_the_same_request_sent_again_imports_once(api: Client, project: Project) -> None:
    def once() -> Any:
        data = {"file": SimpleUploadedFile("a.csv", TABLE), "project": "News", **MAPPED}
        return api.post("/api/imports", data, headers={"Idempotency-Key": "one"})

    first, second = once(), once()
    assert (first.status_code, second.status_code, ImportRecord.objects.count()) == (202, 202, 1)
    assert first.json()["id"] == second.json()["id"]


# --- What is refused --------------------------------------------------------------------------------------------------

REFUSED = {
    "no file": ({}, b"", 400, "invalid"),
    "no bytes": (MAPPED, b"", 400, "unreadable_file"),
    "no such column": ({"text_column": "title"}, TABLE, 400, "unreadable_file"),
    "not its encoding": (MAPPED, "key,headline\n1,Straße\n".encode("cp1252"), 202, ""),
    "binary": (MAPPED, b"\x89PNG\r\n", 400, "unreadable_file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_says_why_and_leaves_nothing(
    api: Client, project: Project, tmp_path: Path, case: str
) -> None:
    mapped, content, status, code = REFUSED[case]
    answer = api.post("/api/imports", {"project": "News"}) if case == "no file" else send(api, content, **mapped)
    assert answer.status_code == status, answer.json()
    if status == 202:  # found only while it is read
        uploads.carry_on(answer.json()["id"])
        shown = api.get(f"/api/imports/{answer.json()['id']}").json()
        assert (shown["status"], "name its encoding with encoding" in shown["error"]) == ("failed", True)
    else:
        assert answer.json()["code"] == code
        assert not ImportRecord.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_columns_are_named_as_the_request_names_them(api: Client, project: Project) -> None:
    answer = send(api)
    assert (
        "Name the one that holds the texts with text_column. Columns found: key, headline, topic"
        in (answer.json()["detail"])
    )


def test_a_file_that_is_too_large_is_refused(api: Client, project: Project, settings: LazySettings) -> None:
    settings.MAX_UPLOAD_MB = 1
    answer = send(api, b"text\n" + b"x" * (2 * 1024**2 + 100))
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_json_is_refused_with_what_to_send(api: Client, project: Project) -> None:
    assert api.post("/api/imports", {"project": "News"}, content_type="application/json").status_code == 415


def test_the_list_asks_few_questions(api: Client, project: Project, django_assert_max_num_queries) -> None:
    ImportRecord.objects.bulk_create(
        ImportRecord(project=project, file_format="csv", status=ImportStatus.FINISHED) for _ in range(60)
    )
    with django_assert_max_num_queries(15):
        assert len(api.get("/api/imports").json()["results"]) == 50
