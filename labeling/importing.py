"""Rows of a file become texts of a project: each once, in whole batches, with a record of what was left out and why."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from labeling import annotations, bulk, columns, label_names
from labeling.drafts import Draft, Drafter, RowRejected
from labeling.models import Category, ImportRecord, Project, Text
from labeling.readers import ImportFailed, Readable, Row, Table, objects, open_table

__all__ = ["ImportFailed", "ImportOptions", "import_file", "import_rows"]

logger = logging.getLogger(__name__)

BATCH_ROWS = 5000
BATCH_CHARACTERS = 4_000_000  # long rows make smaller batches, so that memory stays bounded
KEPT_REJECTIONS = 20
DRAFT_FIELDS = ("content", "content_hash", "external_id", "source", "language", "metadata")

Progress = Callable[[ImportRecord, float | None], None]


class ImportOptions(TypedDict, total=False):
    """What a caller may say about the rows; everything may be left out."""

    text_column: str  # default: the column named text, content, body or message, or the only one
    id_column: str  # default: external_id or id
    source_column: str  # default: source
    language_column: str  # default: language or lang
    label_column: str  # no default: labels that people gave are taken over only when asked for
    source: str  # for texts whose row names no source
    create_categories: bool  # make categories of labels that the project does not have
    user: AbstractBaseUser | None
    progress: Progress | None  # called after each batch with the record so far and the share of the file read


def import_file(
    project: Project,
    file: Path | str | Readable,
    *,
    file_format: str = "",
    file_name: str = "",
    **options: Unpack[ImportOptions],
) -> ImportRecord:
    """Import a path, "-" (standard input) or a binary stream; see `readers.open_table` for formats and names.

    Texts that the project has already are counted and left out, so importing again adds only what is missing. Each
    batch is one transaction. Raises ImportFailed when the file cannot be read to its end: whole batches before that
    place are kept, and the record says where it stopped.
    """
    with open_table(file, file_format=file_format, file_name=file_name) as table:
        shown = file_name or ("" if not isinstance(file, Path | str) or str(file) == "-" else Path(file).name)
        return _run(project, table, shown, options)


def import_rows(
    project: Project, rows: Iterable[Mapping[str, Any]], *, file_name: str = "", **options: Unpack[ImportOptions]
) -> ImportRecord:
    """Import rows that are in memory or on the way, as `import_file` does; the first is row 1."""
    numbered = (Row(number, dict(values)) for number, values in enumerate(rows, start=1))
    return _run(project, objects(numbered, file_format="rows", unit="row"), file_name, options)


@transaction.atomic
def add(project: Project, drafts: Sequence[Draft]) -> int:
    """Insert the texts that the project does not have, for callers who have only a few; returns how many there were."""
    if len(drafts) > 1:  # as in `_write`
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    rows = [draft[1:-1] for draft in _distinct(drafts)]
    return bulk.insert_ignoring_duplicates(Text, DRAFT_FIELDS, rows, shared={"project": project.pk})


def _run(project: Project, table: Table, file_name: str, options: ImportOptions) -> ImportRecord:
    chosen = columns.choose(
        table.columns,
        text_column=options.get("text_column", ""),
        id_column=options.get("id_column", ""),
        source_column=options.get("source_column", ""),
        language_column=options.get("language_column", ""),
        label_column=options.get("label_column", ""),
    )
    drafter = Drafter(chosen, default_source=options.get("source", ""))
    user, progress = options.get("user"), options.get("progress")
    record = ImportRecord.objects.create(
        project=project,
        file_name=file_name[-255:],
        file_format=table.file_format,
        created_by_id=user.pk if user else None,
    )
    try:
        for batch in _batches(table.rows, drafter):
            _write(batch, record, create_categories=options.get("create_categories", False))
            if progress:
                progress(record, table.fraction())
    except BaseException as error:  # a stop of any kind is written down, and goes on to the caller
        _finish(record, _reason(error))
        raise
    _finish(record, "")
    return record


@dataclass
class _Batch:
    """What became of a number of rows."""

    drafts: list[Draft] = field(default_factory=list)
    empty: int = 0
    rejections: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0
    characters: int = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= BATCH_ROWS or self.characters >= BATCH_CHARACTERS

    def add(self, row: Row, drafter: Drafter) -> None:
        self.rows += 1
        try:
            draft = drafter.draft(row)
        except RowRejected as reason:
            self.rejections.append((row.line, str(reason)))
            return
        if draft is None:
            self.empty += 1
            return
        self.drafts.append(draft)
        self.characters += len(draft.content) + (len(repr(draft.metadata)) if draft.metadata else 0)


def _batches(rows: Iterator[Row], drafter: Drafter) -> Iterator[_Batch]:
    batch = _Batch()
    try:
        for row in rows:
            batch.add(row, drafter)
            if batch.is_full:
                yield batch
                batch = _Batch()
    except ImportFailed:
        yield batch  # the rows before the damaged place are good
        raise
    if batch.rows:
        yield batch


def _write(batch: _Batch, record: ImportRecord, *, create_categories: bool) -> None:
    """Store one batch and count it, in one transaction."""
    with transaction.atomic():
        # One import at a time writes to a project: what is known cannot change under us, and two imports that insert
        # the same texts in different orders cannot wait for each other. Others may still read and insert.
        project = Project.objects.select_for_update(no_key=True).get(pk=record.project_id)
        asked = {draft.label for draft in batch.drafts if draft.label}
        names = label_names.resolve(project, asked, create=create_categories)
        drafts = [draft for draft in batch.drafts if draft.label not in names.refused]
        refused = [(draft.line, names.refused[draft.label]) for draft in batch.drafts if draft.label in names.refused]
        added = _insert(_distinct(drafts), record, names.categories)
        record_now = _counted(record, batch, refused, added=added, duplicate=len(drafts) - added)
        ImportRecord.objects.filter(pk=record.pk).update(**record_now)
    for name, value in record_now.items():  # only after the commit: the record in memory never runs ahead
        setattr(record, name, value)
    logger.info("Import %s: %s added, %s duplicate so far.", record.pk, record.added, record.duplicate)


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


def _counted(
    record: ImportRecord, batch: _Batch, refused: list[tuple[int, str]], *, added: int, duplicate: int
) -> dict[str, Any]:
    """The record's counters with this batch."""
    rejections = sorted(batch.rejections + refused)
    kept = [{"line": line, "reason": reason} for line, reason in rejections]
    return {
        "added": record.added + added,
        "duplicate": record.duplicate + duplicate,
        "empty": record.empty + batch.empty,
        "rejected": record.rejected + len(rejections),
        "rejections": (record.rejections + kept)[:KEPT_REJECTIONS],
    }


def _finish(record: ImportRecord, error: str) -> None:
    record.error, record.finished_at = error, timezone.now()
    record.save(update_fields=["error", "finished_at"])
    logger.info("Import %s ended: %s added, %s rejected.", record.pk, record.added, record.rejected)


def _reason(error: BaseException) -> str:
    if isinstance(error, ImportFailed):
        return str(error)
    # Other errors may quote texts: their kind is enough here, the log has the rest.
    kind = "Interrupted" if isinstance(error, KeyboardInterrupt) else f"Stopped by {type(error).__name__}"
    return f"{kind}. Import the file again: what was added is skipped."
