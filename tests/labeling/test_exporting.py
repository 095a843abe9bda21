import csv
import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import exporting
from labeling.models import Category, Label, Project, Text
from labeling.spreadsheets import unescape_formula
from labeling.writers import FORMATS

AddTexts = Callable[..., list[Text]]
FILES = [name for name, chosen in FORMATS.items() if not chosen.is_folder]


def hold(text: Text, status: str, **values: Any) -> Label:
    """Give the text a label that holds now."""
    label = Label.objects.create(text=text, **{"version": 1, "origin": "model", "confidence": 0.9, **values})
    Text.objects.filter(pk=text.pk).update(current_label=label, status=status)
    return label


@pytest.fixture
def sports(project: Project) -> Category:
    return project.categories.get(name="Sports")


@pytest.fixture
def texts(project: Project, sports: Category, add_texts: AddTexts) -> list[Text]:
    """One text of each status, named for it."""
    made = add_texts(project, "unlabeled", "needs review", "accepted", "reviewed", "failed", "flagged")
    for text, status in zip(made[1:4], ["needs_review", "accepted", "reviewed"], strict=True):
        hold(text, status, category=sports)
    Text.objects.filter(pk=made[4].pk).update(status="failed", error="timeout")
    Text.objects.filter(pk=made[5].pk).update(status="flagged")
    return made


def contents(project: Project, only: exporting.Only) -> list[str]:
    return [row.text for row in exporting.rows(project, only)]


def only_row(project: Project) -> exporting.Record:
    (row,) = exporting.rows(project)
    return row


# --- Which texts ---


def test_all_holds_every_text_by_id(project: Project, texts: list[Text]) -> None:
    assert [row.text_id for row in exporting.rows(project)] == [text.pk for text in texts]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("labeled", ["needs review", "accepted", "reviewed"]),
        ("accepted", ["accepted"]),
        ("reviewed", ["reviewed"]),
    ],
)
def test_a_selection_holds_only_its_statuses(
    project: Project, texts: list[Text], only: exporting.Only, expected: list[str]
) -> None:
    assert contents(project, only) == expected


def test_texts_of_other_projects_stay_out(project: Project, texts: list[Text], add_texts: AddTexts) -> None:
    add_texts(Project.objects.create(name="Other"), "not of this project")
    assert "not of this project" not in contents(project, "all")


# --- What a row says ---


def test_an_unlabeled_text_has_nulls_for_its_label(project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "nothing yet")
    row = only_row(project)
    nulls = {"category", "confidence", "is_calibrated", "origin", "provider", "model", "reviewer", "explanation"}
    nulls |= {"confidence_source", "labeled_at", "label_version", "is_truncated"}
    assert {name for name, value in row._asdict().items() if value is None} == nulls
    assert (row.status, row.evidence, row.alternatives, row.metadata) == ("unlabeled", [], [], {})


def test_a_models_label_carries_its_provenance(project: Project, sports: Category, add_texts: AddTexts) -> None:
    (text,) = add_texts(project, "Great match")
    label = hold(
        text,
        "accepted",
        category=sports,
        is_calibrated=True,
        confidence_source="logprobs",
        provider="local",
        model_name="MiniLM",
        explanation="The word match.",
        version=3,
        is_truncated=True,
    )
    row = only_row(project)
    assert (row.category, row.confidence, row.is_calibrated, row.origin) == ("Sports", 0.9, True, "model")
    assert row.confidence_source == "logprobs"
    assert (row.provider, row.model, row.reviewer) == ("local", "MiniLM", None)
    assert (row.explanation, row.label_version, row.is_truncated) == ("The word match.", 3, True)
    assert row.labeled_at == label.created_at
    assert row.labeled_at.tzinfo == UTC


def test_a_persons_label_names_the_person(
    project: Project, sports: Category, add_texts: AddTexts, manager: User
) -> None:
    (text,) = add_texts(project, "Great match")
    hold(text, "reviewed", category=sports, origin="human", confidence=None, annotator=manager)
    row = only_row(project)
    assert (row.reviewer, row.origin, row.confidence, row.provider) == ("manager", "human", None, None)


