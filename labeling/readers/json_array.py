"""A JSON array of objects."""

import io
from collections.abc import Iterator

from labeling.readers.encoding import row_limit
from labeling.readers.errors import RowTooLong, UnreadableFile
from labeling.readers.lines import as_row
from labeling.readers.opening import BUFFER
from labeling.readers.rows import Row, Table, objects

OVERFLOW = "overflow"  # so the parser calls integers beyond 64 bits and floats beyond what they can be
TOO_LARGE = "holds a number that is too large: send it as a string."


class _Metered:
    """Refuses to read on when one element has become too long to hold in memory."""

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        self.stream = stream
        self.name = name
        self.limit = row_limit()
        self.row = 1
        self.since_row = 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.since_row += len(data)
        if self.since_row > self.limit + BUFFER:
            raise RowTooLong(f"{self.name}, row {self.row}: the row is longer than {self.limit:,} bytes. Shorten it.")
        return data


def read_json(stream: io.BufferedReader, name: str) -> Table:
    start = stream.peek(BUFFER).lstrip()[:1]
    if start == b"{":
        raise UnreadableFile(f"{name} begins with an object. Put [ ] around it, or use --format jsonl for one a line.")
    if start != b"[":
        raise UnreadableFile(f"{name} is not a JSON array of objects.")
    return objects(_rows(_Metered(stream, name)), file_format="json", unit="row")


def _rows(stream: _Metered) -> Iterator[Row]:
    import ijson

    try:
        for number, item in enumerate(ijson.items(stream, "item", use_float=True, buf_size=BUFFER), start=1):
            yield as_row(number, item)
            stream.row, stream.since_row = number + 1, 0
    except ijson.IncompleteJSONError as error:
        if OVERFLOW in (reason := _reason(error)):
            raise UnreadableFile(f"{stream.name}, row {stream.row} {TOO_LARGE}") from None
        raise UnreadableFile(f"{stream.name} is cut off or damaged in row {stream.row}: {reason}.") from None
    except ijson.JSONError as error:
        raise UnreadableFile(f"{stream.name}, row {stream.row} is not JSON: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """The parser's own words without the piece of the file that it shows after them."""
    said = error.args[0] if error.args else ""
    words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return words.split("\n")[0].strip().rstrip(".") or "unexpected end"
