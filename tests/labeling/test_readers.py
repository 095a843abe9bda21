"""Files of every format, good and bad, as streams of rows."""

import gzip
import io
import json
import os
import threading
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling import readers
from labeling.readers import Readable, Row, open_table, opening

TABLE = [{"text": "first", "lang": "en"}, {"text": "second, with a comma", "lang": "de"}]


def read(file: Path | str | Readable, **options: Any) -> list[Row]:
    with open_table(file, **options) as table:
        return list(table.rows)


def read_bytes(content: bytes, name: str) -> list[Row]:
    return read(io.BytesIO(content), file_name=name)


def write_xlsx(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def example(folder: Path, file_format: str) -> Path:
    path = folder / f"texts.{file_format}"
    if file_format == "parquet":
        pq.write_table(pa.Table.from_pylist(TABLE), path)
    elif file_format == "xlsx":
        write_xlsx(path, [list(TABLE[0]), *(list(row.values()) for row in TABLE)])
    elif file_format == "json":
        path.write_text(json.dumps(TABLE, indent=2))
    elif file_format == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in TABLE))
    else:
        mark = {"csv": ",", "tsv": "\t"}[file_format]
        path.write_text(f'text{mark}lang\nfirst{mark}en\n"second, with a comma"{mark}de\n')
    return path


class Endless:
    """A stream of `start` and then one letter without end; counts what was asked of it."""

    def __init__(self, start: bytes, *, size: int, end: bytes = b"") -> None:
        self.start = start
        self.left = size
        self.end = end
        self.given = 0

    def read(self, size: int = -1, /) -> bytes:
        if self.start:
            data, self.start = self.start[:size], self.start[size:]
        elif self.left:
            data = b"x" * min(size, self.left)
            self.left -= len(data)
        else:
            data, self.end = self.end[:size], self.end[size:]
        self.given += len(data)
        return data


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_every_format_gives_the_same_table(tmp_path: Path, file_format: str) -> None:
    with open_table(example(tmp_path, file_format)) as table:
        assert list(table.columns) == ["text", "lang"]
        assert [row.values for row in table.rows] == TABLE


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_every_format_can_come_from_a_pipe(tmp_path: Path, file_format: str) -> None:
    pipe = Endless(example(tmp_path, file_format).read_bytes(), size=0)
    assert [row.values for row in read(pipe, file_format=file_format)] == TABLE


def test_a_row_of_a_pipe_is_read_when_it_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUFFER", 16)  # bytes, of which only the first ones are waited for
    outlet, inlet = os.pipe()
    end = threading.Timer(10, os.close, [inlet])
    end.start()
    os.write(inlet, b"text\none\ntwo\nthree\n")
    with os.fdopen(outlet, "rb") as pipe, open_table(pipe, file_format="csv") as table:
        assert [next(table.rows).values["text"] for _ in range(3)] == ["one", "two", "three"]
        assert end.is_alive()
    end.cancel()
    os.close(inlet)


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_a_gzip_ending_unpacks(tmp_path: Path, file_format: str) -> None:
    packed = tmp_path / f"texts.{file_format}.gz"
    packed.write_bytes(gzip.compress(example(tmp_path, file_format).read_bytes()))
    assert [row.values for row in read(packed)] == TABLE


def test_a_cut_off_gzip_file_keeps_the_rows_before(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f'"text {number * 7919}"\n' for number in range(50_000)).encode())
    path = tmp_path / "texts.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(readers.UnreadableFile, match="cut off"), open_table(path) as table:
        found.extend(row.line for row in table.rows)
    assert len(found) > 1000


def test_txt_is_one_text_a_line() -> None:
    assert [row.values["text"].strip() for row in read_bytes(b"one\ntwo\r\n\nthree", "a.txt")] == [
        "one",
        "two",
        "",
        "three",
    ]


def test_an_unknown_ending_names_the_flag() -> None:
    with pytest.raises(readers.UnknownFormat, match="--format: csv"):
        read_bytes(b"a", "texts.dat")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(readers.UnreadableFile, match=r"There is no file /nowhere/a\.csv"):
        read("/nowhere/a.csv")


def test_a_row_is_reported_at_the_line_where_it_starts() -> None:
    rows = read_bytes(b'text,n\n"over\nthree\nlines",1\nplain,2\n', "a.csv")
    assert [(row.line, row.values["n"]) for row in rows] == [(2, "1"), (5, "2")]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_seen_in_the_header(mark: str) -> None:
    content = f"id{mark}text\n1{mark}hello\n".encode()
    assert read_bytes(content, "a.csv")[0].values == {"id": "1", "text": "hello"}


@pytest.mark.parametrize(("name", "rows"), [("a.csv", 1), ("a.csv", 200_000), ("a.tsv", 1)])
def test_lines_that_end_as_on_an_old_mac_are_an_error_with_a_reason(name: str, rows: int) -> None:
    mark = b"," if name == "a.csv" else b"\t"
    with pytest.raises(readers.UnreadableFile, match=rf"{name}: lines end by carriage returns alone\. Save the file"):
        read_bytes(b"text%snumber\r" % mark + b"one%s1\r" % mark * rows, name)


