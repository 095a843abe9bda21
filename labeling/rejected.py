"""The rejected rows of an import as CSV: put right, the file can be imported as it is."""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable
from typing import Any

from labeling import importing
from labeling.models import ImportRecord
from labeling.spreadsheets import REJECTED_COLUMNS, escape_formula

PIECE_ROWS = 500
HEADER_ROWS = 1000  # whose columns are those of the file


def pieces(record: ImportRecord, words: Callable[[str], str]) -> Generator[bytes, None, None]:
    """The bytes of the file. Its first columns say where each row stood and, in these words, what is wrong with it."""
    columns = _columns(record)
    rows = record.rejected_rows.order_by("line").values_list("line", "reason", "values")
    yield _lines([[*REJECTED_COLUMNS, *columns]])
    for start in range(0, importing.KEPT_ROWS, PIECE_ROWS):
        batch = list(rows[start : start + PIECE_ROWS])
        yield _lines([line, words(reason), *map(values.get, columns)] for line, reason, values in batch)
        if len(batch) < PIECE_ROWS:
            return


def _columns(record: ImportRecord) -> list[str]:
    """Those of the file, in its order, and those that only some rows have. Without ours, if it was such a file."""
    first = record.rejected_rows.order_by("line").values_list("values", flat=True)[:HEADER_ROWS]
    found = dict.fromkeys(name for values in first for name in values if name not in REJECTED_COLUMNS)
    return list(dict.fromkeys([name for name in record.options.get("header", []) if name in found]) | found)


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return escape_formula(value) if isinstance(value, str) else value
