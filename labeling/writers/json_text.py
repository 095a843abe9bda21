"""JSON Lines and JSON."""

from collections.abc import Iterable, Iterator

from labeling.writers.record import Batch, Record, Tally
from labeling.writers.text_values import to_json


def lines(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One JSON object a line."""
    for batch in batches:
        yield b"".join([_object(record) + b"\n" for record in batch])


def array(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One JSON array with one object a line."""
    before = b"[\n"
    for batch in batches:
        yield before + b",\n".join([_object(record) for record in batch])
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _object(record: Record) -> bytes:
    return to_json(dict(zip(Record._fields, record, strict=True)))
