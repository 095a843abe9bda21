"""An export as one file on its way to a browser or a program, sent while it is written.

The first bytes are there at once and memory stays flat in every format, at a million texts too. So no export is made in
the background, kept somewhere, or fetched later: a download cannot time out while nothing is sent, and whoever wants it
again asks again. What was taken out, by whom, and whether it came to its end is written down.
"""

from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models.functions import Length
from django.utils.text import slugify

from labeling import certification, exporting
from labeling.exporting import FORMATS, DoesNotFit, Only, Tally
from labeling.models import ExportRecord, Project
from labeling.writers import Format
from labeling.writers.record import CERTIFICATE_FILE
from labeling.writers.text_values import to_json, utf16_units
from labeling.writers.zipping import zipped

ZIP = "application/zip"
LOOK_ROWS = 100


@dataclass(frozen=True)
class Download:
    """A file and its bytes, piece by piece."""

    name: str
    content_type: str
    pieces: Generator[bytes, None, None]


def download(
    project: Project,
    *,
    file_format: str,
    only: Only = "all",
    columns: Collection[str] | None = None,
    with_certificate: bool = False,
    user: AbstractBaseUser | None = None,
) -> Download:
    """The export as one file: a folder comes as a ZIP, and a file beside its certificate as well.

    Raises DoesNotFit; where only a late row shows that, the pieces break off with it.
    """
    tally = Tally(columns=frozenset(columns) if columns is not None else None)
    tally.certificate = certification.statement(project)
    stem = f"{slugify(project.name) or 'project'}-{only}"
    chosen = FORMATS[file_format]
    if chosen.is_folder:
        records = exporting.rows(project, only)
        files = chosen.files(tally.count(exporting.batches(records)), tally)
        found = Download(f"{stem}.zip", ZIP, _zipped(stem, files, records))
    else:
        if columns is None or "text" in columns:
            _refuse_long_texts(project, only, chosen)
        pieces = exporting.chunks(project, file_format=file_format, only=only, tally=tally)
        found = Download(f"{stem}.{file_format}", chosen.content_type, pieces)
        if with_certificate and tally.certificate:
            beside = (f"{found.name}.{CERTIFICATE_FILE}", iter([to_json(tally.certificate)]))
            found = Download(f"{stem}.zip", ZIP, _zipped(stem, [(found.name, pieces), beside], pieces))
    record = exporting.noted(project, file_format=file_format, only=only, user=user)
    return replace(found, pieces=_followed(found.pieces, record, tally))


def _followed(pieces: Generator[bytes, None, None], record: ExportRecord, tally: Tally) -> Generator[bytes, None, None]:
    with closing(pieces):
        yield from pieces
    exporting.finish(record, rows=tally.rows)


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
    long = (
        exporting.texts(project, only).annotate(length=Length("content")).filter(length__gt=chosen.most_characters // 2)
    )
    for text_id, content in long.values_list("pk", "content").iterator(chunk_size=LOOK_ROWS):
        if utf16_units(content) > chosen.most_characters:
            raise DoesNotFit(f"Text {text_id} is longer than a cell of the format can be. Choose csv or parquet.")
