"""A file of any known format as a stream of rows, in bounded memory."""

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from labeling.readers.delimited import read_csv, read_tsv
from labeling.readers.encoding import ENCODINGS, as_utf8
from labeling.readers.errors import (
    ImportFailed,
    NotText,
    RowTooLong,
    UnknownColumn,
    UnknownFormat,
    UnreadableFile,
    WrongEncoding,
    WrongHeader,
)
from labeling.readers.json_array import read_json
from labeling.readers.lines import read_jsonl, read_txt
from labeling.readers.opening import Readable, opened, seekable, unpacked
from labeling.readers.parquet import read_parquet
from labeling.readers.rows import Row, Table, objects
from labeling.readers.xlsx import read_xlsx

__all__ = [
    "ENCODINGS",
    "FORMATS",
    "ImportFailed",
    "NotText",
    "Readable",
    "Row",
    "RowTooLong",
    "Table",
    "UnknownColumn",
    "UnknownFormat",
    "UnreadableFile",
    "WrongEncoding",
    "WrongHeader",
    "format_of",
    "objects",
    "open_table",
]

TEXT_FORMATS = {"csv": read_csv, "tsv": read_tsv, "jsonl": read_jsonl, "json": read_json, "txt": read_txt}
BINARY_FORMATS = {"parquet": read_parquet, "xlsx": read_xlsx}
FORMATS = (*TEXT_FORMATS, *BINARY_FORMATS)
ENDINGS = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl", ".tab": "tsv"}


@contextmanager
def open_table(
    file: Path | str | Readable, *, file_format: str = "", file_name: str = "", encoding: str = ""
) -> Iterator[Table]:
    """The table in a file: a path, "-" for standard input, or an open binary stream.

    The format is `file_format`, else what the name ends in (a further .gz unpacks); `encoding` is for text that does
    not say its own. The stream is read row by row and closed at the end if it was opened here. Raises ImportFailed; its
    message says what to do.
    """
    name = file_name or _name(file)
    known = format_of(name, file_format)
    with ExitStack() as stack:
        stream = source = opened(file, stack)
        if name.lower().endswith(".gz"):
            stream = unpacked(stream, stack)
        if known in BINARY_FORMATS:
            with _damage_explained(name):
                whole = seekable(stream, stack)
            yield BINARY_FORMATS[known](whole, name)
            return
        with _damage_explained(name):
            as_text, found = as_utf8(stream, name, asked=encoding)
            table = TEXT_FORMATS[known](as_text, name)
        yield replace(table, rows=_explained(table.rows, name), fraction=_fraction(source), encoding=found)


def _name(file: Path | str | Readable) -> str:
    if isinstance(file, Path | str):
        return "standard input" if str(file) == "-" else Path(file).name
    return Path(str(getattr(file, "name", "") or "the stream")).name


def format_of(name: str, file_format: str = "") -> str:
    """The format that is asked for, else that of the name's ending. Raises UnknownFormat."""
    ending = Path(name.lower().removesuffix(".gz")).suffix
    known = file_format.lower() or ENDINGS.get(ending, "")
    if known in FORMATS:
        return known
    which = f"'{file_format}' is not a format" if file_format else f"The format of {name} is not known from its ending"
    raise UnknownFormat(f"{which}. Name it with --format: {', '.join(FORMATS)}.")


def _fraction(source: Readable) -> Callable[[], float | None]:
    """How far a file has been read; unknown for pipes and uploads."""
    try:
        size = os.fstat(source.fileno()).st_size  # type: ignore[attr-defined]
        source.tell()  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return lambda: None
    return lambda: source.tell() / size if size else None  # type: ignore[attr-defined]


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, OSError) as error:
        raise UnreadableFile(f"{name} is damaged or cut off: {error}. Get the file again.") from error


def _explained(rows: Iterator[Row], name: str) -> Iterator[Row]:
    with _damage_explained(name):
        yield from rows
