"""The import wizard: who may open it, what it shows before it does anything, and what it accounts for."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labeling import uploads
from labeling.choices import ImportStatus, TextStatus
from labeling.models import ImportRecord, LabelingRun, Project

pytestmark = pytest.mark.django_db

TABLE = "key,headline,wire,topic\n1,goal,ap,Sports\n2,,ap,Sports\n3,goal,ap,Sports\n4,rain,dpa,Chess\n"
MAPPED = {"text_column": "headline", "id_column": "key", "source_column": "wire"}


@pytest.fixture(autouse=True)
def _uploads_of_tests(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def client(mia: User) -> Client:
    made = Client()
    made.force_login(mia)
    return made


def send(client: Client, project: Project, content: str | bytes = TABLE, name: str = "news.csv", **more: Any) -> Any:
    content = content.encode() if isinstance(content, str) else content
    data = {"file": SimpleUploadedFile(name, content), **more}
    return client.post(f"/projects/{project.pk}/import/", data)


@pytest.fixture
def uploaded(client: Client, project: Project) -> Callable[..., ImportRecord]:
    def upload(*args: Any, **more: Any) -> ImportRecord:
        answer = send(client, project, *args, **more)
        assert answer.status_code == 302, answer.content.decode()
        return ImportRecord.objects.latest("id")

    return upload


def page(client: Client, record: ImportRecord, query: str = "") -> str:
    answer = client.get(f"/projects/{record.project_id}/import/{record.pk}/?{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def start(client: Client, record: ImportRecord, **mapped: str) -> ImportRecord:
    client.post(f"/projects/{record.project_id}/import/{record.pk}/start/", mapped)
    record.refresh_from_db()
    return record


def kept_files(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_only_who_may_import_is_let_in(project: Project, mia: User, stranger: User) -> None:
    def status(user: User | None) -> int:
        client = Client()
        if user:
            client.force_login(user)
        return client.get(f"/projects/{project.pk}/import/").status_code

    reviewer = User.objects.create_user("anna", is_staff=True)
    assert (status(None), status(stranger), status(reviewer), status(mia)) == (302, 403, 403, 200)


def test_a_project_of_others_is_not_found(project: Project) -> None:
    ben = User.objects.create_user("ben", is_staff=True)
    ben.user_permissions.add(Permission.objects.get(codename="add_importrecord"))
    client = Client()
    client.force_login(ben)
    assert client.get(f"/projects/{project.pk}/import/").status_code == 404


def test_an_import_is_found_under_its_own_project_only(client: Client, uploaded) -> None:
    record, other = uploaded(), Project.objects.create(name="Other")
    assert client.get(f"/projects/{other.pk}/import/{record.pk}/").status_code == 404


# --- Before anything is done ------------------------------------------------------------------------------------------


def test_an_upload_imports_nothing_and_is_kept_in_a_private_file(uploaded, project: Project, tmp_path: Path) -> None:
    record = uploaded()
    assert (record.status, record.file_name, record.file_format) == (ImportStatus.UPLOADED, "news.csv", "csv")
    assert not project.texts.exists()
    (kept,) = kept_files(tmp_path)
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "news" not in kept.name


def test_columns_are_chosen_by_their_names(client: Client, uploaded) -> None:
    shown = page(client, uploaded("id,text,author\n7,goal,Ann\n"))
    assert '<option value="text" selected>' in shown and '<option value="id" selected>' in shown
    assert "Kept as metadata: author." in shown


def test_without_a_known_name_the_texts_column_is_asked_for(client: Client, uploaded) -> None:
    shown = page(client, uploaded())
    assert "Choose the column that holds the texts." in shown
    assert "goal" in shown and 'id="import"' not in shown


def test_the_other_columns_are_suggested_while_the_texts_column_is_asked_for(client: Client, uploaded) -> None:
    shown = page(client, uploaded("id,answer,lang\n7,goal,en\n"))
    assert '<option value="id" selected>' in shown and '<option value="lang" selected>' in shown
    assert '<option value="answer" selected>' not in shown


def test_a_column_that_is_chosen_for_the_texts_is_nothing_else(client: Client, uploaded, project: Project) -> None:
    mapped = {"text_column": "source", "source_column": "source"}
    record = uploaded("source,target\ngoal,but\n")
    assert page(client, record, urlencode(mapped)).count('<option value="source" selected>') == 1
    assert start(client, record, **mapped).added == 1
    assert project.texts.get().source == ""


def test_a_value_that_only_a_name_had_suggested_is_imported_as_the_preview_says(
    client: Client, uploaded, project: Project
) -> None:
    record = uploaded(f"text,source\ngoal,{'long ' * 60}\n")
    shown = page(client, record)
    assert "<strong>1</strong> would be added" in shown
    sent = dict(re.findall(r'<input type="hidden" name="(\w+_column)" value="([^"]*)"', shown))
    assert start(client, record, **sent).added == 1


def test_the_preview_says_what_will_happen(client: Client, uploaded, project: Project, add_texts) -> None:
    add_texts(project, "rain")
    shown = page(client, uploaded(), "text_column=headline&id_column=&source_column=&language_column=&label_column=")
    assert "The file has 4 rows. Of these <strong>1</strong> would be added, 1 is in the project already" in shown
    assert "1 repeats a row before, 1 has no text." in shown
    assert "CSV, encoded in UTF-8, separated by comma" in shown


def test_labels_without_a_category_are_named(client: Client, uploaded) -> None:
    query = "text_column=headline&label_column=topic"
    record = uploaded()
    assert "Labels without a category: Chess" in page(client, record, query)
    assert "New categories: Chess" in page(client, record, f"{query}&create_categories=on")


def test_a_label_of_a_retired_category_is_not_shown_as_a_new_category(client, uploaded, project: Project) -> None:
    project.categories.filter(name="Sports").update(name="Ice hockey", is_active=False)
    record = uploaded("text,topic\ngoal,Ice  hockey\n")
    shown = page(client, record, "text_column=text&label_column=topic&create_categories=on")
    assert "New categories" not in shown and "is retired: make it active again" in shown


def test_a_file_in_another_encoding_can_be_read_after_all(client: Client, uploaded, project: Project) -> None:
    record = uploaded("text\nStra\u00dfe\n".encode("cp1252"))
    assert "this is not UTF-8" in page(client, record) and "“Encoding”" in page(client, record)
    assert "Stra\u00dfe" in page(client, record, "encoding=cp1252")
    start(client, record, text_column="text", encoding="cp1252")
    assert project.texts.get().content == "Stra\u00dfe"


def test_an_upload_can_be_deleted(client: Client, uploaded, project: Project, tmp_path: Path) -> None:
    record = uploaded()
    client.post(f"/projects/{project.pk}/import/{record.pk}/cancel/")
    record.refresh_from_db()
    assert (record.status, kept_files(tmp_path)) == (ImportStatus.CANCELLED, [])


# --- What is refused, and how -----------------------------------------------------------------------------------------

REFUSED_AT_ONCE = {
    "nothing": ({"file": ""}, "Choose a file or paste lines"),
    "both": ({"file": SimpleUploadedFile("a.csv", b"text\na\n"), "pasted": "b"}, "Choose a file or paste lines"),
    "no bytes": ({"file": SimpleUploadedFile("a.csv", b"")}, "is empty: it has no bytes"),
    "unknown ending": ({"file": SimpleUploadedFile("a.docx", b"x")}, "The format of a.docx is not known"),
}


@pytest.mark.parametrize("case", REFUSED_AT_ONCE)
def test_what_can_be_no_table_is_refused_at_once(client: Client, project: Project, case: str) -> None:
    data, words = REFUSED_AT_ONCE[case]
    answer = client.post(f"/projects/{project.pk}/import/", data)
    assert (answer.status_code, ImportRecord.objects.count()) == (400, 0)
    assert words in answer.content.decode()


REFUSED_ON_LOOKING = {
    "not a workbook": (b"text\na\n", "a.xlsx", "is not an XLSX workbook"),
    "a workbook cut off": (b"PK\x03\x04" + bytes(500), "a.xlsx", "cut off"),
    "not Parquet": (b"PAR1 and no more", "a.parquet", "is not a Parquet file, or a damaged one"),
    "a picture": (b"\x89PNG\r\n", "a.csv", "it is a picture"),
    "NUL bytes": (b"a\x00b\x00\x00\x00\x00" * 9, "a.txt", "it holds NUL bytes"),
    "gzip cut off": (b"\x1f\x8b\x08\x00", "a.csv.gz", "damaged or cut off"),
    "no header": (b"\n\n", "a.csv", "It must name the columns"),
    "an object": (b'{"a": 1}', "a.json", "use “Format” jsonl"),
}


@pytest.mark.parametrize("case", REFUSED_ON_LOOKING)
def test_a_file_that_is_no_table_says_what_to_do(client: Client, uploaded, case: str) -> None:
    content, name, words = REFUSED_ON_LOOKING[case]
    shown = page(client, uploaded(content, name))
    assert words in shown
    assert "Delete the upload and choose another file" in shown


def test_a_file_that_is_too_large_is_refused_and_not_kept(
    client: Client, project: Project, settings: LazySettings, tmp_path: Path
) -> None:
    settings.MAX_UPLOAD_MB = 1
    answer = send(client, project, b"text\n" + b"x" * (2 * 1024**2 + 100))
    assert (answer.status_code, ImportRecord.objects.count(), kept_files(tmp_path)) == (400, 0, [])
    assert "larger than 1 MB. Split it" in answer.content.decode()


def test_a_column_that_the_file_does_not_have_is_refused_at_the_start(client: Client, uploaded) -> None:
    record = uploaded()
    answer = client.post(f"/projects/{record.project_id}/import/{record.pk}/start/", {"text_column": "nowhere"})
    assert "There is no column &#x27;nowhere&#x27; (“Text”)" in answer.content.decode()
    record.refresh_from_db()
    assert record.status == ImportStatus.UPLOADED


# --- What is done -----------------------------------------------------------------------------------------------------


def test_a_small_file_is_imported_without_a_worker(client: Client, uploaded, project: Project, tmp_path: Path) -> None:
    record = start(client, uploaded(), **MAPPED)
    assert (record.status, record.added, record.duplicate, record.empty) == (ImportStatus.FINISHED, 2, 1, 1)
    text = project.texts.get(content="goal")
    assert (text.external_id, text.source, text.metadata) == ("1", "ap", {"topic": "Sports"})
    assert (record.created_by.username, kept_files(tmp_path)) == ("mia", [])


def test_a_column_that_is_set_to_none_stays_metadata(client: Client, uploaded, project: Project) -> None:
    start(client, uploaded("id,text\n7,goal\n"), text_column="text", id_column="")
    text = project.texts.get()
    assert (text.external_id, text.metadata) == ("", {"id": "7"})


def test_pasted_lines_are_texts(client: Client, project: Project) -> None:
    client.post(f"/projects/{project.pk}/import/", {"pasted": "goal\nrain, and sun\n"})
    start(client, ImportRecord.objects.get(), text_column="text")
    assert set(project.texts.values_list("content", flat=True)) == {"goal", "rain, and sun"}


def test_labels_are_taken_over(client: Client, uploaded, project: Project) -> None:
    start(client, uploaded(), text_column="headline", label_column="topic", create_categories="on")
    assert project.texts.get(content="rain").current_label.category.name == "Chess"
    assert project.texts.filter(status=TextStatus.REVIEWED).count() == 2


def test_started_twice_it_is_imported_once(client: Client, uploaded, project: Project) -> None:
    record = uploaded()
    start(client, record, **MAPPED)
    start(client, record, **MAPPED)
    assert (record.added, record.duplicate, project.texts.count()) == (2, 1, 2)


def test_a_large_file_is_left_to_the_background(
    client: Client, uploaded, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE_BYTES", 10)
    record = start(client, uploaded(), **MAPPED)
    assert (record.status, project.texts.count()) == (ImportStatus.QUEUED, 0)
    assert "No background worker is running" in page(client, record)
    uploads.carry_on(record.pk)
    answer = client.get(f"/projects/{project.pk}/import/{record.pk}/progress.json").json()
    assert (answer["status"], answer["added"], answer["percent"]) == ("finished", 2, 100)


def test_an_import_of_a_command_waits_for_no_worker(client: Client, project: Project) -> None:
    record = ImportRecord.objects.create(project=project, file_format="csv")
    assert "No background worker" not in page(client, record)


def test_rejected_rows_can_be_downloaded_put_right_and_imported(client: Client, uploaded, project: Project) -> None:
    record = start(client, uploaded(), text_column="headline", label_column="topic", id_column="key")
    assert "the project has no category &#x27;Chess&#x27;: add it, or use “Create the categories" in page(
        client, record
    )
    answer = client.get(f"/projects/{project.pk}/import/{record.pk}/rejected.csv")
    content = b"".join(answer.streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["rejected_line"], row["headline"], row["topic"], row["key"], row["wire"]) == (
        "5",
        "rain",
        "Chess",
        "4",
        "dpa",
    )
    again = uploaded(content.replace("Chess", "Weather"), "right.csv")
    start(client, again, text_column="headline", label_column="topic")
    assert project.texts.get(content="rain").current_label.category.name == "Weather"


def test_new_texts_are_labeled_by_one_click(client: Client, uploaded, project: Project) -> None:
    record = start(client, uploaded(), **MAPPED)
    answer = client.post(f"/projects/{project.pk}/import/{record.pk}/label/")
    run = LabelingRun.objects.get()
    assert (run.project, answer.url) == (project, f"/runs/{run.pk}/")


def test_progress_refuses_in_json(uploaded, project: Project, stranger: User) -> None:
    address = f"/projects/{project.pk}/import/{uploaded().pk}/progress.json"
    strange = Client()
    assert strange.get(address).json()["code"] == "signed_out"
    strange.force_login(stranger)
    assert (strange.get(address).status_code, strange.get(address).json()["code"]) == (403, "not_allowed")


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_pages_ask_few_questions(client: Client, uploaded, django_assert_max_num_queries) -> None:
    record = uploaded()
    for done in (lambda: None, lambda: start(client, record, **MAPPED)):
        done()
        for path in ("", f"{record.pk}/", f"{record.pk}/?text_column=headline&label_column=topic"):
            with django_assert_max_num_queries(15):
                assert client.get(f"/projects/{record.project_id}/import/{path}").status_code == 200
