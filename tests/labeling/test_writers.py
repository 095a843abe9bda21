"""Every format is read back by its usual reader."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling.spreadsheets import unescape_formula
from labeling.writers import FORMATS, columnar
from labeling.writers.record import DoesNotFit, Record, Tally
from labeling.writers.text_values import FLAT_COLUMNS, iso

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NASTY = 'Line one\r\nline "two", three\tfour\rfive ; größer 漢字 🙂 \u2028'


def record(**changes: Any) -> Record:
    full = Record(
        text="Great match",
        external_id="007",
        source="feed",
        language="en",
        category="Sports",
        confidence=0.875,
        is_calibrated=True,
        confidence_source="probabilities",
        origin="model",
        status="accepted",
        provider="local",
        model="MiniLM",
        reviewer=None,
        explanation="The word match.",
        evidence=[{"start": 6, "end": 11, "word": "match", "weight": 0.5}],
        alternatives=[{"category": "Weather", "probability": 0.125}],
        labeled_at=NOON,
        created_at=NOON,
        label_version=2,
        text_id=17,
        metadata={"row": 1, "größe": [1, None]},
        is_truncated=False,
    )
    return full._replace(**changes)


UNLABELED = record(
    text_id=18,
    category=None,
    confidence=None,
    is_calibrated=None,
    confidence_source=None,
    origin=None,
    status="unlabeled",
    provider=None,
    model=None,
    explanation=None,
    evidence=[],
    alternatives=[],
    labeled_at=None,
    label_version=None,
    metadata={},
    is_truncated=None,
)


def written(file_format: str, *records: Record, tally: Tally | None = None) -> bytes:
    batches = [[one] for one in records]
    return b"".join(FORMATS[file_format].chunks(batches, tally or Tally()))


def csv_rows(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


def xlsx_rows(data: bytes) -> Iterator[dict[str, Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True)["labels"]
    header, *rows = sheet.iter_rows(values_only=True)
    return (dict(zip(header, row, strict=True)) for row in rows)


# --- JSON ---


@pytest.mark.parametrize("one", [record(), UNLABELED, record(text=NASTY), record(confidence=0.0, metadata={"a": "\n"})])
def test_a_line_says_what_the_standard_encoder_would_say(one: Record) -> None:
    expected = json.dumps(one._asdict(), default=iso)
    assert json.loads(written("jsonl", one)) == json.loads(expected)


def test_keys_of_jsonl_stand_in_the_order_of_the_record() -> None:
    assert list(json.loads(written("jsonl", record()))) == list(Record._fields)


def test_jsonl_keeps_each_text_on_one_line() -> None:
    lines = written("jsonl", record(text=NASTY), UNLABELED).split(b"\n")
    assert json.loads(lines[0])["text"] == NASTY
    assert len(lines) == 3
    assert lines[2] == b""


def test_jsonl_carries_evidence_and_alternatives_as_lists() -> None:
    row = json.loads(written("jsonl", record()))
    assert row["evidence"] == [{"start": 6, "end": 11, "word": "match", "weight": 0.5}]
    assert row["alternatives"] == [{"category": "Weather", "probability": 0.125}]


def test_half_a_surrogate_pair_in_metadata_survives_json() -> None:
    assert json.loads(written("jsonl", record(metadata={"x": "\ud800"})))["metadata"] == {"x": "\ud800"}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array(count: int) -> None:
    rows = json.loads(written("json", *[record(text_id=n) for n in range(count)]))
    assert [row["text_id"] for row in rows] == list(range(count))


def test_times_always_have_the_same_form() -> None:
    assert iso(NOON) == "2026-11-23T12:00:00.000000Z"


def test_jsonl_is_loaded_by_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    file = tmp_path / "labels.jsonl"
    file.write_bytes(written("jsonl", UNLABELED, record()))
    loaded = datasets.load_dataset("json", data_files=str(file), cache_dir=str(tmp_path / "cache"), split="train")
    assert loaded["category"][:] == [None, "Sports"]


# --- CSV and TSV ---


@pytest.mark.parametrize(("file_format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_texts_with_every_special_character_come_back(file_format: str, delimiter: str) -> None:
    rows = csv_rows(written(file_format, record(text=NASTY), UNLABELED), delimiter)
    assert list(rows[0]) == list(FLAT_COLUMNS)
    assert rows[0]["text"] == NASTY
    assert rows[1]["category"] == rows[1]["confidence"] == ""


def test_flat_cells_are_plain_words() -> None:
    row = csv_rows(written("csv", record(evidence=record().evidence * 2)))[0]
    assert row["evidence"] == "match, match"
    assert row["is_calibrated"] == "true"
    assert row["labeled_at"] == "2026-11-23T12:00:00.000000Z"
    assert json.loads(row["metadata"]) == {"row": 1, "größe": [1, None]}
    assert "alternatives" not in row


@pytest.mark.parametrize("column", ["text", "external_id", "source", "category", "reviewer", "explanation"])
def test_csv_escapes_formulas_in_every_column_of_strings(column: str) -> None:
    cell = csv_rows(written("csv", record(**{column: "=HYPERLINK(1)"})))[0][column]
    assert cell == "'=HYPERLINK(1)"
    assert unescape_formula(cell) == "=HYPERLINK(1)"


def test_an_empty_csv_is_a_header() -> None:
    assert written("csv").decode() == ",".join(FLAT_COLUMNS) + "\r\n"


# --- XLSX ---


@pytest.mark.parametrize("text", ["=1+1", "#N/A", "00123", "TRUE", "-5", " spaced ", "two\nlines", "漢字 🙂"])
def test_a_string_stays_a_string_in_xlsx(text: str) -> None:
    data = written("xlsx", record(text=text))
    assert next(xlsx_rows(data))["text"] == text
    cell = openpyxl.load_workbook(io.BytesIO(data))["labels"]["A2"]
    assert cell.data_type in ("s", "inlineStr")


def test_numbers_and_flags_stay_what_they_are_in_xlsx() -> None:
    row = next(xlsx_rows(written("xlsx", record())))
    assert (row["confidence"], row["label_version"], row["is_calibrated"]) == (0.875, 2, True)
    assert row["external_id"] == "007"


def test_xlsx_counts_the_control_characters_it_removes() -> None:
    tally = Tally()
    row = next(xlsx_rows(written("xlsx", record(text="a\x01b\x1f\uffffc"), tally=tally)))
    assert row["text"] == "abc"
    assert tally.notes == ["3 control characters that XLSX cannot hold were removed."]


def test_xlsx_counts_the_carriage_returns_it_cannot_hold() -> None:
    tally = Tally()
    row = next(xlsx_rows(written("xlsx", record(text="a\r\nb\rc"), tally=tally)))
    assert row["text"] == "a\nb\nc"
    assert tally.notes == ["2 carriage returns that XLSX cannot hold became line feeds."]


@pytest.mark.parametrize("text", ["x" * 32_768, "🙂" * 16_384])
def test_a_text_too_long_for_a_cell_is_named(text: str) -> None:
    with pytest.raises(DoesNotFit, match=r"text of text 17 has 32,768 characters.*Choose csv or parquet"):
        written("xlsx", record(text=text))


def test_a_failed_workbook_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DoesNotFit):
        written("xlsx", record(), record(text="x" * 40_000))
    assert list(tmp_path.iterdir()) == []


def test_the_longest_text_of_a_cell_is_kept_whole() -> None:
    assert next(xlsx_rows(written("xlsx", record(text="x" * 32_767))))["text"] == "x" * 32_767


# --- Parquet and datasets ---


def test_parquet_keeps_types_and_nulls() -> None:
    table = pq.read_table(io.BytesIO(written("parquet", record(text=NASTY), UNLABELED)))
    assert table.schema.equals(columnar.SCHEMA)
    first, second = table.to_pylist()
    assert first == {**record(text=NASTY)._asdict(), "metadata": '{"row":1,"größe":[1,null]}'}
    assert second["category"] is None
    assert second["evidence"] == []


def test_parquet_without_rows_still_has_its_columns() -> None:
    table = pq.read_table(io.BytesIO(written("parquet")))
    assert (table.num_rows, table.column_names) == (0, list(Record._fields))


def test_parquet_row_groups_hold_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "GROUP_ROWS", 3)
    file = pq.ParquetFile(io.BytesIO(written("parquet", *[record(text_id=n) for n in range(7)])))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [3, 3, 1]


def test_half_a_surrogate_pair_in_metadata_survives_parquet() -> None:
    table = pq.read_table(io.BytesIO(written("parquet", record(metadata={"x": "\ud800"}))))
    assert json.loads(table["metadata"][0].as_py()) == {"x": "\ud800"}


def write_dataset(folder: Path, *records: Record) -> Path:
    folder.mkdir()
    for name, pieces in FORMATS["hf"].files([[one] for one in records], Tally()):
        (folder / name).write_bytes(b"".join(pieces))
    return folder


@pytest.mark.parametrize("records", [[], [record(text=NASTY), UNLABELED]], ids=["empty", "two rows"])
def test_datasets_opens_the_folder(tmp_path: Path, records: list[Record]) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_from_disk(str(write_dataset(tmp_path / "labels", *records)))
    assert loaded.column_names == list(Record._fields)
    assert loaded.data.schema.equals(columnar.SCHEMA)
    assert loaded.features.arrow_schema.equals(columnar.SCHEMA)
    assert list(loaded["text"]) == [one.text for one in records]
    assert list(loaded["evidence"]) == [one.evidence for one in records]


def test_different_data_have_different_fingerprints(tmp_path: Path) -> None:
    folders = [write_dataset(tmp_path / str(n), record(text_id=n)) for n in (1, 2)]
    first, second = (json.loads((folder / "state.json").read_text())["_fingerprint"] for folder in folders)
    assert first != second


def test_the_folder_holds_exactly_the_declared_files(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "labels", record())
    assert sorted(file.name for file in folder.iterdir()) == sorted(FORMATS["hf"].folder_names)
    assert pa.ipc.open_stream(folder / columnar.DATA_FILE).read_all().num_rows == 1
