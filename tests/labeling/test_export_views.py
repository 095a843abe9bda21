"""The export dialog and the API of exports: who may, what a file would hold, and the file itself."""

import csv
import io
import json
import tracemalloc
import zipfile
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from labeling import annotations, api_keys, bulk, downloading, exporting
from labeling.choices import TextStatus
from labeling.models import ExportRecord, Project, Text
from labeling.normalizing import content_hash
from reviews.models import Reviewer
from tests.labeling.certificates import add_machine_labeled

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(mia: User) -> Client:
    made = Client()
    made.force_login(mia)
    return made


@pytest.fixture
def texts(project: Project, add_texts: Any) -> list[Text]:
    """One that a person labeled, and two without a label."""
    made: list[Text] = add_texts(project, "goal", "rain", "=1+1")
    annotations.record_imported_labels([(made[0], project.categories.get(name="Sports"))], source="a file")
    return made


def page(client: Client, project: Project) -> str:
    return " ".join(client.get(f"/projects/{project.pk}/export/").content.decode().split())


def download(client: Client, project: Project, query: str = "only=all&file_format=csv") -> Any:
    return client.get(f"/projects/{project.pk}/export/download/?{query}")


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


# --- What is chosen at first ------------------------------------------------------------------------------------------


def chosen(client: Client, project: Project) -> str:
    return page(client, project).split('" checked>')[0].rsplit('"', 1)[1]


def test_at_first_labels_that_stand_are_chosen_and_no_empty_file_where_there_are_none(
    client: Client, project: Project, texts: list[Text]
) -> None:
    assert chosen(client, project) == "final"
    Text.objects.filter(pk=texts[0].pk).update(status=TextStatus.NEEDS_REVIEW)
    assert chosen(client, project) == "labeled"
    assert chosen(client, Project.objects.create(name="Nothing yet")) == "final"


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_only_who_may_see_labels_may_export(project: Project, texts: list[Text], mia: User, stranger: User) -> None:
    anna = User.objects.create_user("anna", is_staff=True)
    Reviewer.objects.create(user=anna).projects.add(project)

    def statuses(user: User | None) -> tuple[int, ...]:
        client = Client()
        if user:
            client.force_login(user)
        addresses = (
            f"/projects/{project.pk}/export/",
            f"/projects/{project.pk}/export/download/?only=all&file_format=csv",
        )
        api = ("/api/exports/choices?project=News", "/api/exports/download?project=News")
        return tuple(client.get(address).status_code for address in (*addresses, *api))

    assert statuses(None) == (302, 302, 401, 401)
    assert statuses(stranger) == statuses(anna) == (403, 403, 403, 403)
    assert statuses(mia) == (200, 200, 200, 200)


def test_a_project_of_others_is_not_found(project: Project) -> None:
    ben = User.objects.create_user("ben", is_staff=True)
    ben.user_permissions.add(Permission.objects.get(codename="view_label"))
    client = Client()
    client.force_login(ben)
    assert download(client, project).status_code == 404
    assert client.get("/api/exports/download?project=News").status_code == 404


def test_a_key_needs_the_scope_to_read(project: Project, mia: User) -> None:
    for scope, status in (("read", 200), ("manage", 403)):
        key = api_keys.create(mia, name=scope, scopes=(scope,))
        assert Client(headers={"Authorization": f"Bearer {key}"}).get("/api/exports?project=News").status_code == status


# --- The dialog -------------------------------------------------------------------------------------------------------


def test_it_says_how_many_texts_each_choice_has(client: Client, project: Project, texts: list[Text]) -> None:
    Text.objects.filter(pk=texts[1].pk).update(status=TextStatus.FLAGGED)
    shown = page(client, project)
    assert '<span>Labels that stand: accepted or reviewed</span> <span class="export-count">1</span>' in shown
    assert '<span>All texts, also without a label</span> <span class="export-count">3</span>' in shown


def test_without_a_certificate_it_says_that_nothing_is_proven(client: Client, project: Project) -> None:
    assert "Nothing is proven: no certificate is in force." in page(client, project)


def test_the_promise_stands_in_words_and_goes_with_the_file(
    client: Client, project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = {"sentence": "At most 5 % are wrong.", "promise": "dataset", "still_undecided": 3}
    monkeypatch.setattr("labeling.certification.statement", lambda project: statement)
    shown = page(client, project)
    assert "At most 5 % are wrong." in shown and "3 texts still wait for people" in shown
    answer = download(client, project, "only=all&file_format=csv&with_certificate=on")
    with zipfile.ZipFile(io.BytesIO(content_of(answer))) as archive:
        names = archive.namelist()
        assert names == ["news-all/news-all.csv", "news-all/news-all.csv.certificate.json"]
        assert json.loads(archive.read(names[1])) == statement
        assert b"goal" in archive.read(names[0])


def test_a_wrong_choice_leads_back_with_words(client: Client, project: Project) -> None:
    answer = client.get(f"/projects/{project.pk}/export/download/?only=some&file_format=csv", follow=True)
    assert "only: Select a valid choice" in answer.content.decode()


def test_the_page_asks_few_questions(
    client: Client, project: Project, texts: list[Text], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(15):
        page(client, project)


# --- The file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", exporting.FORMATS)
def test_every_format_can_be_downloaded(client: Client, project: Project, texts: list[Text], file_format: str) -> None:
    answer = download(client, project, f"only=all&file_format={file_format}")
    ending = "zip" if file_format == "hf" else file_format
    assert answer["Content-Disposition"] == f'attachment; filename="news-all.{ending}"'
    assert answer["Content-Type"] == exporting.FORMATS[file_format].content_type
    content = content_of(answer)
    if file_format == "hf":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {name.split("/")[1] for name in archive.namelist()} == set(exporting.FORMATS["hf"].folder_names)
            assert archive.testzip() is None
    elif file_format == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content))["labels"]
        assert [sheet.cell(row, 1).value for row in range(1, 5)] == ["text", "goal", "rain", "=1+1"]
    elif file_format == "csv":
        assert [row["text"] for row in csv.DictReader(io.StringIO(content.decode()))] == ["goal", "rain", "'=1+1"]


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_only_the_chosen_columns_are_in_it(project: Project, texts: list[Text], file_format: str) -> None:
    file = downloading.download(project, file_format=file_format, columns=["text", "category"])
    content = b"".join(file.pieces)
    expected = ["text", "category", "label_version", "text_id"]
    if file_format in ("csv", "tsv"):
        assert content.decode().splitlines()[0].split("," if file_format == "csv" else "\t") == expected
    elif file_format == "jsonl":
        assert list(json.loads(content.splitlines()[0])) == expected
    elif file_format == "json":
        assert list(json.loads(content)[0]) == expected
    elif file_format == "xlsx":
        rows = openpyxl.load_workbook(io.BytesIO(content))["labels"].iter_rows(values_only=True)
        assert list(next(rows)) == expected
    else:
        import pyarrow.parquet as pq

        assert pq.read_table(io.BytesIO(content)).column_names == expected


