"""XLSX: every string stays a string, and nothing is cut off in silence."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from labeling.writers.record import Batch, DoesNotFit, Record, Tally
from labeling.writers.text_values import FLAT_COLUMNS, Cell, flat

MOST_CHARACTERS = 32_767  # of one cell, in UTF-16 units as Excel counts them
READ_BYTES = 2**20
REMOVED = "control characters that XLSX cannot hold were removed."
RETURNS = "carriage returns that XLSX cannot hold became line feeds."

# Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# openpyxl reads "=..." as a formula and "#N/A" as an error, unless the cell says that it is a string.
_SPECIAL = ("=", "#")


def workbook(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One workbook with one sheet. Raises DoesNotFit for a text that is longer than a cell can be."""
    book = Workbook(write_only=True)
    with _sheet(book) as sheet:
        changes = _fill(sheet, batches)
    tally.notes.extend(f"{count} {change}" for change, count in changes.items())
    with TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while chunk := file.read(READ_BYTES):
            yield chunk


@contextmanager
def _sheet(book: Workbook) -> Iterator[WriteOnlyWorksheet]:
    """The sheet to fill. openpyxl keeps its rows in a temporary file, which is removed after an error too."""
    sheet = book.create_sheet("labels")
    sheet.append(FLAT_COLUMNS)
    try:
        yield sheet
    except BaseException:  # also Ctrl-C: the temporary file must go, and the error goes on
        sheet.close()
        sheet._writer.cleanup()
        raise


def _fill(sheet: WriteOnlyWorksheet, batches: Iterable[Batch]) -> Counter[str]:
    """Write the rows; returns how many characters had to be changed, and how."""
    changes: Counter[str] = Counter()
    for batch in batches:
        for record in batch:
            cells = [_clean(cell, changes) if isinstance(cell, str) else cell for cell in flat(record)]
            _refuse_long(cells, record)
            sheet.append([_typed(cell, sheet) for cell in cells])
    return changes


def _clean(cell: str, changes: Counter[str]) -> str:
    """The cell without what XML cannot hold; each change is counted."""
    if "\r" in cell:
        changes[RETURNS] += cell.count("\r")
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    cell, removed = _ILLEGAL.subn("", cell)
    if removed:
        changes[REMOVED] += removed
    return cell


def _refuse_long(cells: list[Cell], record: Record) -> None:
    for name, cell in zip(FLAT_COLUMNS, cells, strict=True):
        # Twice its length is the most that a string can have in UTF-16 units.
        if isinstance(cell, str) and len(cell) * 2 > MOST_CHARACTERS and _utf16_units(cell) > MOST_CHARACTERS:
            raise DoesNotFit(
                f"The {name} of text {record.text_id} has {_utf16_units(cell):,} characters, and a cell of XLSX holds "
                f"{MOST_CHARACTERS:,}. Choose csv or parquet."
            )


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _typed(cell: Cell, sheet: WriteOnlyWorksheet) -> Any:
    if isinstance(cell, str) and cell.startswith(_SPECIAL):
        typed = WriteOnlyCell(sheet, cell)
        typed.data_type = "s"
        return typed
    return cell
