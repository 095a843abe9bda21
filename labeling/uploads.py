"""Uploaded files on their way into a project: taken, started, imported by whoever comes, gone on with after a crash.

The file is kept under MEDIA_ROOT until its import has ended. A task imports for a while and queues the rest, so that
nobody waits behind a large file; where the next one begins is written with each batch (`importing.go_on`), so that a
task that is lost, killed or delivered twice loses nothing and counts nothing twice.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.db.models.fields.files import FieldFile
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling import importing, queueing, workers
from labeling.choices import UNFINISHED_IMPORTS, ImportStatus
from labeling.importing import ImportFailed, ImportOptions, TakenOver
from labeling.models import ImportRecord, Project
from labeling.readers import Table, UnreadableFile, format_of, open_table

logger = logging.getLogger(__name__)

SLICE_SECONDS = 60.0  # far below the broker's timeout: what was read before is read again first, without its texts
AT_ONCE_BYTES = 256 * 1024  # a file up to this size is begun without waiting for a worker
AT_ONCE_SECONDS = 2.0
MOST_ATTEMPTS = 3  # to come farther than the last batch
FORGOTTEN_AFTER = timedelta(days=1)  # an upload that nobody started
SILENT_AFTER = timedelta(days=1)  # an import of a command, whose pipe may bring a row now and then
CAN_BE_CANCELLED = (ImportStatus.UPLOADED, *UNFINISHED_IMPORTS)
STARTED = "This import was started before. Its page shows how far it is."
GIVEN_UP = (
    "It stopped {times} times after row {row:,}, each time without a word: the process was killed, perhaps for want of "
    "memory. Look at the rows after that one, split the file, and import the rest."
)

SILENT = "It stopped without a word: its process was killed. Import the file again: what was added is skipped."


class AlreadyStarted(Exception):
    """The import was started before, or has ended."""


class NothingToCancel(Exception):
    """The import has ended, or is not one of an uploaded file."""


def take(
    project: Project, file: File, *, name: str, file_format: str = "", encoding: str = "", user: AbstractBaseUser | None
) -> ImportRecord:
    """Keep an uploaded file until somebody says what its columns mean. Raises ImportFailed when it can be no table."""
    known = format_of(name, file_format)
    if not file.size:
        raise UnreadableFile(f"{name} is empty: it has no bytes. Choose the file that holds the texts.")
    return ImportRecord.objects.create(
        project=project,
        file_name=Path(name).name[-255:],
        file_format=known,
        status=ImportStatus.UPLOADED,
        upload=file,
        size=file.size,
        options={"encoding": encoding},
        created_by_id=user.pk if user else None,
    )


def take_and_start(
    project: Project,
    file: File,
    *,
    options: ImportOptions,
    file_format: str = "",
    encoding: str = "",
    user: AbstractBaseUser | None,
) -> ImportRecord:
    """Import a file whose columns are known. Raises ImportFailed, after which nothing of it is kept."""
    name = file.name or ""
    record = take(project, file, name=name, file_format=file_format, encoding=encoding, user=user)
    try:
        start(record, options)
    except ImportFailed:
        _delete_file(record)
        record.delete()
        raise
    return record


def read_as(record: ImportRecord, *, file_format: str, encoding: str) -> None:
    """Have an upload that is not started read in another way. Nothing is written before it is started."""
    record.file_format = file_format or record.file_format
    record.options = {**record.options, "encoding": encoding or record.options.get("encoding", "")}


def start(record: ImportRecord, options: ImportOptions) -> None:
    """Import it, by these columns; see `importing.ImportOptions`. Raises ImportFailed when they are not in the file,
    and AlreadyStarted.

    A small file is begun here, so that it does not wait for a worker; the others are left to the background.
    """
    if record.status != ImportStatus.UPLOADED:
        raise AlreadyStarted(STARTED)
    with opened(record) as table:
        importing.drafter_of(table, options)
        header = list(table.columns)
    chosen = {"encoding": record.options.get("encoding", ""), "header": header, **options}
    is_small = record.size <= AT_ONCE_BYTES and not _is_packed(record)
    with transaction.atomic():
        waiting = ImportRecord.objects.filter(pk=record.pk, status=ImportStatus.UPLOADED)
        if not waiting.update(
            status=ImportStatus.QUEUED, options=chosen, file_format=record.file_format, moved_at=timezone.now()
        ):
            raise AlreadyStarted(STARTED)
        if not is_small:
            _queue(record)
    if is_small:
        carry_on(record.pk, seconds=AT_ONCE_SECONDS)
    record.refresh_from_db()


def carry_on(import_id: int, *, seconds: float = SLICE_SECONDS) -> None:
    """Import for so many seconds, then queue the rest. What cannot be imported is written down, not raised."""
    if (record := _begun(import_id)) is None:
        return
    deadline = time.monotonic() + seconds
    try:
        with opened(record) as table:
            is_over = lambda: time.monotonic() > deadline or workers.is_stopping()  # noqa: E731
            is_done = importing.go_on(record, table, cast(ImportOptions, record.options), is_over=is_over)
    except TakenOver as reason:
        logger.info("%s", reason)
        return
    except ImportFailed as reason:
        _end(record, ImportStatus.FAILED, str(reason))
        return
    if is_done:
        _end(record, ImportStatus.FINISHED)
    else:
        _queue(record)


@contextmanager
def opened(record: ImportRecord) -> Iterator[Table]:
    """The table in the uploaded file. Raises ImportFailed."""
    encoding = record.options.get("encoding", "")
    with (
        _file_of(record) as file,
        open_table(file, file_format=record.file_format, file_name=record.file_name, encoding=encoding) as table,
    ):
        yield table


def cancel(record: ImportRecord) -> None:
    """Stop it and delete the file; the texts that it added stay. Raises NothingToCancel."""
    going = ImportRecord.objects.filter(pk=record.pk, status__in=CAN_BE_CANCELLED).exclude(upload="")
    if not going.update(status=ImportStatus.CANCELLED, finished_at=timezone.now()):
        raise NothingToCancel("This import has ended, or is one of a command: stop the command.")
    record.refresh_from_db()
    _delete_file(record)


def requeue(*, rest: timedelta = queueing.REST) -> list[ImportRecord]:
    """Queue the imports again that nobody has worked on for `rest`; returns them. The broker may have lost them."""
    before = queueing.lost_before(workers.INTERACTIVE, rest)
    lost = ImportRecord.objects.filter(status__in=UNFINISHED_IMPORTS, moved_at__lt=before).exclude(upload="")
    records = list(lost.order_by("pk"))
    for record in records:
        _queue(record)
    return records


def forget_abandoned() -> int:
    """Delete the uploads of yesterday that nobody started; returns how many."""
    return sum(map(_forget, _abandoned()))


def _abandoned() -> list[ImportRecord]:
    before = timezone.now() - FORGOTTEN_AFTER
    return list(ImportRecord.objects.filter(status=ImportStatus.UPLOADED, created_at__lt=before))


def _forget(record: ImportRecord) -> bool:
    """Delete an upload, row before file, unless somebody has started it meanwhile; whether it was deleted."""
    # Locked (on SQLite the transaction itself is the lock): a delete of what a query finds looks at the status, then
    # deletes by key, and somebody could start it in between.
    with transaction.atomic():
        unstarted = ImportRecord.objects.select_for_update().filter(pk=record.pk, status=ImportStatus.UPLOADED).first()
        if unstarted is None:
            return False
        unstarted.delete()
    record.upload.delete(save=False)
    return True


def end_silent() -> int:
    """End the imports without a file here, those of commands, that have not moved for a day; returns how many.

    Their process was killed, or no row has come for a day: nobody else can go on with them. One that lives is told by
    its next batch (TakenOver).
    """
    unfinished = ImportRecord.objects.filter(status__in=UNFINISHED_IMPORTS, upload="")
    moved = Coalesce("moved_at", "created_at")
    silent = unfinished.alias(moved=moved).filter(moved__lt=timezone.now() - SILENT_AFTER)
    return silent.update(status=ImportStatus.FAILED, error=SILENT, finished_at=timezone.now())


def _begun(import_id: int) -> ImportRecord | None:
    """The import with this attempt counted; None when it has ended, or this was one attempt too many.

    Attempts are counted before the work: a process that the file kills tells nobody.
    """
    going = ImportRecord.objects.filter(pk=import_id, status__in=UNFINISHED_IMPORTS).exclude(upload="")
    if not going.update(status=ImportStatus.RUNNING, attempts=F("attempts") + 1, moved_at=timezone.now()):
        return None
    record = ImportRecord.objects.select_related("project").get(pk=import_id)
    if record.attempts <= MOST_ATTEMPTS:
        return record
    _end(record, ImportStatus.FAILED, GIVEN_UP.format(times=MOST_ATTEMPTS, row=record.rows_read))
    return None


def _queue(record: ImportRecord) -> None:
    with transaction.atomic():
        ImportRecord.objects.filter(pk=record.pk).update(moved_at=timezone.now())
        queueing.queue("labeling.tasks.import_upload", record.pk, cluster=workers.INTERACTIVE)


def _end(record: ImportRecord, status: ImportStatus, error: str = "") -> None:
    if importing.finish(record, status, error):
        _delete_file(record)


def _file_of(record: ImportRecord) -> FieldFile:
    try:
        return record.upload.open("rb")
    except FileNotFoundError:
        raise UnreadableFile(
            f"The upload {record.file_name} is not there. Where several machines work, they must share the folder "
            "MEDIA_ROOT. Upload the file again."
        ) from None


def _delete_file(record: ImportRecord) -> None:
    """After the row says that the file is not needed: the other way round a crash would leave a row without it."""
    if record.upload:
        record.upload.delete(save=False)
        ImportRecord.objects.filter(pk=record.pk).update(upload="")


def _is_packed(record: ImportRecord) -> bool:
    return record.file_format in ("parquet", "xlsx") or record.file_name.lower().endswith(".gz")
