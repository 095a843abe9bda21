"""The first sheet of an Excel workbook."""

import logging
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from labeling.readers.errors import UnreadableFile
from labeling.readers.rows import Row, Table, header

logger = logging.getLogger(__name__)

MAX_UNPACKED_BYTES = 1024**3
# Excel keeps all distinct cells in one list that has to be in memory; a small file can unpack to a huge one.
SHARED_STRINGS = "xl/sharedStrings.xml"
MAX_SHARED_BYTES = 256 * 1024**2
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    SyntaxError,
    OSError,
)  # ParseError is a SyntaxError


def read_xlsx(stream: BinaryIO, name: str) -> Table:
    import openpyxl

    _check_size(stream, name)
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong ones
        cells = sheet.iter_rows(values_only=True)
        first = next(cells, ())
    except (*DAMAGED, IndexError) as error:
        raise UnreadableFile(f"{name} is not an XLSX workbook, or a damaged one: {error}. Save it again.") from None
    if len(book.worksheets) > 1:
        logger.warning("Reading only the first of %s sheets.", len(book.worksheets))
    columns = header(_without_empty_end(first), place=f"{name}, row 1")
    return Table(columns, _rows(cells, columns, name), file_format="xlsx", unit="row")


def _check_size(stream: BinaryIO, name: str) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    except zipfile.BadZipFile:
        raise UnreadableFile(
            f"{name} is not an XLSX workbook: it is cut off, protected by a password, or of another format. "
            "Save it again as XLSX or CSV."
        ) from None
    unpacked = max(sizes.values(), default=0)
    if unpacked > MAX_UNPACKED_BYTES or sizes.get(SHARED_STRINGS, 0) > MAX_SHARED_BYTES:
        raise UnreadableFile(f"{name} unpacks to {unpacked:,} bytes, too many for a workbook. Save it as CSV.")


def _rows(cells: Iterator[tuple[Any, ...]], columns: list[str], name: str) -> Iterator[Row]:
    number = 1
    try:
        for number, values in enumerate(cells, start=2):
            if any(value is not None for value in values[len(columns) :]):
                yield Row(number, {}, "has a value in a column without a name")
            else:
                yield Row(number, dict.fromkeys(columns) | dict(zip(columns, values, strict=False)))
    except DAMAGED as error:
        raise UnreadableFile(f"{name} is damaged after row {number}: {error}. Save it again.") from None


def _without_empty_end(cells: Sequence[Any]) -> list[Any]:
    names = list(cells)
    while names and names[-1] is None:
        names.pop()
    return names
