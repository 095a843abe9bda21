"""Rows of a file become texts of a project: each once, in whole batches, with a record of what was left out and why."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from labeling import annotations, bulk, columns, label_names
from labeling.choices import UNFINISHED_IMPORTS, ImportStatus
from labeling.drafts import Draft, Drafter, RowRejected, json_safe
from labeling.models import Category, ImportRecord, Project, RejectedRow, Text
from labeling.readers import ImportFailed, Readable, Row, Table, objects, open_table

__all__ = ["ImportFailed", "ImportOptions", "TakenOver", "drafter_of", "go_on", "import_file", "import_rows"]

logger = logging.getLogger(__name__)

BATCH_ROWS = 5000
BATCH_CHARACTERS = 4_000_000  # long rows make smaller batches, so that memory stays bounded
BATCH_SECONDS = 60.0  # rows that come slowly make smaller ones, too, so that their import is seen to live
SIGN_ROWS = 50_000
KEPT_REJECTIONS = 20  # beside the counts, for lists
KEPT_ROWS = 10_000  # rejected rows of one import that are kept whole
KEPT_CHARACTERS = 20_000  # of such a row; of longer ones only the place and the reason are kept
COLUMN_OPTIONS = ("text_column", "id_column", "source_column", "language_column", "label_column")
DRAFT_FIELDS = ("content", "content_hash", "external_id", "source", "language", "metadata")

Progress = Callable[[ImportRecord, float | None], None]


class ImportOptions(TypedDict, total=False):
    """What a caller may say about the rows; everything may be left out."""

    text_column: str  # default: the column named text, content, body or message, or the only one
    id_column: str  # default: external_id or id
    source_column: str  # default: source
    language_column: str  # default: language or lang
    label_column: str  # no default: labels that people gave are taken over only when asked for
    guess: bool  # default: true; false takes only the columns that are named
    source: str  # for texts whose row names no source
    create_categories: bool  # make categories of labels that the project does not have
    user: AbstractBaseUser | None
    progress: Progress | None  # called after each batch with the record so far and the share of the file read


class TakenOver(Exception):
    """Another process goes on with this import, or somebody stopped it. What this one read last is not written."""


def import_file(
    project: Project,
    file: Path | str | Readable,
    *,
    file_format: str = "",
    file_name: str = "",
    encoding: str = "",
    **options: Unpack[ImportOptions],
) -> ImportRecord:
    """Import a path, "-" (standard input) or a binary stream; see `readers.open_table` for formats and names.

    Texts that the project has already are counted and left out, so importing again adds only what is missing. Each
    batch is one transaction. Raises ImportFailed when the file cannot be read to its end: whole batches before that
    place are kept, and the record says where it stopped. Raises TakenOver when somebody ended it meanwhile.
    """
    with open_table(file, file_format=file_format, file_name=file_name, encoding=encoding) as table:
        shown = file_name or ("" if not isinstance(file, Path | str) or str(file) == "-" else Path(file).name)
        return _run(project, table, shown, options)


def import_rows(
    project: Project, rows: Iterable[Mapping[str, Any]], *, file_name: str = "", **options: Unpack[ImportOptions]
) -> ImportRecord:
    """Import rows that are in memory or on the way, as `import_file` does; the first is row 1."""
    numbered = (Row(number, dict(values)) for number, values in enumerate(rows, start=1))
    return _run(project, objects(numbered, file_format="rows", unit="row"), file_name, options)


@transaction.atomic(savepoint=False)
def add(project: Project, drafts: Sequence[Draft]) -> int:
    """Insert the texts that the project does not have, for callers who have only a few; returns how many there were."""
    if len(drafts) > 1:  # as in `_write`
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    rows = [draft[1:-1] for draft in _distinct(drafts)]
    return bulk.insert_ignoring_duplicates(Text, DRAFT_FIELDS, rows, shared={"project": project.pk})


def go_on(record: ImportRecord, table: Table, options: ImportOptions, *, is_over: Callable[[], bool]) -> bool:
    """Import the rows that the record has not read, until `is_over`; whether these were all.

    Each batch is written with the place up to which the rows are read, in one transaction and only if nobody else moved
    that place: work that is begun twice adds and counts each row once. Raises ImportFailed and TakenOver.
    """
    for batch in _batches(_unread(table, record), drafter_of(table, options)):
        _write(batch, record, share=table.fraction(), create_categories=options.get("create_categories", False))
        if progress := options.get("progress"):
            progress(record, record.share)
        if is_over():
            return False
    return True


def _unread(table: Table, record: ImportRecord) -> Iterator[Row]:
    """The rows that the record has not read. Passing over the others is a sign of life, as it may take a minute."""
    for passed in range(1, record.rows_read + 1):
        next(table.rows, None)
        if passed % SIGN_ROWS == 0:
            ImportRecord.objects.filter(pk=record.pk).update(moved_at=timezone.now())
    return table.rows


def drafter_of(table: Table, options: ImportOptions) -> Drafter:
    """What makes texts of the table's rows. Raises UnknownColumn."""
    asked = {name: options.get(name, "") for name in COLUMN_OPTIONS}
    chosen = columns.choose(table.columns, guess=options.get("guess", True), **asked)  # type: ignore[arg-type]
    return Drafter(chosen, default_source=options.get("source", ""))


