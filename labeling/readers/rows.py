"""What every reader returns, whatever the format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from labeling.readers.errors import ImportFailed, WrongHeader

MAX_COLUMN_NAME = 200
LOOK_AHEAD = 100


class Row(NamedTuple):
    """One row, at its line in the file (or its number, in formats without lines)."""

    line: int
    values: dict[str, Any]
    problem: str = ""  # why this row cannot be read; the rows after it can


def _unknown() -> float | None:
    return None


@dataclass(frozen=True)
class Table:
    """A file being read: its columns are known, its rows are a stream that can be consumed once."""

    columns: Sequence[str]
    rows: Iterator[Row]
    file_format: str = "rows"
    unit: str = "row"  # what `Row.line` counts: "line" or "row"
    fraction: Callable[[], float | None] = _unknown  # how much is read, from 0 to 1, if that is known
    encoding: str = ""  # of formats that are text
    delimiter: str = ""  # of CSV and TSV


def objects(rows: Iterator[Row], *, file_format: str, unit: str) -> Table:
    """A table of rows that each name their own columns: the columns are those of the first hundred rows.

    A file that breaks within those is reported where it breaks, after the rows before it.
    """
    first: list[Row] = []
    broken: ImportFailed | None = None
    try:
        for row in islice(rows, LOOK_AHEAD):
            first.append(row)
    except ImportFailed as error:
        if not first:
            raise
        broken = error
    columns = list(dict.fromkeys(name for row in first for name in row.values))
    return Table(columns, _resumed(first, broken, rows), file_format=file_format, unit=unit)


def _resumed(first: list[Row], broken: ImportFailed | None, rest: Iterator[Row]) -> Iterator[Row]:
    yield from first
    if broken is not None:
        raise broken
    yield from rest


def header(names: Iterable[Any], *, place: str) -> list[str]:
    """The column names, or WrongHeader: each column has a name, no two the same.

    White space in a name becomes one blank, as in the choices of a page; a cell of Excel may hold a line break.
    """
    found = ["" if name is None else " ".join(str(name).split()) for name in names]
    if not any(found):
        raise WrongHeader(f"{place} is empty. It must name the columns: add a header.")
    for number, name in enumerate(found, start=1):
        if not name:
            raise WrongHeader(
                f"{place}: column {number} has no name. Name it or remove it (pandas: to_csv(..., index=False))."
            )
        if len(name) > MAX_COLUMN_NAME:
            raise WrongHeader(
                f"{place} must name the columns, but column {number} has {len(name)} characters. Add a header."
            )
    if repeated := [name for name in dict.fromkeys(found) if found.count(name) > 1]:
        raise WrongHeader(f"{place} names column '{repeated[0]}' twice. Rename one of them.")
    return found