@pytest.mark.parametrize(("content", "line"), [(b"te\rxt,n\nhello,1\n", 1), (b"text,n\nhel\rlo,1\n", 2)])
def test_one_carriage_return_without_quotes_says_where_it_stands(content: bytes, line: int) -> None:
    with pytest.raises(readers.UnreadableFile, match=rf"line {line}: a carriage return stands in a field without"):
        read_bytes(content, "a.csv")


def test_a_carriage_return_in_a_quoted_header_does_not_hide_the_semicolon() -> None:
    assert read_bytes(b'"te\rxt";number\nhello;1\n', "a.csv")[0].values == {"te xt": "hello", "number": "1"}


def test_a_comma_in_a_quoted_header_does_not_hide_the_semicolon() -> None:
    assert read_bytes(b'id;"a, b";text\n1;2;hello\n', "a.csv")[0].values["text"] == "hello"


def test_a_row_with_too_many_fields_is_bad_and_the_next_is_good() -> None:
    rows = read_bytes(b"id,text\n1,a,b\n2,good\n", "a.csv")
    assert "3 fields" in rows[0].problem
    assert rows[1].values == {"id": "2", "text": "good"}


def test_a_row_that_lacks_its_last_fields_has_them_empty() -> None:
    assert read_bytes(b"text,note\nshort\n", "a.csv")[0].values == {"text": "short", "note": ""}


