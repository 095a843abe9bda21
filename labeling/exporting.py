"""Labeled texts with their provenance -> rows, bytes and files. Memory does not grow with the rows."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, TypeAlias

import orjson
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from labeling import certification, counting
from labeling.choices import TextStatus
from labeling.models import ExportRecord, Project, Text
from labeling.writers import FORMATS, Format
from labeling.writers.record import CERTIFICATE_FILE, Alternative, Batch, DoesNotFit, Evidence, Record, Tally
from labeling.writers.replacing import CannotWrite, explained, replaced_file, replaced_folder
from labeling.writers.text_values import to_json

__all__ = ["FORMATS", "CannotWrite", "DoesNotFit", "ExportSummary", "Record", "Tally", "chunks", "export", "rows"]

Only: TypeAlias = Literal["all", "labeled", "final", "accepted", "reviewed"]

SELECTIONS: dict[Only, tuple[TextStatus, ...]] = {
    "all": tuple(TextStatus),
    "labeled": (TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW, TextStatus.REVIEWED),
    "final": (TextStatus.ACCEPTED, TextStatus.REVIEWED),
    "accepted": (TextStatus.ACCEPTED,),
    "reviewed": (TextStatus.REVIEWED,),
}
BATCH_ROWS = 100  # small enough to stay in the processor's cache: 500 take a quarter longer
MOST_ALTERNATIVES = 5


@dataclass(frozen=True)
class Names:
    """What ids in rows stand for. Looked up here, because a join costs a microsecond or two for each of all rows."""

    categories: dict[int, str]
    people: dict[int | None, str]


@dataclass(frozen=True)
class ExportSummary:
    """How many rows an export wrote, and what the reader of the file should know."""

    rows: int
    notes: tuple[str, ...]


def export(
    project: Project,
    *,
    file_format: str,
    only: Only = "all",
    to: BinaryIO | Path,
    on_rows: Callable[[int], None] | None = None,
) -> ExportSummary:
    """Write the project's texts to a stream, or to a path, which is replaced as a whole once all are written.

    The certificate in force goes with it: in the folder, in Parquet's metadata, and in a file of its own beside a file.
    `on_rows` is called with the rows written so far. Raises CannotWrite when the output fails, DoesNotFit when the
    format cannot hold the texts, BrokenPipeError when nobody reads the stream any more.
    """
    tally = Tally(on_rows, certificate=certification.statement(project))
    record = noted(project, file_format=file_format, only=only)
    if FORMATS[file_format].is_folder:
        _write_folder(rows(project, only), FORMATS[file_format], to, tally)
    else:
        _write_file(chunks(project, file_format=file_format, only=only, tally=tally), to)
        _write_beside(to, tally.certificate)
    finish(record, rows=tally.rows)
    return ExportSummary(rows=tally.rows, notes=tuple(tally.notes))


def chunks(
    project: Project, *, file_format: str, only: Only = "all", tally: Tally | None = None
) -> Generator[bytes, None, None]:
    """The bytes of one file, piece by piece. Raises DoesNotFit at once when the format cannot hold so many rows."""
    chosen = FORMATS[file_format]
    if chosen.most_rows is not None and (found := texts(project, only).count()) > chosen.most_rows:
        raise DoesNotFit(f"{found:,} texts are more than {file_format} can hold. Choose csv or parquet.")
    tally = tally or Tally()
    has_alternatives = chosen.has_alternatives and "alternatives" in tally.wanted(Record._fields)
    return _pieces(rows(project, only, alternatives=has_alternatives), chosen, tally)


def noted(project: Project, *, file_format: str, only: Only, user: AbstractBaseUser | None = None) -> ExportRecord:
    """Write down that somebody takes these texts out."""
    certificate = certification.in_force(project)
    return ExportRecord.objects.create(
        project=project,
        file_format=file_format,
        only=only,
        certificate_id=certificate.pk if certificate else None,
        created_by_id=user.pk if user else None,
    )


def finish(record: ExportRecord, *, rows: int) -> None:
    """Write down that the last row was handed over."""
    ExportRecord.objects.filter(pk=record.pk).update(rows=rows, finished_at=timezone.now())


def texts_of_each(project: Project) -> dict[str, int]:
    """How many texts each selection holds, as pages may know it."""
    counts = counting.texts_by_status([project.pk])[project.pk]
    return {only: sum(counts.get(status, 0) for status in held) for only, held in SELECTIONS.items()}


def texts(project: Project, only: Only = "all") -> QuerySet[Text]:
    """The texts that an export of the project holds."""
    found = Text.objects.filter(project=project)
    return found if only == "all" else found.filter(status__in=SELECTIONS[only])


def rows(project: Project, only: Only = "all", *, alternatives: bool = True) -> Generator[Record, None, None]:
    """One record for each text, by id, as they were at one moment. Without `alternatives` that field stays empty.

    It is one query and no transaction: a single SELECT sees one state in both databases, and an atomic block would
    keep all writers waiting on SQLite until the last row is written.
    """
    names = Names(
        categories=dict(project.categories.values_list("pk", "name")),
        people=dict(get_user_model().objects.values_list("pk", "username")),
    )
    columns = _COLUMNS if alternatives else (*_COLUMNS[:-1], Value(None, output_field=TextField()))
    # The ids come from an index in order and the rows are read after them. A plain filter makes SQLite sort whole rows.
    chosen = Text.objects.filter(pk__in=texts(project, only).order_by().values("pk")).order_by("pk")
    for values in chosen.values_list(*columns).iterator(chunk_size=BATCH_ROWS):
        yield _record(names, _Row._make(values))


class _Row(NamedTuple):
    """One text as the query gives it: the values of `_COLUMNS`."""

    text: str
    external_id: str
    source: str
    language: str
    category_id: int | None
    confidence: float | None
    is_calibrated: bool | None
    confidence_source: str | None
    origin: str | None
    status: str
    provider: str | None
    model: str | None
    reviewer_id: int | None
    label_source: str | None
    explanation: str | None
    labeled_at: datetime | None
    created_at: datetime
    version: int | None
    text_id: int
    is_truncated: bool | None
    metadata: str
    evidence: str | None
    scores: str | None


# JSON columns as text, to be decoded only when there is something in them.
_COLUMNS = (
    "content",
    "external_id",
    "source",
    "language",
    "current_label__category_id",
    "current_label__confidence",
    "current_label__is_calibrated",
    "current_label__confidence_source",
    "current_label__origin",
    "status",
    "current_label__provider",
    "current_label__model_name",
    Coalesce("reviewed_by_id", "current_label__annotator_id"),
    "current_label__source",
    "current_label__explanation",
    "current_label__created_at",
    "created_at",
    "current_label__version",
    "pk",
    "current_label__is_truncated",
    Cast("metadata", TextField()),
    Cast("current_label__evidence", TextField()),
    Cast("current_label__scores", TextField()),
)


def _record(names: Names, row: _Row) -> Record:
    # By position: with names it takes twice as long, a million times.
    return Record(
        row.text,
        row.external_id,
        row.source,
        row.language,
        None if row.category_id is None else names.categories[row.category_id],
        row.confidence,
        row.is_calibrated,
        row.confidence_source or None,
        row.origin,
        row.status,
        row.provider or None,
        row.model or None,
        names.people.get(row.reviewer_id) or row.label_source or None,
        row.explanation or None,
        _evidence(row.evidence, row.text),
        _alternatives(row.scores, row.category_id, names.categories),
        row.labeled_at,
        row.created_at,
        row.version,
        row.text_id,
        {} if row.metadata == "{}" else json.loads(row.metadata),
        row.is_truncated,
    )


def _evidence(stored: str | None, text: str) -> list[Evidence]:
    if stored is None or stored == "[]":
        return []
    return [
        {"start": start, "end": end, "word": text[start:end], "weight": weight}
        for start, end, weight in orjson.loads(stored)
    ]


def _alternatives(stored: str | None, category_id: int | None, names: Mapping[int, str]) -> list[Alternative]:
    """The most probable categories besides the label's own, of those that still exist."""
    if stored is None or stored == "[]":
        return []
    others = [pair for pair in orjson.loads(stored) if pair[0] != category_id and pair[0] in names]
    others.sort(key=itemgetter(1), reverse=True)
    return [{"category": names[pk], "probability": share} for pk, share in others[:MOST_ALTERNATIVES]]


