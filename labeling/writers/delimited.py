"""CSV and TSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator

from labeling.spreadsheets import escape_formula
from labeling.writers.record import Batch, Tally
from labeling.writers.text_values import FLAT_COLUMNS, Cell, flat, picker

_FLAGS = {True: "true", False: "false"}


def comma_separated(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """CSV as RFC 4180 has it."""
    return _lines(batches, tally, "excel")


def tab_separated(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """TSV; cells with tabs, quotes or line ends are quoted as in CSV."""
    return _lines(batches, tally, "excel-tab")


def _lines(batches: Iterable[Batch], tally: Tally, dialect: str) -> Iterator[bytes]:
    columns = tally.wanted(FLAT_COLUMNS)
    picked = picker(FLAT_COLUMNS, columns)
    # The dialects end lines with CRLF. With a bare LF, csv.writer would not quote a lone CR within a text.
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, dialect=dialect)
    writer.writerow(columns)
    for batch in batches:
        writer.writerows([[_safe(cell) for cell in picked(flat(record))] for record in batch])
        yield _taken(buffer)
    yield _taken(buffer)


def _safe(cell: Cell) -> Cell:
    """The cell as a spreadsheet may have it."""
    if isinstance(cell, str):
        return escape_formula(cell)
    return _FLAGS[cell] if isinstance(cell, bool) else cell


def _taken(buffer: io.StringIO) -> bytes:
    """Empty the buffer and return what it held."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
