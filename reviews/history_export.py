"""Histories as files, piece by piece: CSV that is safe to open in a spreadsheet, and JSON Lines."""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

from labeling.spreadsheets import escape_formula
from labeling.writers.text_values import iso, to_json
from reviews.entries import Entry
from reviews.history import Entries

PIECE_ROWS = 200
FLAGS = {True: "true", False: "false"}
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def pieces(entries: Entries, file_format: str) -> Generator[bytes, None, None]:
    """The bytes of one file. Memory does not grow with the entries."""
    write = WRITERS[file_format]
    # Closed also when the reader leaves half-way: an open cursor would outlive its connection.
    with closing(entries):
        if file_format == "csv":
            yield _lines([Entry._fields])
        while batch := list(islice(entries, PIECE_ROWS)):
            yield write(batch)


def _as_csv(entries: Sequence[Entry]) -> bytes:
    return _lines([[_cell(value) for value in entry] for entry in entries])


def _as_json_lines(entries: Sequence[Entry]) -> bytes:
    return b"".join(to_json(entry._asdict()) + b"\n" for entry in entries)


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, datetime):
        return iso(value)
    return FLAGS[value] if isinstance(value, bool) else value


WRITERS: dict[str, Callable[[Sequence[Entry]], bytes]] = {"csv": _as_csv, "jsonl": _as_json_lines}