def test_an_imported_label_names_its_source(project: Project, sports: Category, add_texts: AddTexts) -> None:
    (text,) = add_texts(project, "Great match")
    hold(text, "reviewed", category=sports, origin="human", confidence=None, source="gold.csv")
    assert only_row(project).reviewer == "gold.csv"


def test_evidence_shows_the_words(project: Project, sports: Category, add_texts: AddTexts) -> None:
    (text,) = add_texts(project, "🙂 Größte match")
    hold(text, "accepted", category=sports, evidence=[[2, 8, 0.5], [9, 14, -0.1]])
    assert only_row(project).evidence == [
        {"start": 2, "end": 8, "word": "Größte", "weight": 0.5},
        {"start": 9, "end": 14, "word": "match", "weight": -0.1},
    ]


def test_alternatives_are_the_best_other_categories(project: Project, sports: Category, add_texts: AddTexts) -> None:
    more = [Category.objects.create(project=project, name=f"Category {n}") for n in range(7)]
    (text,) = add_texts(project, "Great match")
    scores = [[category.pk, n / 100] for n, category in enumerate(more)]
    hold(text, "accepted", category=sports, scores=[[sports.pk, 0.9], *scores, [10**9, 0.5]])
    assert only_row(project).alternatives == [
        {"category": f"Category {n}", "probability": n / 100} for n in (6, 5, 4, 3, 2)
    ]


def test_metadata_comes_back_as_it_was(project: Project, add_texts: AddTexts) -> None:
    (text,) = add_texts(project, "Great match")
    metadata = {"größe": [1, 2.5, None, {"a": "🙂"}], "ok": True}
    Text.objects.filter(pk=text.pk).update(metadata=metadata, external_id="007", source="feed", language="en")
    row = only_row(project)
    assert row.metadata == metadata
    assert (row.external_id, row.source, row.language) == ("007", "feed", "en")


# --- How it is read ---


def test_rows_are_read_in_one_query_besides_the_names(project: Project, texts: list[Text]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(list(exporting.rows(project))) == 6
    assert len([query for query in queries if "SELECT" in query["sql"].upper()]) <= 3  # categories, people, rows


@pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite plans")
@pytest.mark.parametrize("only", exporting.SELECTIONS)
def test_sqlite_sorts_no_rows(project: Project, texts: list[Text], only: exporting.Only) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(exporting.rows(project, only))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + queries[-1]["sql"])
        plan = " ".join(str(line) for line in cursor.fetchall())
    assert "COVERING INDEX text_by_" in plan
    assert "TEMP B-TREE" not in plan


