"""XLSX: every string stays a string, and nothing is cut off in silence.

Written by hand, because openpyxl keeps all rows in a temporary file and gives the first byte after the last row:
whoever downloads a large project would wait for minutes, and proxies would not. A workbook is a ZIP of a few fixed
files and one with the rows, which can be written as they come.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from labeling.writers import MOST_CHARACTERS
from labeling.writers.record import Batch, DoesNotFit, Record, Tally
from labeling.writers.text_values import FLAT_COLUMNS, Cell, flat, picker, utf16_units
from labeling.writers.zipping import zipped

REMOVED = "control characters that XLSX cannot hold were removed."
RETURNS = "carriage returns that XLSX cannot hold became line feeds."

# Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET = "xl/worksheets/sheet1.xml"
FIXED = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/{SHEET}" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="labels" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One workbook with one sheet. Raises DoesNotFit for a text that is longer than a cell can be."""
    fixed = [(name, [(_XML + content).encode()]) for name, content in FIXED.items()]
    changes: Counter[str] = Counter()
    yield from zipped([*fixed, (SHEET, _sheet(batches, tally.wanted(FLAT_COLUMNS), changes))])
    tally.notes.extend(f"{count} {change}" for change, count in changes.items())


def _sheet(batches: Iterable[Batch], columns: Sequence[str], changes: Counter[str]) -> Iterator[bytes]:
    """The rows; counts how many characters had to be changed, and how."""
    picked = picker(FLAT_COLUMNS, columns)
    letters = [chr(ord("A") + place) for place in range(len(columns))]  # there are fewer than 26
    yield f'{_XML}<worksheet xmlns="{_SHEETS}"><sheetData>'.encode()
    yield _row(1, letters, columns)
    number = 2
    for batch in batches:
        rows = []
        for record in batch:
            cells = [_clean(cell, changes) if isinstance(cell, str) else cell for cell in picked(flat(record))]
            _refuse_long(cells, columns, record)
            rows.append(_row(number, letters, cells))
            number += 1
        yield b"".join(rows)
    yield b"</sheetData></worksheet>"


def _row(number: int, letters: Sequence[str], cells: Sequence[Cell]) -> bytes:
    shown = [_cell(f"{letter}{number}", cell) for letter, cell in zip(letters, cells, strict=True) if cell is not None]
    return f'<row r="{number}">{"".join(shown)}</row>\n'.encode()


def _cell(place: str, cell: Cell) -> str:
    # A string within its cell is never taken for a formula or an error, whatever it begins with.
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def _clean(cell: str, changes: Counter[str]) -> str:
    """The cell without what XML cannot hold; each change is counted."""
    if "\r" in cell:
        changes[RETURNS] += cell.count("\r")
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    cell, removed = _ILLEGAL.subn("", cell)
    if removed:
        changes[REMOVED] += removed
    return cell


def _refuse_long(cells: list[Cell], columns: Sequence[str], record: Record) -> None:
    for name, cell in zip(columns, cells, strict=True):
        # Twice its length is the most that a string can have in UTF-16 units.
        if isinstance(cell, str) and len(cell) * 2 > MOST_CHARACTERS and utf16_units(cell) > MOST_CHARACTERS:
            raise DoesNotFit(
                f"The {name} of text {record.text_id} has {utf16_units(cell):,} characters, and a cell of XLSX holds "
                f"{MOST_CHARACTERS:,}. Choose csv or parquet."
            )
