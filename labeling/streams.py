"""Bodies of requests that are read as they come, row by row, and never held in memory as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from labeling.readers import Readable, Table, open_table
from labeling.requests import is_chunked

NAME = "The body"


@dataclass(frozen=True)
class RowStream:
    """Rows on their way, in a format of `labeling.readers`."""

    stream: Readable
    file_format: str


class JsonRows(BaseParser):
    """A JSON array of rows."""

    media_type = "application/json"
    file_format = "json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> RowStream:
        return RowStream(stream, self.file_format)


class NdjsonRows(JsonRows):
    """A row a line."""

    media_type = "application/x-ndjson"
    file_format = "jsonl"


def in_request(message: str) -> str:
    """The message with the header that names a body's format, where a command has a flag."""
    for rows in (NdjsonRows, JsonRows):
        message = message.replace(f"--format {rows.file_format}", f"Content-Type: {rows.media_type}")
    return message.replace(", or name its encoding with --encoding", "")


@contextmanager
def table_of(request: Request) -> Iterator[Table]:
    """The rows of the body. Raises ParseError without one, and ImportFailed where it cannot be read."""
    found = _chunked(request) or request.data
    if not isinstance(found, RowStream):
        raise ParseError("The body is empty. Send a JSON array of texts, or one JSON object a line as NDJSON.")
    with open_table(found.stream, file_format=found.file_format, file_name=NAME) as table:
        yield table


def _chunked(request: Request) -> RowStream | None:
    """A body that is sent without its length, which Django takes for an empty one."""
    if not is_chunked(request.META):
        return None
    parser = request.negotiator.select_parser(request, request.parsers)
    return parser and parser.parse(request.META["wsgi.input"])