def test_the_rows_of_an_export_are_those_of_one_moment(
    project: Project, add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH_ROWS", 1)
    add_texts(project, "one", "two", "three")
    rows = exporting.rows(project)
    next(rows)
    if connection.vendor == "postgresql":  # on SQLite the same connection sees its own changes
        Text.objects.filter(content="three").update(content="changed")
    assert [row.text for row in rows] == ["two", "three"]


# --- Files ---


@pytest.mark.parametrize("file_format", FILES)
def test_a_stream_and_a_file_get_the_same_rows(
    project: Project, texts: list[Text], tmp_path: Path, file_format: str
) -> None:
    stream, path = io.BytesIO(), tmp_path / "labels"
    first = exporting.export(project, file_format=file_format, to=stream)
    second = exporting.export(project, file_format=file_format, to=path)
    assert first == second == exporting.ExportSummary(rows=6, notes=())
    if file_format != "xlsx":  # which holds the time it was made
        assert path.read_bytes() == stream.getvalue()


def test_rows_are_counted_while_they_are_written(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH_ROWS", 4)
    seen: list[int] = []
    exporting.export(project, file_format="csv", to=io.BytesIO(), on_rows=seen.append)
    assert seen == [4, 6]


@pytest.mark.parametrize("content", ["=1+1", "'=1+1", "''-x", "'quoted'", "a\r\nb", 'say "hi", ok', "＝cmd"])
def test_texts_come_back_from_csv(project: Project, add_texts: AddTexts, content: str) -> None:
    add_texts(project, content)
    data = b"".join(exporting.chunks(project, file_format="csv"))
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert unescape_formula(row["text"]) == content


def test_too_many_rows_are_refused_at_once(
    project: Project, texts: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "xlsx", replace(FORMATS["xlsx"], most_rows=5))
    with pytest.raises(exporting.DoesNotFit, match=r"6 texts are more than xlsx can hold. Choose csv or parquet"):
        exporting.chunks(project, file_format="xlsx")


def test_a_new_file_has_the_usual_permissions(project: Project, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    exporting.export(project, file_format="csv", to=tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_keeps_pointing_to_the_file(project: Project, tmp_path: Path) -> None:
    link, file = tmp_path / "latest.csv", tmp_path / "labels.csv"
    file.write_text("old")
    link.symlink_to(file)
    exporting.export(project, file_format="csv", to=link)
    assert link.is_symlink()
    assert file.read_text().startswith("text,")


def failing(error: BaseException) -> Callable[..., Iterator[bytes]]:
    """A writer that fails after its first bytes."""

    def chunks(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise error

    return chunks


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("old")
    monkeypatch.setattr("labeling.writers.delimited.comma_separated", failing(error))
    with pytest.raises((exporting.CannotWrite, KeyboardInterrupt)):
        exporting.export(project, file_format="csv", to=path)
    assert [file.name for file in tmp_path.iterdir()] == ["labels.csv"]
    assert path.read_text() == "old"


def test_a_full_disk_says_what_to_do(project: Project, texts: list[Text]) -> None:
    with pytest.raises(exporting.CannotWrite, match=r"No space left on device: cannot write /dev/full. Free space or"):
        exporting.export(project, file_format="csv", to=Path("/dev/full"))
    assert Path("/dev/full").is_char_device()


def test_a_missing_folder_says_what_to_do(project: Project, tmp_path: Path) -> None:
    with pytest.raises(exporting.CannotWrite, match=r"Create the folder first"):
        exporting.export(project, file_format="csv", to=tmp_path / "missing" / "labels.csv")


def test_a_disk_that_fills_at_the_last_moment_leaves_the_old_file(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "labels.jsonl"
    path.write_text("old")
    monkeypatch.setattr("labeling.writers.replacing.os.fsync", full)
    with pytest.raises(exporting.CannotWrite, match=r"No space left"):
        exporting.export(project, file_format="jsonl", to=path)
    assert path.read_text() == "old"


# --- Folders ---


def test_a_folder_replaces_an_older_export(project: Project, add_texts: AddTexts, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    exporting.export(project, file_format="hf", to=folder)
    before = (folder / "state.json").read_text()
    add_texts(project, "one more")
    assert exporting.export(project, file_format="hf", to=folder).rows == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels"]
    assert (folder / "state.json").read_text() != before


def test_a_folder_with_other_files_is_never_replaced(project: Project, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(exporting.CannotWrite, match=r"holds other files \(thesis.tex\)"):
        exporting.export(project, file_format="hf", to=tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_failure_leaves_the_old_folder(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "labels"
    exporting.export(project, file_format="hf", to=folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    monkeypatch.setattr("labeling.writers.columnar._state", failing_state)
    with pytest.raises(exporting.CannotWrite):
        exporting.export(project, file_format="hf", to=folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels"]


def failing_state(fingerprint: str) -> dict[str, Any]:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_needs_a_path(project: Project) -> None:
    with pytest.raises(exporting.CannotWrite, match=r"Name the folder"):
        exporting.export(project, file_format="hf", to=io.BytesIO())


def test_lines_of_a_longer_export_are_whole(
    project: Project, add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH_ROWS", 3)
    add_texts(project, *[f"text {n}" for n in range(10)])
    pieces = list(exporting.chunks(project, file_format="jsonl"))
    ids = [json.loads(line)["text_id"] for line in b"".join(pieces).splitlines()]
    assert len(pieces) == 4
    assert all(first < second for first, second in pairwise(ids))