def test_an_open_quote_names_the_line_where_it_opens() -> None:
    with pytest.raises(readers.UnreadableFile, match="line 3: a quote is opened and never closed"):
        read_bytes(b'text\ngood\n"open\nmore\nmore\n', "a.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 is empty"),
        (b"\ntext\n", "line 1 is empty"),
        (b"text,lang,text\n", "names column 'text' twice"),
        (b",text\n0,a\n", "column 1 has no name"),
        (b"x" * 300 + b"\n", "must name the columns"),
    ],
)
def test_a_wrong_header_is_explained(content: bytes, message: str) -> None:
    with pytest.raises(readers.WrongHeader, match=message):
        read_bytes(content, "a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_recognised(encoding: str) -> None:
    content = "text\nGrüße aus Köln, 10 € 🎉\n".replace(",", "").encode(encoding)
    assert read_bytes(content, "a.csv")[0].values == {"text": "Grüße aus Köln 10 € 🎉"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_json_array_may_begin_with_a_byte_order_mark(encoding: str) -> None:
    assert read_bytes('[{"text": "Köln"}]'.encode(encoding), "a.json")[0].values == {"text": "Köln"}


def test_latin_1_names_the_line_and_the_byte() -> None:
    content = b"text\nplain\ncaf\xe9\n"
    with pytest.raises(readers.WrongEncoding, match=r"line 3, byte 14: this is not UTF-8.*--encoding"):
        read_bytes(content, "a.csv")


def test_broken_utf_16_names_the_line_and_the_byte() -> None:
    content = "text\nab".encode("utf-16") + b"\x00\xd8" + "cd\n".encode("utf-16-le")
    with pytest.raises(readers.WrongEncoding, match="line 2, byte 16"):
        read_bytes(content, "a.csv")


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"PAR1\x15\x04",
        b"text\nwith \x00 inside\n",
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt", "a.json"])
def test_a_binary_file_is_not_a_text_file(content: bytes, name: str) -> None:
    with pytest.raises(readers.NotText, match="is not a text file"):
        read_bytes(content, name)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json"])
def test_a_200_mb_line_is_refused_without_reading_it(name: str) -> None:
    start = b'[{"text": "ok"}, "' if name == "a.json" else b"text\nok\n"
    stream = Endless(start, size=200_000_000)
    with pytest.raises(readers.RowTooLong, match=r"line 3|row 2"):
        read(stream, file_name=name)
    assert stream.given < 3_000_000


@pytest.mark.parametrize(("name", "good"), [("a.txt", b"good\n"), ("a.jsonl", b'"good"\n')])
def test_a_200_mb_line_is_passed_over_in_little_memory(name: str, good: bytes) -> None:
    stream = Endless(good, size=200_000_000, end=b"\n" + good)
    tracemalloc.start()
    rows = read(stream, file_name=name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.line, row.problem) for row in rows] == [(1, ""), (2, "is too long"), (3, "")]
    assert peak < 20_000_000


def test_an_open_quote_over_many_lines_does_not_fill_the_memory() -> None:
    content = b'text\n"open\n' + b"a line like any other\n" * 100_000
    with pytest.raises(readers.RowTooLong, match=r"Is a quote left open\?"):
        read_bytes(content, "a.csv")


def test_bad_json_in_one_line_leaves_the_others() -> None:
    rows = read_bytes(b'{"text": "a"}\n{"text": \n[1]\n{"text": "b"}\n', "a.jsonl")
    assert [row.line for row in rows if row.problem] == [2, 3]
    assert "is not JSON" in rows[1].problem
    assert [row.values["text"] for row in rows if not row.problem] == ["a", "b"]


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"n": ' + b"9" * 5000 + b"}"])
def test_unusable_json_is_a_bad_row(line: bytes) -> None:
    rows = read_bytes(b'{"text": "a"}\n' + line + b"\n", "a.jsonl")
    assert "is not usable JSON" in rows[1].problem


def test_a_json_line_may_be_a_plain_string() -> None:
    assert read_bytes(b'"just this"\n', "a.jsonl")[0].values == {"text": "just this"}


def test_an_array_named_jsonl_names_the_format() -> None:
    with pytest.raises(readers.UnreadableFile, match="--format json"):
        read_bytes(b'[{"text": "a"}]', "a.jsonl")


def test_lines_named_json_name_the_format() -> None:
    with pytest.raises(readers.UnreadableFile, match="--format jsonl"):
        read_bytes(b'{"text": "a"}\n{"text": "b"}', "a.json")


def test_a_truncated_array_keeps_the_rows_before_and_says_where() -> None:
    found = []
    with (
        pytest.raises(readers.UnreadableFile, match="cut off or damaged in row 3"),
        open_table(io.BytesIO(b'[{"text": "a"}, {"text": "b"}, {"te'), file_name="a.json") as table,
    ):
        for row in table.rows:
            found.append(row.values["text"])
    assert found == ["a", "b"]


def test_a_truncated_workbook_is_explained(tmp_path: Path) -> None:
    path = example(tmp_path, "xlsx")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(readers.UnreadableFile, match="not an XLSX workbook"):
        read(path)


def test_a_zip_file_is_not_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(readers.UnreadableFile, match="not an XLSX workbook"):
        read(path)


def test_rows_of_a_workbook_have_their_own_numbers(tmp_path: Path) -> None:
    rows = read(write_xlsx(tmp_path / "a.xlsx", [["text"], ["a"], [None], [5]]))
    assert [(row.line, row.values["text"]) for row in rows] == [(2, "a"), (3, None), (4, 5)]


def test_rows_of_a_parquet_file_have_the_names_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text ": ["first"], " lang": ["en"]}), path)
    with open_table(path) as table:
        assert [list(row.values) for row in table.rows] == [table.columns] == [["text", "lang"]]


def test_moments_of_a_parquet_file_are_read_to_the_microsecond(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    moment = pa.array([1_234_567_890_123_456_789], pa.timestamp("ns"))
    pq.write_table(pa.table({"text": ["first"], "sent": moment}), path)
    [row] = read(path)
    assert row.values["sent"] == datetime(2009, 2, 13, 23, 31, 30, 123456)


def test_values_that_python_has_none_for_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": ["first"], "sent": pa.array([10**18], pa.timestamp("us"))}), path)
    with pytest.raises(readers.UnreadableFile, match="cannot be read after row 0"):
        read(path)


def test_white_space_in_the_name_of_a_column_is_one_blank(tmp_path: Path) -> None:
    [row] = read(write_xlsx(tmp_path / "a.xlsx", [["Customer\ncomment", "  sent  on "], ["a", "b"]]))
    assert row.values == {"Customer comment": "a", "sent on": "b"}


def test_a_damaged_parquet_file_is_explained(tmp_path: Path) -> None:
    path = example(tmp_path, "parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(readers.UnreadableFile, match="not a Parquet file"):
        read(path)


def test_how_much_of_a_file_is_read_is_known(tmp_path: Path) -> None:
    with open_table(example(tmp_path, "csv")) as table:
        list(table.rows)
        assert table.fraction() == 1.0


def test_an_encoding_that_the_file_does_not_say_can_be_named() -> None:
    content = "text\nStraße\n".encode("cp1252")
    with open_table(io.BytesIO(content), file_name="a.csv", encoding="cp1252") as table:
        assert [row.values["text"] for row in table.rows] == ["Straße"]
        assert (table.encoding, table.delimiter) == ("cp1252", ",")


def test_what_the_file_begins_with_counts_more_than_the_named_encoding() -> None:
    content = b"\xef\xbb\xbf" + "text\nStraße\n".encode()
    with open_table(io.BytesIO(content), file_name="a.csv", encoding="cp1252") as table:
        assert [row.values["text"] for row in table.rows] == ["Straße"]


def test_gzip_that_unpacks_to_far_more_than_texts_do_is_refused() -> None:
    trap = gzip.compress((b" " * 99_999 + b"\n") * (readers.opening.ALWAYS_FINE // 100_000 + 9))
    with (
        pytest.raises(readers.UnreadableFile, match="unpacks to far more than texts do"),
        open_table(io.BytesIO(trap), file_name="a.txt.gz") as table,
    ):
        for _ in table.rows:
            pass


def test_a_workbook_whose_strings_do_not_fit_in_memory_is_refused() -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/sharedStrings.xml", "w") as entry,
    ):
        for _ in range(257):
            entry.write(bytes(2**20))
    with pytest.raises(readers.UnreadableFile, match="too many for a workbook"), open_table(stream, file_name="a.xlsx"):
        pass