def batches(records: Iterator[Record]) -> Iterator[Batch]:
    """The records, so many at a time."""
    while batch := list(islice(records, BATCH_ROWS)):
        yield batch


def _pieces(records: Generator[Record, None, None], chosen: Format, tally: Tally) -> Generator[bytes, None, None]:
    # Closed here and below, also after an error: an open cursor would outlive its connection.
    with closing(records):
        yield from chosen.chunks(tally.count(batches(records)), tally)


def _write_file(pieces: Generator[bytes, None, None], to: BinaryIO | Path) -> None:
    with closing(pieces):
        if isinstance(to, Path):
            with explained(str(to)), replaced_file(to) as stream:
                stream.writelines(pieces)
        else:
            with explained("the output"):
                to.writelines(pieces)
                to.flush()


def _write_beside(to: BinaryIO | Path, certificate: dict[str, Any] | None) -> None:
    """Where none is in force, one from an earlier export goes: it says nothing about these labels."""
    if not isinstance(to, Path) or (to.exists() and not to.is_file()):
        return
    path = to.with_name(f"{to.name}.{CERTIFICATE_FILE}")
    with explained(str(path)):
        if certificate is None:
            path.unlink(missing_ok=True)
            return
        with replaced_file(path) as stream:
            stream.write(to_json(certificate))


def _write_folder(records: Generator[Record, None, None], chosen: Format, to: BinaryIO | Path, tally: Tally) -> None:
    if not isinstance(to, Path):
        raise CannotWrite("This format is a folder of files. Name the folder to write.")
    with (
        closing(records),
        explained(str(to)),
        replaced_folder(to, names=(*chosen.folder_names, CERTIFICATE_FILE)) as folder,
    ):
        for name, pieces in chosen.files(tally.count(batches(records)), tally):
            with replaced_file(folder / name) as stream:
                stream.writelines(pieces)
