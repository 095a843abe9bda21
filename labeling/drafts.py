"""One row of a file as the text it will become."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.conf import settings

from labeling.columns import Columns
from labeling.models import Text
from labeling.normalizing import content_hash, normalize
from labeling.readers import ImportFailed, Row
from labeling.readers.lines import as_row

MAX_DEPTH = 50
LIMITS: dict[str, int] = {
    field.name: field.max_length or 0
    for field in Text._meta.fields
    if field.name in ("external_id", "source", "language")
}


# What programs call the values of a text. All others, and what stands under `metadata`, become its metadata.
REQUESTED = Columns("text", "external_id", "source", "language", asked=frozenset(LIMITS))


class RowRejected(ValueError):
    """This row cannot become a text. The message completes "line 7: ..."."""

    @property
    def sentence(self) -> str:
        """The message where it stands alone."""
        words = str(self)
        return f"{words[0].upper()}{words[1:]}."


class Draft(NamedTuple):
    """A text that is not stored yet."""

    line: int
    content: str
    content_hash: str
    external_id: str
    source: str
    language: str
    metadata: dict[str, Any]
    label: str


class Drafter:
    """Makes drafts of rows, by one choice of columns."""

    def __init__(self, columns: Columns, *, default_source: str = "") -> None:
        default_source = normalize(default_source)
        if len(default_source) > LIMITS["source"]:
            raise ImportFailed(f"The source's name has more than {LIMITS['source']} characters. Shorten --source.")
        self.columns = columns
        self.recognised = columns.recognised
        self.default_source = default_source
        self.max_length: int = settings.MAX_TEXT_LENGTH

    def draft(self, row: Row) -> Draft | None:
        """The row's draft; None if its text is empty. Raises RowRejected."""
        if row.problem:
            raise RowRejected(row.problem)
        values, columns = row.values, self.columns
        if not (content := _content(values, columns.text)):
            return None
        if len(content) > self.max_length:
            raise RowRejected(
                f"the text has {len(content):,} characters, more than {self.max_length:,}: "
                "shorten it or raise MAX_TEXT_LENGTH"
            )
        metadata = {storable(name): json_safe(value) for name, value in values.items() if name not in self.recognised}
        return Draft(
            row.line,
            content,
            content_hash(content),
            self._short("external_id", values, metadata),
            self._short("source", values, metadata) or self.default_source,
            self._short("language", values, metadata),
            metadata,
            _label(values.get(columns.label)) if columns.label else "",
        )

    def values_of(self, draft: Draft) -> dict[str, Any]:
        """The draft as a row again, under the names of its columns."""
        names = self.columns
        chosen = {
            names.text: draft.content,
            names.external_id: draft.external_id,
            names.source: draft.source,
            names.language: draft.language,
            names.label: draft.label,
        }
        return {name: value for name, value in chosen.items() if name} | draft.metadata

    def _short(self, field: str, values: Mapping[str, Any], metadata: dict[str, Any]) -> str:
        """The value of an optional column that the table has a limit for."""
        column = getattr(self.columns, field)
        if not column or (value := values.get(column)) is None:
            return ""
        if (fitting := _scalar(value)) is not None and len(fitting) <= LIMITS[field]:
            return fitting
        if column in self.columns.asked:
            raise RowRejected(f"the value in '{column}' is not a text of at most {LIMITS[field]} characters")
        metadata[storable(column)] = json_safe(value)
        return ""


def of_request(number: int, value: Any) -> Draft:
    """The draft of a text that a program sends: a string, or an object as `REQUESTED` names its values.

    Raises RowRejected, also when the text is empty.
    """
    if (draft := Drafter(REQUESTED).draft(flattened(as_row(number, value)))) is None:
        raise RowRejected("the text is empty")
    return draft


def flattened(row: Row) -> Row:
    """The row with what stands under `metadata` beside its other values, where no name has another meaning."""
    if "metadata" not in row.values:
        return row
    more = {} if row.values["metadata"] is None else row.values["metadata"]
    if not isinstance(more, Mapping):
        return row
    if taken := sorted(set(more) & (set(REQUESTED.recognised) - {"metadata"})):
        return row._replace(problem=f"its metadata has a '{taken[0]}', which has a meaning of its own: rename it")
    rest = {name: value for name, value in row.values.items() if name != "metadata"}
    if twice := sorted(set(more) & set(rest)):
        return row._replace(problem=f"'{twice[0]}' stands there twice, in its metadata and beside it: leave one out")
    return row._replace(values=rest | dict(more))


def _content(values: Mapping[str, Any], column: str) -> str:
    value = values.get(column)
    if type(value) is str:
        return normalize(value)
    if value is None:
        if values and column not in values:
            raise RowRejected(f"has no '{column}'")
        return ""
    if (text := _scalar(value)) is None:
        raise RowRejected(f"the value in '{column}' is a {type(value).__name__}, not a text")
    return text


def _label(value: Any) -> str:
    if value is None:
        return ""
    if (name := _scalar(value)) is None:
        raise RowRejected("the label is not one category's name")
    return name


def _scalar(value: Any) -> str | None:
    """A single value as normalised text; None for lists, objects, and bytes that are not UTF-8."""
    if type(value) is str:
        return normalize(value)
    if isinstance(value, dict | list | tuple | set):
        return None
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, float) and not math.isfinite(value):
        return ""  # how data frames write a missing value
    return normalize(str(value))


def storable(text: str) -> str:
    """Without the characters that no database takes: NUL and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def json_safe(value: Any, depth: int = 0) -> Any:
    """The value as JSON that every database takes; what JSON cannot say becomes text, what is not a number null."""
    if type(value) is str:
        return storable(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > MAX_DEPTH:
        raise RowRejected(f"its metadata is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {storable(str(name)): json_safe(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_safe(inner, depth + 1) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        text = _scalar(value)
        return f"({len(value)} bytes)" if text is None else text
    return storable(str(value))
