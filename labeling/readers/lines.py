"""TXT (one text a line) and JSON Lines (one object a line)."""

import io
import json
from collections.abc import Iterator
from typing import Any

from labeling.readers.encoding import Lines, row_limit
from labeling.readers.errors import RowTooLong, UnreadableFile
from labeling.readers.opening import BUFFER
from labeling.readers.rows import Row, Table, objects

TEXT_COLUMN = "text"


def read_txt(stream: io.BufferedReader, name: str) -> Table:
    rows = (
        Row(number, {}, "is too long") if line is None else Row(number, {TEXT_COLUMN: line})
        for number, line in _short_lines(Lines(stream, name))
    )
    return Table([TEXT_COLUMN], rows, file_format="txt", unit="line")


def read_jsonl(stream: io.BufferedReader, name: str) -> Table:
    """Each line is an object, or a string, which is then the text. A line of anything else is a bad row."""
    if stream.peek(BUFFER).lstrip()[:1] == b"[":
        raise UnreadableFile(f"{name} begins with [, so it is one JSON array. Use --format json.")
    rows = (
        Row(number, {}, "is too long") if line is None else _parsed(number, line)
        for number, line in _short_lines(Lines(stream, name))
    )
    return objects(rows, file_format="jsonl", unit="line")


def _short_lines(lines: Lines) -> Iterator[tuple[int, str | None]]:
    """Each line with its number; None in place of one that is too long to be read into memory."""
    limit = row_limit()
    while True:
        try:
            line = lines.read(limit)
        except RowTooLong:
            lines.skip_rest()
            yield lines.number, None
            continue
        if not line:
            return
        yield lines.number, line


def _parsed(number: int, line: str) -> Row:
    if line.isspace():
        return Row(number, {})
    try:
        return as_row(number, json.loads(line))
    except json.JSONDecodeError as error:
        return Row(number, {}, f"is not JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or thousands of open brackets
        return Row(number, {}, f"is not usable JSON: {error}")


def as_row(number: int, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(number, value)
    if isinstance(value, str):
        return Row(number, {TEXT_COLUMN: value})
    return Row(number, {}, 'is not an object: write {"text": "..."}')
