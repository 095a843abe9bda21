"""JSON Lines and JSON."""

from collections.abc import Callable, Iterable, Iterator

from labeling.writers.record import Batch, Record, Tally
from labeling.writers.text_values import picker, to_json


def lines(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One JSON object a line."""
    shown = _objects(tally)
    for batch in batches:
        yield b"".join([shown(record) + b"\n" for record in batch])


def array(batches: Iterable[Batch], tally: Tally) -> Iterator[bytes]:
    """One JSON array with one object a line."""
    before, shown = b"[\n", _objects(tally)
    for batch in batches:
        yield before + b",\n".join([shown(record) for record in batch])
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _objects(tally: Tally) -> Callable[[Record], bytes]:
    """What makes an object of a record, with the keys that are wanted."""
    names = tally.wanted(Record._fields)
    picked = picker(Record._fields, names)
    return lambda record: to_json(dict(zip(names, picked(record), strict=True)))
