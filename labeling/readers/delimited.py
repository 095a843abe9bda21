"""CSV and TSV."""

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import replace

from labeling.readers.encoding import Lines, row_limit
from labeling.readers.errors import UnreadableFile
from labeling.readers.opening import BUFFER
from labeling.readers.rows import Row, Table, header
from labeling.spreadsheets import is_own_export, unescape_formula

DELIMITERS = (",", ";", "\t")
MAC_LINES = "lines end by carriage returns alone. Save the file again with lines that end as on Unix or Windows."
LONE_RETURN = "a carriage return stands in a field without quotes. Put quotes around the field."


class _Rows:
    """The rows of a delimited file; each may span several lines, because quoted fields hold line breaks.

    Whatever a row's shape, it is refused when it outgrows the limit, so that an open quote does not read the whole
    file into memory.
    """

    def __init__(self, lines: Lines, delimiter: str) -> None:
        # The csv module has one limit for the whole process; the one that counts is held by `_row_lines`.
        csv.field_size_limit(sys.maxsize)
        self.lines = lines
        self.limit = row_limit()
        self.room = self.limit
        self.at_end = False
        self.first_line = 1
        self.reader = csv.reader(self._row_lines(), delimiter=delimiter)

    def _row_lines(self) -> Iterator[str]:
        while line := self.lines.read(self.room):
            self.room -= len(line)
            yield line
        self.at_end = True

    def next(self) -> list[str] | None:
        """The fields of the next row; None at the end of the file."""
        self.room = self.limit
        self.first_line = self.lines.number + 1
        try:
            fields = next(self.reader, None)
        except csv.Error as error:
            reason = LONE_RETURN if "new-line character" in str(error) else f"{error}."
            raise UnreadableFile(f"{self.lines.name}, line {self.first_line}: {reason}") from None
        if self.at_end and fields is not None:  # the row asked for more lines than the file has
            raise UnreadableFile(
                f"{self.lines.name}, line {self.first_line}: a quote is opened and never closed. Close it; inside a "
                'quoted field write quotes twice ("").'
            )
        return fields


def read_csv(stream: io.BufferedReader, name: str) -> Table:
    """Comma by default; semicolon or tab where they split the first line into more fields."""
    first = _first_line(stream, name)
    delimiter = max(DELIMITERS, key=lambda mark: _width(first, mark))
    return replace(_table(_Rows(Lines(stream, name), delimiter), file_format="csv"), delimiter=delimiter)


def _first_line(stream: io.BufferedReader, name: str) -> str:
    """What the stream goes on with, unread. Raises UnreadableFile where no line ends as lines do."""
    start = stream.peek(BUFFER)
    if b"\n" not in start and b"\r" in start[:-1]:  # a pipe may give its first piece between "\r" and "\n"
        raise UnreadableFile(f"{name}: {MAC_LINES}")
    return start.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")


def _width(line: str, delimiter: str) -> int:
    """How many fields it has; 0 where it cannot be read, as the reader of the rows will say."""
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def read_tsv(stream: io.BufferedReader, name: str) -> Table:
    _first_line(stream, name)
    return replace(_table(_Rows(Lines(stream, name), "\t"), file_format="tsv"), delimiter="\t")


def _table(rows: _Rows, *, file_format: str) -> Table:
    columns = header(rows.next() or [], place=f"{rows.lines.name}, line 1")
    return Table(columns, _named(rows, columns), file_format=file_format, unit="line")


def _named(rows: _Rows, columns: list[str]) -> Iterator[Row]:
    width = len(columns)
    is_escaped = is_own_export(columns)
    while (fields := rows.next()) is not None:
        if is_escaped:
            fields = [unescape_formula(field) for field in fields]
        if len(fields) == width:
            yield Row(rows.first_line, dict(zip(columns, fields, strict=True)))
        elif any(fields[width:]):
            problem = f"has {len(fields)} fields, but the header has {width}: put quotes around the field with the mark"
            yield Row(rows.first_line, {}, problem)
        else:  # spreadsheets leave out empty fields at the end of a row, or add some
            yield Row(rows.first_line, dict.fromkeys(columns, "") | dict(zip(columns, fields, strict=False)))
