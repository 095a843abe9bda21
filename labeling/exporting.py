"""Labeled texts with their provenance -> rows, bytes and files. Reads only; memory does not grow with the rows."""

import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import orjson
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Length
from django.utils.text import slugify

from labeling import certification
from labeling.choices import TextStatus
from labeling.models import Project, Text
from labeling.writers import FORMATS, Format
from labeling.writers.record import CERTIFICATE_FILE, Alternative, Batch, DoesNotFit, Evidence, Record, Tally
from labeling.writers.replacing import CannotWrite, explained, replaced_file, replaced_folder
from labeling.writers.text_values import to_json, utf16_units
from labeling.writers.zipping import zipped

__all__ = ["FORMATS", "CannotWrite", "DoesNotFit", "ExportSummary", "Record", "Tally", "chunks", "export", "rows"]

Only: TypeAlias = Literal["all", "labeled", "final", "accepted", "reviewed"]

SELECTIONS: dict[Only, tuple[TextStatus, ...]] = {
    "all": tuple(TextStatus),
    "labeled": (TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW, TextStatus.REVIEWED),
    "final": (TextStatus.ACCEPTED, TextStatus.REVIEWED),
    "accepted": (TextStatus.ACCEPTED,),
    "reviewed": (TextStatus.REVIEWED,),
}
ZIP = "application/zip"
BATCH_ROWS = 100  # small enough to stay in the processor's cache: 500 take a quarter longer
MOST_ALTERNATIVES = 5


@dataclass(frozen=True)
class Names:
    """What ids in rows stand for. Looked up here, because a join costs a microsecond or two for each of all rows."""

    categories: dict[int, str]
    people: dict[int | None, str]


@dataclass(frozen=True)
class Download:
    """A file on its way to a browser or a program."""

    name: str
    content_type: str
    pieces: Generator[bytes, None, None]


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
    if FORMATS[file_format].is_folder:
        _write_folder(rows(project, only), FORMATS[file_format], to, tally)
    else:
        _write_file(chunks(project, file_format=file_format, only=only, tally=tally), to)
        _write_beside(to, tally.certificate)
    return ExportSummary(rows=tally.rows, notes=tuple(tally.notes))


def chunks(
    project: Project, *, file_format: str, only: Only = "all", tally: Tally | None = None
) -> Generator[bytes, None, None]:
    """The bytes of one file, piece by piece. Raises DoesNotFit at once when the format cannot hold so many rows."""
    chosen = FORMATS[file_format]
    if chosen.most_rows is not None and (found := texts(project, only).count()) > chosen.most_rows:
        raise DoesNotFit(f"{found:,} texts are more than {file_format} can hold. Choose csv or parquet.")
    tally = tally or Tally()
    has_alternatives = chosen.has_alternatives and bool({"alternatives"}.intersection(tally.wanted(Record._fields)))
    return _pieces(rows(project, only, alternatives=has_alternatives), chosen, tally)


def download(
    project: Project,
    *,
    file_format: str,
    only: Only = "all",
    columns: Collection[str] | None = None,
    with_certificate: bool = False,
) -> Download:
    """The export as one file, piece by piece: a folder comes as a ZIP, and a file beside its certificate as well.

    The first bytes are there at once and memory stays flat in every format, at a million texts too: so nothing is made
    in the background, stored, or has to be fetched again later. Raises DoesNotFit; where only a late row shows that,
    the pieces break off with it.
    """
    tally = Tally(columns=frozenset(columns) if columns is not None else None)
    tally.certificate = certification.statement(project)
    stem = f"{slugify(project.name) or 'project'}-{only}"
    chosen = FORMATS[file_format]
    if chosen.is_folder:
        records = rows(project, only)
        files = chosen.files(tally.count(_batches(records)), tally)
        return Download(f"{stem}.zip", ZIP, _zipped(stem, files, records))
    _refuse_long_texts(project, only, chosen)
    pieces = chunks(project, file_format=file_format, only=only, tally=tally)
    name = f"{stem}.{file_format}"
    if with_certificate and tally.certificate:
        beside = (f"{name}.{CERTIFICATE_FILE}", iter([to_json(tally.certificate)]))
        return Download(f"{stem}.zip", ZIP, _zipped(stem, [(name, pieces), beside], pieces))
    return Download(name, chosen.content_type, pieces)


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
        yield _record(names, *values)


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