def finish(record: ImportRecord, status: ImportStatus, error: str = "") -> bool:
    """Write down how the import ended, unless it has ended otherwise meanwhile. Whether it ended by this call."""
    going = ImportRecord.objects.filter(pk=record.pk, status__in=UNFINISHED_IMPORTS)
    has_ended = going.update(status=status, error=error, finished_at=timezone.now())
    record.refresh_from_db(fields=["status", "error", "finished_at"])
    if has_ended:
        logger.info("Import %s ended: %s added, %s rejected.", record.pk, record.added, record.rejected)
    return bool(has_ended)


def _run(project: Project, table: Table, file_name: str, options: ImportOptions) -> ImportRecord:
    drafter_of(table, options)  # before anything is written: most mistakes are found here
    user = options.get("user")
    record = ImportRecord.objects.create(
        project=project,
        file_name=file_name[-255:],
        file_format=table.file_format,
        created_by_id=user.pk if user else None,
    )
    try:
        go_on(record, table, options, is_over=lambda: False)
    except TakenOver:  # who ended it has written down why
        raise
    except BaseException as error:  # a stop of any kind is written down, and goes on to the caller
        if isinstance(error, ImportFailed):
            error.added = record.added
        finish(record, ImportStatus.FAILED, _reason(error))
        raise
    finish(record, ImportStatus.FINISHED)
    return record


class Rejection(NamedTuple):
    """A row that becomes no text."""

    line: int
    reason: str
    values: dict[str, Any]


