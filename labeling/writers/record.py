"""One row of an export, the same in every format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypedDict

from labeling.spreadsheets import OWN_COLUMNS


class Evidence(TypedDict):
    """A piece of the text that speaks for the category, in characters of the text."""

    start: int
    end: int
    word: str
    weight: float


class Alternative(TypedDict):
    """Another category that the model thought possible."""

    category: str
    probability: float


class Record(NamedTuple):
    """One text with its current label. The order of the fields is the order of keys and columns in every format.

    What belongs to the label is None for a text without one, and where it does not apply: a person's label has no
    provider. Times are in UTC.
    """

    text: str
    external_id: str
    source: str
    language: str
    category: str | None
    confidence: float | None
    is_calibrated: bool | None
    confidence_source: str | None
    origin: str | None
    status: str
    provider: str | None
    model: str | None
    reviewer: str | None
    explanation: str | None
    evidence: list[Evidence]
    alternatives: list[Alternative]
    labeled_at: datetime | None
    created_at: datetime
    label_version: int | None
    text_id: int
    metadata: dict[str, Any]
    is_truncated: bool | None


Batch: TypeAlias = Sequence[Record]


CERTIFICATE_FILE = "certificate.json"  # in a folder that is exported


@dataclass
class Tally:
    """What an export has written so far, and what whoever asked for it should be told."""

    on_rows: Callable[[int], None] | None = None
    certificate: dict[str, Any] | None = None  # what is proven about the labels; formats that can carry it do
    columns: frozenset[str] | None = None  # what is wanted of Record's fields; None for all
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def wanted(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names that are to be written, in their order."""
        return tuple(name for name in names if self.columns is None or name in self.columns or name in OWN_COLUMNS)

    def count(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Pass `batches` on, counting their rows."""
        for batch in batches:
            yield batch
            self.rows += len(batch)
            if self.on_rows:
                self.on_rows(self.rows)


class DoesNotFit(ValueError):
    """The chosen format cannot hold these rows; another one can."""