def _record(
    names: Names,
    text: str,
    external_id: str,
    source: str,
    language: str,
    category_id: int | None,
    confidence: float | None,
    is_calibrated: bool | None,
    confidence_source: str | None,
    origin: str | None,
    status: str,
    provider: str | None,
    model: str | None,
    reviewer_id: int | None,
    label_source: str | None,
    explanation: str | None,
    labeled_at: datetime | None,
    created_at: datetime,
    version: int | None,
    text_id: int,
    is_truncated: bool | None,
    metadata: str,
    evidence: str | None,
    scores: str | None,
) -> Record:
    # By position: with names it takes twice as long, a million times.
    return Record(
        text,
        external_id,
        source,
        language,
        None if category_id is None else names.categories[category_id],
        confidence,
        is_calibrated,
        confidence_source or None,
        origin,
        status,
        provider or None,
        model or None,
        names.people.get(reviewer_id) or label_source or None,
        explanation or None,
        [] if evidence is None or evidence == "[]" else _evidence(evidence, text),
        [] if scores is None or scores == "[]" else _alternatives(scores, category_id, names.categories),
        labeled_at,
        created_at,
        version,
        text_id,
        {} if metadata == "{}" else json.loads(metadata),
        is_truncated,
    )


def _evidence(stored: str, text: str) -> list[Evidence]:
    return [
        {"start": start, "end": end, "word": text[start:end], "weight": weight}
        for start, end, weight in orjson.loads(stored)
    ]


def _alternatives(stored: str, category_id: int | None, names: Mapping[int, str]) -> list[Alternative]:
    """The most probable categories besides the label's own, of those that still exist."""
    others = [pair for pair in orjson.loads(stored) if pair[0] != category_id and pair[0] in names]
    others.sort(key=itemgetter(1), reverse=True)
    return [{"category": names[pk], "probability": share} for pk, share in others[:MOST_ALTERNATIVES]]


def _batches(records: Iterator[Record]) -> Iterator[Batch]:
    while batch := list(islice(records, BATCH_ROWS)):
        yield batch


def _pieces(records: Generator[Record, None, None], chosen: Format, tally: Tally) -> Generator[bytes, None, None]:
    # Closed here and below, also after an error: an open cursor would outlive its connection.
    with closing(records):
        yield from chosen.chunks(tally.count(_batches(records)), tally)


def _zipped(
    folder: str, files: Iterable[tuple[str, Iterator[bytes]]], source: Generator[Any, None, None]
) -> Generator[bytes, None, None]:
    """A ZIP of the files in a folder. `source`, which their bytes come from, is closed at the end."""
    with closing(source):
        yield from zipped((f"{folder}/{name}", pieces) for name, pieces in files)


def _refuse_long_texts(project: Project, only: Only, chosen: Format) -> None:
    """Before the first byte, because a download that breaks off cannot say why."""
    if chosen.most_characters is None:
        return
    long = texts(project, only).annotate(length=Length("content")).filter(length__gt=chosen.most_characters // 2)
    for text_id, content in long.values_list("pk", "content").iterator(chunk_size=BATCH_ROWS):
        if utf16_units(content) > chosen.most_characters:
            raise DoesNotFit(f"Text {text_id} is longer than a cell of the format can be. Choose csv or parquet.")


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
        for name, pieces in chosen.files(tally.count(_batches(records)), tally):
            with replaced_file(folder / name) as stream:
                stream.writelines(pieces)