def test_reviewed_texts_alone(client: Client, project: Project, texts: list[Text]) -> None:
    rows = content_of(download(client, project, "only=reviewed&file_format=jsonl")).splitlines()
    assert [json.loads(row)["text"] for row in rows] == ["goal"]


def test_a_text_too_long_for_a_cell_is_said_before_the_first_byte(
    client: Client, project: Project, add_texts: Any
) -> None:
    [text] = add_texts(project, "🙂" * 20_000)
    answer = client.get(f"/projects/{project.pk}/export/download/?only=all&file_format=xlsx", follow=True)
    assert (
        f"Text {text.pk} is longer than a cell of the format can be. Choose csv or parquet." in answer.content.decode()
    )
    refused = client.get("/api/exports/download?project=News&format=xlsx")
    assert (refused.status_code, refused.json()["code"]) == (409, "does_not_fit")
    assert client.get("/api/exports/download?project=News&format=xlsx&columns=category").status_code == 200


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "xlsx", "parquet", "hf"])
def test_the_first_bytes_come_before_the_last_rows_are_read(project: Project, file_format: str) -> None:
    rows = [(f"text number {number} " * 20, content_hash(str(number))) for number in range(30_000)]
    bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk})
    tracemalloc.start()
    try:
        file = downloading.download(project, file_format=file_format)
        first = next(piece for piece in file.pieces if piece)
        size = len(first) + sum(len(piece) for piece in file.pieces)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(first) < size
    assert peak < 60_000_000


def test_a_reader_who_leaves_leaves_no_cursor_open(project: Project, texts: list[Text]) -> None:
    for file_format in exporting.FORMATS:
        file = downloading.download(project, file_format=file_format)
        next(file.pieces)
        file.pieces.close()
    Text.objects.filter(pk=texts[0].pk).update(source="still writable")


# --- What is written down ---------------------------------------------------------------------------------------------


def test_who_took_out_what_is_written_down(client: Client, project: Project, texts: list[Text], mia: User) -> None:
    content_of(download(client, project, "only=reviewed&file_format=csv"))
    record = ExportRecord.objects.get()
    assert (record.created_by, record.only, record.file_format, record.rows) == (mia, "reviewed", "csv", 1)
    assert record.finished_at is not None
    [shown] = client.get("/api/exports?project=News").json()["results"]
    assert (shown["created_by"], shown["rows"], shown["certificate"]) == ("mia", 1, None)
    assert client.get(f"/api/exports/{record.pk}").json() == shown
    assert "reviewed</td><td>CSV</td>" in page(client, project)


def test_an_export_that_broke_off_is_not_finished(project: Project, texts: list[Text]) -> None:
    file = downloading.download(project, file_format="jsonl")
    next(file.pieces)
    file.pieces.close()
    assert ExportRecord.objects.get().finished_at is None


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_tells_what_there_is(client: Client, project: Project, texts: list[Text]) -> None:
    answer = client.get("/api/exports/choices?project=news").json()
    assert {choice["only"]: choice["texts"] for choice in answer["selections"]} == {
        "all": 3,
        "labeled": 1,
        "final": 1,
        "accepted": 0,
        "reviewed": 1,
    }
    assert (answer["promise"], "hf" in answer["formats"]) == (None, True)


def test_the_api_streams_the_file_whatever_is_accepted(client: Client, project: Project, texts: list[Text]) -> None:
    address = "/api/exports/download?project=News&format=jsonl&only=reviewed&columns=text,category"
    answer = client.get(address, headers={"Accept": "application/x-ndjson"})
    assert json.loads(content_of(answer)) == {
        "text": "goal",
        "category": "Sports",
        "label_version": 1,
        "text_id": texts[0].pk,
    }


def test_the_api_names_what_is_wrong(client: Client, project: Project) -> None:
    errors = client.get("/api/exports/download?project=News&format=doc&columns=colour").json()["errors"]
    assert set(errors) == {"format", "columns"}


def test_machine_labels_are_in_it(client: Client, project: Project) -> None:
    add_machine_labeled(project, [0.9, 0.4])
    rows = list(csv.DictReader(io.StringIO(content_of(client.get("/api/exports/download?project=News")).decode())))
    assert {row["origin"] for row in rows} == {"model"}
