"""Rows become texts once, in whole batches, and what is left out is accounted for."""

import csv
import io
import json
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labeling import bulk, categories, importing, merging
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Category, ImportRecord, Label, Project, Text
from labeling.normalizing import content_hash, normalize
from labeling.readers import UnknownColumn, UnreadableFile

property_test = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Any text, also with NUL, line breaks, quotes and halves of surrogate pairs.
ANY_TEXTS = st.lists(st.text(max_size=60), max_size=30)
WRITABLE_TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=30)


def import_csv(project: Project, content: str, **options: Any) -> ImportRecord:
    return importing.import_file(project, io.BytesIO(content.encode()), file_name="texts.csv", **options)


def contents(project: Project) -> list[str]:
    return list(project.texts.order_by("id").values_list("content", flat=True))


def numbered(count: int) -> Iterator[dict[str, str]]:
    return ({"text": f"text number {number}"} for number in range(count))


class Interrupted(io.BytesIO):
    """Ctrl-C comes while the file is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise KeyboardInterrupt


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


# --- labels -------------------------------------------------------------------------------------------------------


def test_a_label_is_a_persons_word_that_holds_now(project: Project) -> None:
    import_csv(project, "text,topic\ngoal,SPORTS\nrain,\n", label_column="topic")
    text = project.texts.get(content="goal")
    label = text.labels.get()
    assert (label.category.name, label.origin, label.version) == ("Sports", LabelOrigin.HUMAN, 1)
    assert (label.annotator, label.confidence, label.source) == (None, None, "texts.csv")
    assert (text.current_label, text.status) == (label, TextStatus.REVIEWED)
    assert project.texts.get(content="rain").status == TextStatus.UNLABELED


def test_an_unknown_label_says_how_to_add_the_category(project: Project) -> None:
    record = import_csv(project, "text,topic\ngoal,Chess\n", label_column="topic")
    assert record.rejections == [
        {"line": 2, "reason": "the project has no category 'Chess': add it, or use --create-categories"}
    ]
    assert not project.texts.exists()


@pytest.mark.parametrize("create", [False, True])
def test_a_retired_category_gets_no_new_labels(project: Project, create: bool) -> None:
    project.categories.filter(name="Sports").update(is_active=False)
    record = import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic", create_categories=create)
    assert "category 'Sports' is retired: make it active again" in record.rejections[0]["reason"]


@pytest.mark.parametrize("create", [False, True])
def test_the_name_of_a_merged_category_means_the_other_one(project: Project, create: bool) -> None:
    merging.start(project.categories.get(name="Sports"), project.categories.get(name="Weather"))
    import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic", create_categories=create)
    assert project.texts.get().current_label.category.name == "Weather"


def test_missing_categories_are_created_on_request(project: Project) -> None:
    import_csv(project, "text,topic\na,Chess\nb,chess\nc,Go\n", label_column="topic", create_categories=True)
    assert list(project.categories.values_list("name", flat=True)) == ["Sports", "Business", "Weather", "Chess", "Go"]
    assert list(Label.objects.order_by("id").values_list("category__name", flat=True)) == ["Chess", "Chess", "Go"]


@pytest.mark.parametrize("create", [False, True])
def test_white_space_in_a_label_makes_no_other_category(project: Project, create: bool) -> None:
    project.categories.create(name="Very positive")
    content = 'text,topic\na,Very  positive\nb,"very\npositive"\n'
    import_csv(project, content, label_column="topic", create_categories=create)
    assert project.categories.count() == 4
    assert set(Label.objects.values_list("category__name", flat=True)) == {"Very positive"}
    assert Label.objects.count() == 2


def test_a_category_of_a_label_has_its_name_in_the_plain_form(project: Project) -> None:
    import_csv(project, "text,topic\na,Very  positive\nb,Very positive\n", label_column="topic", create_categories=True)
    categories.edit(project.categories.get(name="Very positive"), {"description": "Praise."})
    assert Label.objects.filter(category__name="Very positive").count() == 2


def test_of_two_categories_that_differ_in_white_space_a_label_means_the_first(project: Project) -> None:
    for name in ("Very positive", "Very  positive"):  # as imports once made them
        project.categories.create(name=name, position=4)
    import_csv(project, "text,topic\na,Very positive\nb,Very  positive\n", label_column="topic")
    assert list(Label.objects.values_list("category__name", flat=True)) == ["Very positive"] * 2


def test_a_label_column_with_thousands_of_values_is_refused(project: Project) -> None:
    rows = [{"text": f"text {number}", "key": str(number)} for number in range(1500)]
    with pytest.raises(importing.ImportFailed, match="Check --label-column"):
        importing.import_rows(project, rows, label_column="key", create_categories=True)
    assert project.categories.count() == 3


def test_a_text_that_was_there_keeps_its_label(project: Project) -> None:
    import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic")
    record = import_csv(project, "text,topic\ngoal,Weather\n", label_column="topic")
    assert record.duplicate == 1
    assert project.texts.get().current_label.category.name == "Sports"


def test_the_first_label_of_a_text_in_a_file_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)
    import_csv(project, "text,topic\ngoal,Sports\na,\ngoal,Weather\na,Weather\n", label_column="topic")
    assert [label.category.name for label in Label.objects.all()] == ["Sports"]


def test_many_labels_cost_few_queries(
    project: Project, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": f"text {number}", "topic": "Sports"} for number in range(3000)]
    with django_assert_max_num_queries(20):
        importing.import_rows(project, rows, label_column="topic")
    assert project.texts.filter(status=TextStatus.REVIEWED).count() == 3000


# --- stopping in the middle ---------------------------------------------------------------------------------------


def test_a_damaged_file_keeps_the_rows_before(project: Project) -> None:
    damaged = io.BytesIO(b'[{"text": "a"}, {"text": "b"}, {"te')
    with pytest.raises(UnreadableFile):
        importing.import_file(project, damaged, file_name="a.json")
    record = ImportRecord.objects.get()
    assert (contents(project), record.added) == (["a", "b"], 2)
    assert "cut off or damaged in row 3" in record.error
    assert record.finished_at is not None


def test_ctrl_c_keeps_whole_batches(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    stream = Interrupted(b"text\n" + b"".join(b"text %d\n" % number for number in range(35)))
    with pytest.raises(KeyboardInterrupt):
        importing.import_file(project, stream, file_name="texts.csv")
    record = ImportRecord.objects.get()
    assert (project.texts.count(), record.added) == (30, 30)
    assert record.error.startswith("Interrupted. Import the file again")


def test_running_again_adds_only_what_is_missing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    content = b"text\n" + b"".join(b"text %d\n" % number for number in range(35))
    with pytest.raises(KeyboardInterrupt):
        importing.import_file(project, Interrupted(content), file_name="texts.csv")
    again = importing.import_file(project, io.BytesIO(content), file_name="texts.csv")
    assert (again.added, again.duplicate, project.texts.count()) == (5, 30, 35)


def test_a_batch_that_fails_leaves_nothing_of_itself(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(importing.annotations, "record_imported_labels", fail)
    with pytest.raises(RuntimeError):
        import_csv(project, "text,topic\nsecret words,Sports\n", label_column="topic")
    record = ImportRecord.objects.get()
    assert (project.texts.count(), record.added) == (0, 0)
    assert record.error == "Stopped by RuntimeError. Import the file again: what was added is skipped."


def test_progress_is_told_after_each_batch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    seen: list[int] = []
    importing.import_rows(project, numbered(25), progress=lambda record, fraction: seen.append(record.added))
    assert seen == [10, 20, 25]


def test_rows_that_come_slowly_are_written_as_they_come(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_SECONDS", 0.0)
    stored: list[int] = []

    class Slow:
        lines = iter([b"text\n", b"one\n", b"two\n", b"three\n"])

        def read(self, size: int = -1, /) -> bytes:
            stored.append(project.texts.count())
            return next(self.lines, b"")

    importing.import_file(project, Slow(), file_name="texts.csv")
    assert stored[:5] == [0, 0, 1, 2, 3]


# --- size and company ---------------------------------------------------------------------------------------------


def peak_of_import(project: Project, rows: int) -> int:
    tracemalloc.start()
    importing.import_rows(project, numbered(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_file(project: Project) -> None:
    peak_of_import(project, 5_000)  # whatever is loaded once
    small, large = peak_of_import(project, 10_000), peak_of_import(project, 40_000)
    assert large < small * 1.2


@pytest.mark.parametrize("column", ["text", "note"])
def test_long_rows_make_small_batches(project: Project, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    monkeypatch.setattr(importing, "BATCH_CHARACTERS", 100)
    seen: list[int] = []
    rows = [{"text": f"{number}", column: f"{number}" * 60} for number in range(4)]
    importing.import_rows(project, rows, progress=lambda record, fraction: seen.append(record.added))
    assert seen == [2, 4]


def in_threads(*works: Any) -> list[Any]:
    """The results of functions that run at the same time, each with its own connection."""
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        try:
            start.wait(timeout=30)
            results[place] = works[place]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_the_same_time_add_each_text_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 50)
    rows = [{"text": f"text {number}", "topic": "Chess"} for number in range(1000)]
    options: Any = {"label_column": "topic", "create_categories": True}
    one, other = in_threads(
        lambda: importing.import_rows(project, rows, **options),
        lambda: importing.import_rows(project, rows[::-1], **options),
    )
    assert one.added + other.added == 1000
    assert one.duplicate + other.duplicate == 1000
    counts = in_threads(
        lambda: (Text.objects.count(), Label.objects.count(), Category.objects.filter(name="Chess").count())
    )
    assert counts == [(1000, 1000, 1)]


# --- bulk ---------------------------------------------------------------------------------------------------------


def test_a_plain_insert_refuses_duplicates(project: Project) -> None:
    rows = [("a", "h"), ("b", "h")]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk})
    assert not project.texts.exists()


def test_only_duplicates_are_forgiven(project: Project) -> None:
    shared = {"project": project.pk, "status": "no such status"}
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert_ignoring_duplicates(Text, ("content", "content_hash"), [("a", "h")], shared=shared)


def test_inserting_nothing_is_no_error(project: Project) -> None:
    assert bulk.insert_ignoring_duplicates(Text, ("content", "content_hash"), []) == 0
