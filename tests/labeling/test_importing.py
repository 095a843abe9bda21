"""Rows become texts once, and what is left out is accounted for."""

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labeling import importing
from labeling.choices import TextStatus
from labeling.models import ImportRecord, Project
from labeling.normalizing import content_hash, normalize
from labeling.readers import UnknownColumn
from tests.labeling.imports import contents, import_csv, numbered

property_test = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Any text, also with NUL, line breaks, quotes and halves of surrogate pairs.
ANY_TEXTS = st.lists(st.text(max_size=60), max_size=30)
WRITABLE_TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=30)


# --- what a text gets ---------------------------------------------------------------------------------------------


def test_a_text_gets_the_recognised_columns_and_the_rest_as_metadata(project: Project) -> None:
    import_csv(project, "id,text,source,lang,author,label\n7, hello ,wire,en,Ann,Sports\n")
    text = project.texts.get()
    assert (text.content, text.external_id, text.source, text.language) == ("hello", "7", "wire", "en")
    assert text.metadata == {"author": "Ann", "label": "Sports"}
    assert text.content_hash == content_hash("hello")
    assert text.status == TextStatus.UNLABELED


def test_columns_can_be_named(project: Project) -> None:
    table = "key,titel,kanal,sprache\n7,hallo,draht,de\n"
    import_csv(project, table, text_column="titel", id_column="key", source_column="kanal", language_column="sprache")
    text = project.texts.get()
    assert (text.content, text.external_id, text.source, text.language) == ("hallo", "7", "draht", "de")
    assert text.metadata == {}


def test_the_text_column_is_found_in_any_case(project: Project) -> None:
    import_csv(project, "nr,Body\n1,hello\n")
    assert contents(project) == ["hello"]


def test_a_single_column_is_the_text(project: Project) -> None:
    import_csv(project, "headline\nhello\n")
    assert contents(project) == ["hello"]


def test_texts_without_a_source_get_the_one_of_the_import(project: Project) -> None:
    import_csv(project, "text,source\na,\nb,wire\n", source="archive")
    assert list(project.texts.order_by("id").values_list("source", flat=True)) == ["archive", "wire"]


def test_texts_keep_the_order_of_the_file(project: Project) -> None:
    importing.import_rows(project, numbered(50))
    assert contents(project) == [f"text number {number}" for number in range(50)]


def test_numbers_become_texts(project: Project) -> None:
    importing.import_rows(project, [{"text": 5}, {"text": 2.5}, {"text": True}, {"text": float("nan")}])
    assert contents(project) == ["5", "2.5", "True"]


def test_metadata_becomes_json_that_every_database_takes(project: Project) -> None:
    odd = {
        "a\x00": "b\x00\ud800",
        "n": float("inf"),
        "d": date(2024, 1, 2),
        "m": Decimal("1.50"),
        "l": [{"x": b"\xff"}],
    }
    importing.import_rows(project, [{"text": "a", **odd}])
    assert project.texts.get().metadata == {
        "a": "b?",
        "n": None,
        "d": "2024-01-02",
        "m": "1.50",
        "l": [{"x": "(1 bytes)"}],
    }


def test_a_long_value_in_a_column_nobody_named_stays_metadata(project: Project) -> None:
    importing.import_rows(project, [{"text": "a", "source": "s" * 201}])
    text = project.texts.get()
    assert (text.source, text.metadata) == ("", {"source": "s" * 201})


# --- what is left out ---------------------------------------------------------------------------------------------


def test_rows_are_counted_by_what_became_of_them(project: Project) -> None:
    record = import_csv(project, "id,text\n1,a\n2,\n3,a\n4,b\n5,c,d\n6,   \n")
    assert (record.added, record.duplicate, record.empty, record.rejected) == (2, 1, 2, 1)
    assert record.finished_at is not None
    assert record.error == ""


def test_the_stored_record_is_the_returned_one(project: Project, manager: User) -> None:
    record = import_csv(project, "text\na\n", user=manager)
    stored = ImportRecord.objects.get()
    assert (stored.pk, stored.added, stored.created_by) == (record.pk, 1, manager)
    assert (stored.file_name, stored.file_format) == ("texts.csv", "csv")


def test_a_long_text_is_rejected_with_its_line_and_reason(project: Project, settings: LazySettings) -> None:
    settings.MAX_TEXT_LENGTH = 10
    record = import_csv(project, "text\nshort\nmuch too long\n")
    assert record.rejections == [
        {"line": 3, "reason": "the text has 13 characters, more than 10: shorten it or raise MAX_TEXT_LENGTH"}
    ]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"\xff"])
def test_a_value_that_is_no_text_is_rejected(project: Project, value: Any) -> None:
    record = importing.import_rows(project, [{"text": value}])
    assert record.rejected == 1
    assert "not a text" in record.rejections[0]["reason"]


