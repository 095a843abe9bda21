"""How values look in formats that are text: JSON, and the flat cells of CSV, TSV and XLSX."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeAlias

import orjson

from labeling.writers.record import Record

Cell: TypeAlias = str | int | float | bool | None

FLAT_COLUMNS = tuple(name for name in Record._fields if name != "alternatives")


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds: readers that guess a column's form from its first cell stay right."""
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def to_json(value: object) -> bytes:
    """`value` as compact JSON in UTF-8. The one place where exports make JSON.

    Metadata may hold what orjson refuses: half of a surrogate pair, or a number of more than 64 bits.
    """
    try:
        return orjson.dumps(value, default=iso, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        text = json.dumps(value, default=iso, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def metadata_json(record: Record) -> str:
    """The record's metadata as a JSON string that every format can hold."""
    return to_json(record.metadata).decode() if record.metadata else "{}"


def utf16_units(text: str) -> int:
    """The length of a text as Excel counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def picker(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What takes the wanted values out of those that have these names."""
    return itemgetter(*map(names.index, wanted)) if len(wanted) < len(names) else lambda values: values


def flat(record: Record) -> list[Cell]:
    """The record as one cell for each of FLAT_COLUMNS."""
    cells: list[Any] = [*record]
    cells[_EVIDENCE] = ", ".join([piece["word"] for piece in record.evidence])
    cells[_LABELED_AT] = iso(record.labeled_at) if record.labeled_at else None
    cells[_CREATED_AT] = iso(record.created_at)
    cells[_METADATA] = metadata_json(record)
    del cells[_ALTERNATIVES]
    return cells


_EVIDENCE, _LABELED_AT, _CREATED_AT, _METADATA, _ALTERNATIVES = map(
    Record._fields.index, ("evidence", "labeled_at", "created_at", "metadata", "alternatives")
)