@dataclass
class _Batch:
    """What became of a number of rows."""

    drafter: Drafter
    drafts: list[Draft] = field(default_factory=list)
    empty: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    rows: int = 0
    characters: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def is_full(self) -> bool:
        is_late = time.monotonic() - self.began >= BATCH_SECONDS
        return self.rows >= BATCH_ROWS or self.characters >= BATCH_CHARACTERS or is_late

    def add(self, row: Row) -> None:
        self.rows += 1
        try:
            draft = self.drafter.draft(row)
        except RowRejected as reason:
            self._reject(Rejection(row.line, str(reason), _kept(row.values)))
            return
        if draft is None:
            self.empty += 1
            return
        self.drafts.append(draft)
        self.characters += len(draft.content) + (len(repr(draft.metadata)) if draft.metadata else 0)

    def _reject(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        self.characters += len(repr(rejection.values))

    def refuse_labels(self, refused: Mapping[str, str]) -> None:
        """Turn the drafts whose label has no category into rejections."""
        for draft in self.drafts:
            if draft.label in refused:
                self._reject(Rejection(draft.line, refused[draft.label], _kept(self.drafter.values_of(draft))))
        self.drafts = [draft for draft in self.drafts if draft.label not in refused]


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a rejected row: all of it or nothing, because half a text would be imported as if it were one."""
    try:
        safe: dict[str, Any] = json_safe(values)
    except RowRejected:
        return {}
    return safe if len(repr(safe)) <= KEPT_CHARACTERS else {}


def _batches(rows: Iterator[Row], drafter: Drafter) -> Iterator[_Batch]:
    batch = _Batch(drafter)
    try:
        for row in rows:
            batch.add(row)
            if batch.is_full:
                yield batch
                batch = _Batch(drafter)
    except ImportFailed:
        yield batch  # the rows before the damaged place are good
        raise
    if batch.rows:
        yield batch


def _write(batch: _Batch, record: ImportRecord, *, share: float | None, create_categories: bool) -> None:
    """Store one batch and count it, in one transaction."""
    with transaction.atomic():
        # One import at a time writes to a project: what is known cannot change under us, and two imports that insert
        # the same texts in different orders cannot wait for each other. Others may still read and insert.
        project = Project.objects.select_for_update(no_key=True).get(pk=record.project_id)
        _claim(batch, record)
        asked = {draft.label for draft in batch.drafts if draft.label}
        names = label_names.resolve(project, asked, create=create_categories)
        batch.refuse_labels(names.refused)
        added = _insert(_distinct(batch.drafts), record, names.categories)
        _keep_rejected(batch.rejections, record)
        record_now = _counted(record, batch, added=added, share=share)
        ImportRecord.objects.filter(pk=record.pk).update(**record_now)
    for name, value in record_now.items():  # only after the commit: the record in memory never runs ahead
        setattr(record, name, value)
    logger.info("Import %s: %s added, %s duplicate so far.", record.pk, record.added, record.duplicate)


def _claim(batch: _Batch, record: ImportRecord) -> None:
    """Move the place up to which the rows are read; nobody else has, or it raises TakenOver.

    Before anything is inserted: the rejected rows of a batch that another process has stored are there only once.
    """
    ours = ImportRecord.objects.filter(pk=record.pk, status=ImportStatus.RUNNING, rows_read=record.rows_read)
    if not ours.update(rows_read=record.rows_read + batch.rows):
        raise TakenOver(f"Import {record.pk} goes on elsewhere, or was stopped.")


def _distinct(drafts: Iterable[Draft]) -> list[Draft]:
    """The first draft of each content."""
    first: dict[str, Draft] = {}
    for draft in drafts:
        first.setdefault(draft.content_hash, draft)
    return list(first.values())


def _insert(drafts: list[Draft], record: ImportRecord, categories: Mapping[str, Category]) -> int:
    """Insert the texts that the project does not have, with the labels they bring; returns how many there were."""
    newest = Text.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    shared = {"project": record.project_id, "import_record": record.pk}
    added = bulk.insert_ignoring_duplicates(Text, DRAFT_FIELDS, [draft[1:-1] for draft in drafts], shared=shared)
    chosen = {draft.content_hash: categories[draft.label] for draft in drafts if draft.label}
    if chosen:
        # Only texts that this batch inserted, and only ours: a text that was there before keeps its label.
        texts = Text.objects.filter(pk__gt=newest, import_record=record).only("content_hash", "project_id")
        labels = [(text, chosen[text.content_hash]) for text in texts if text.content_hash in chosen]
        # The person who imports is not the one who labeled: the label names the file, nobody's account.
        annotations.record_imported_labels(labels, source=record.file_name[-200:] or str(record))
    return added


def _keep_rejected(rejections: list[Rejection], record: ImportRecord) -> None:
    rejections.sort(key=attrgetter("line"))
    kept = rejections[: max(0, KEPT_ROWS - record.rejected)]
    bulk.insert(RejectedRow, Rejection._fields, kept, shared={"import_record": record.pk})


def _counted(record: ImportRecord, batch: _Batch, *, added: int, share: float | None) -> dict[str, Any]:
    """The record with this batch."""
    first = [{"line": row.line, "reason": row.reason} for row in batch.rejections[:KEPT_REJECTIONS]]
    return {
        "added": record.added + added,
        "duplicate": record.duplicate + len(batch.drafts) - added,
        "empty": record.empty + batch.empty,
        "rejected": record.rejected + len(batch.rejections),
        "rejections": (record.rejections + first)[:KEPT_REJECTIONS],
        "rows_read": record.rows_read + batch.rows,
        "share": share,
        "attempts": 0,
        "moved_at": timezone.now(),
    }


def _reason(error: BaseException) -> str:
    if isinstance(error, ImportFailed):
        return str(error)
    # Other errors may quote texts: their kind is enough here, the log has the rest.
    kind = "Interrupted" if isinstance(error, KeyboardInterrupt) else f"Stopped by {type(error).__name__}"
    return f"{kind}. Import the file again: what was added is skipped."