def test_a_row_without_the_text_column_is_rejected(project: Project) -> None:
    record = importing.import_rows(project, [{"text": "a"}, {"other": "b"}])
    assert record.rejections == [{"line": 2, "reason": "has no 'text'"}]


def test_a_long_id_is_rejected_when_its_column_was_named(project: Project) -> None:
    record = importing.import_rows(project, [{"text": "a", "key": "k" * 201}], id_column="key")
    assert record.rejections == [{"line": 1, "reason": "the value in 'key' is not a text of at most 200 characters"}]


def test_metadata_that_is_nested_without_end_is_rejected(project: Project) -> None:
    nested: list[Any] = []
    for _ in range(200):
        nested = [nested]
    assert importing.import_rows(project, [{"text": "a", "x": nested}]).rejected == 1


def test_all_rejections_are_counted_and_twenty_kept(project: Project) -> None:
    record = importing.import_rows(project, [{"text": ["list"]}] * 30)
    assert record.rejected == 30
    assert [rejection["line"] for rejection in record.rejections] == list(range(1, 21))


def test_a_long_name_of_the_source_is_refused_before_anything_is_stored(project: Project) -> None:
    with pytest.raises(importing.ImportFailed, match="Shorten --source"):
        import_csv(project, "text\na\n", source="s" * 201)
    assert not ImportRecord.objects.exists()


def test_a_column_that_is_asked_for_is_not_guessed_to_be_something_else_besides(project: Project) -> None:
    rows = "source,target\n" + "long " * 60 + ",kurz\n"
    assert import_csv(project, rows, text_column="source").added == 1
    assert project.texts.get().source == ""


def test_an_unknown_column_lists_the_columns(project: Project) -> None:
    with pytest.raises(UnknownColumn, match=r"no column 'titel' \(--text-column\)\. Columns found: id, text"):
        import_csv(project, "id,text\n1,a\n", text_column="titel")
    assert not ImportRecord.objects.exists()


def test_a_table_without_a_likely_text_column_lists_the_columns(project: Project) -> None:
    with pytest.raises(UnknownColumn, match=r"--text-column\. Columns found: a, b\."):
        import_csv(project, "a,b\n1,2\n")


# --- each text once -----------------------------------------------------------------------------------------------


def test_importing_again_adds_nothing(project: Project) -> None:
    importing.import_rows(project, numbered(30))
    again = importing.import_rows(project, numbered(30))
    assert (again.added, again.duplicate, project.texts.count()) == (0, 30, 30)


def test_duplicates_far_apart_in_a_file_are_seen(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 3)
    record = importing.import_rows(project, [*numbered(10), *numbered(10)])
    assert (record.added, record.duplicate) == (10, 10)


def test_texts_that_differ_only_in_form_are_one(project: Project) -> None:
    record = importing.import_rows(project, [{"text": "caf\u00e9"}, {"text": " cafe\u0301\n"}])
    assert (record.added, record.duplicate) == (1, 1)


def test_another_project_may_have_the_same_text(project: Project) -> None:
    importing.import_rows(project, numbered(3))
    other = Project.objects.create(name="Other")
    assert importing.import_rows(other, numbered(3)).added == 3


def write(file_format: str, texts: list[str], path: Path) -> None:
    if file_format == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows([["text"], *([text] for text in texts)])
    elif file_format == "jsonl":
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    else:
        pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path)


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
@given(data=st.data())
@property_test
def test_what_was_written_is_what_is_there(db: None, tmp_path: Path, file_format: str, data: st.DataObject) -> None:
    texts = [*data.draw(ANY_TEXTS if file_format == "jsonl" else WRITABLE_TEXTS), "one"]
    if file_format == "csv":  # a NUL in the beginning of a text file means that it is not one
        texts = [text.replace("\x00", "") for text in texts]
    path = tmp_path / f"texts.{file_format}"
    write(file_format, texts, path)
    project = Project.objects.create(name=f"P{Project.objects.count()}")
    record = importing.import_file(project, path)
    expected = {normalize(text) for text in texts} - {""}
    assert set(contents(project)) == expected
    assert (record.added, record.added + record.duplicate + record.empty) == (len(expected), len(texts))


@given(texts=ANY_TEXTS)
@property_test
def test_a_second_import_adds_nothing_whatever_the_texts(db: None, texts: list[str]) -> None:
    project = Project.objects.create(name=f"P{Project.objects.count()}")
    first = importing.import_rows(project, [{"text": text} for text in [*texts, "one"]])
    again = importing.import_rows(project, [{"text": text} for text in [*texts, "one"]])
    assert (again.added, again.duplicate) == (0, first.added + first.duplicate)
