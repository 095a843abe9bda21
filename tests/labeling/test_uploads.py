"""Uploaded files: imported once, whatever happens to who imports them."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models.deletion import Collector
from django.utils import timezone
from django_q.models import OrmQ

from labeling import importing, uploads
from labeling.choices import ImportStatus
from labeling.models import ImportRecord, Project

pytestmark = pytest.mark.django_db

ROWS = 95


@pytest.fixture(autouse=True)
def _small_pieces(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    monkeypatch.setattr(importing, "SIGN_ROWS", 10)
    monkeypatch.setattr(uploads, "AT_ONCE_BYTES", 10)


def table(rows: int = ROWS) -> bytes:
    """Every seventh text repeats the one before, every eleventh is empty, every thirteenth row has a field too many."""
    lines = ["id,text"]
    for number in range(1, rows + 1):
        text = "" if number % 11 == 0 else f"text number {number - (number % 7 == 0)}"
        lines.append(f"{number},{text}" + (",more" if number % 13 == 0 else ""))
    return "\n".join(lines).encode()


@pytest.fixture
def started(project: Project) -> Callable[..., ImportRecord]:
    def start(content: bytes | None = None, name: str = "texts.csv", **options: Any) -> ImportRecord:
        record = uploads.take(project, ContentFile(content or table(), name=name), name=name, user=None)
        uploads.start(record, options)  # type: ignore[arg-type]
        return record

    return start


def counts(record: ImportRecord) -> tuple[int, ...]:
    record.refresh_from_db()
    return record.added, record.duplicate, record.empty, record.rejected


@pytest.fixture
def expected() -> tuple[int, ...]:
    """What one import without trouble counts."""
    other = Project.objects.create(name="Undisturbed")
    return counts(importing.import_file(other, ContentFile(table(), name="texts.csv"), file_name="texts.csv"))


def is_there(record: ImportRecord) -> bool:
    return any(path.is_file() for path in Path(record.upload.storage.location).rglob("*"))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[ImportRecord, int], None]:
    """Carries an import on until a process is killed in the middle of its so many-th batch."""

    def carry_on(record: ImportRecord, batches: int) -> None:
        original, left = importing._keep_rejected, [batches]

        def keep_rejected(*args: Any) -> None:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            original(*args)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(importing, "_keep_rejected", keep_rejected)
            uploads.carry_on(record.pk)

    return carry_on


# --- Once, whatever happens -------------------------------------------------------------------------------------------


def test_an_import_goes_on_where_its_killed_process_had_come(started, killed, expected, project: Project) -> None:
    record = started()
    killed(record, 4)
    record.refresh_from_db()
    assert (record.status, record.rows_read, is_there(record)) == (ImportStatus.RUNNING, 30, True)
    killed(record, 3)
    uploads.carry_on(record.pk)
    assert (counts(record), record.rows_read) == (expected, ROWS)
    assert (record.status, project.texts.count()) == (ImportStatus.FINISHED, expected[0])
    assert record.rejected_rows.count() == record.rejected
    assert not is_there(record)


def test_a_task_imports_for_a_while_and_queues_the_rest(started, expected) -> None:
    record = started()
    slices = 0
    while ImportRecord.objects.get(pk=record.pk).is_unfinished:
        uploads.carry_on(record.pk, seconds=0)
        slices += 1
    assert (counts(record), slices) == (expected, 11)  # the last one finds that nothing is left
    assert OrmQ.objects.filter(key="interactive").count() == 11  # once by the start, then by each slice but the last


def test_a_second_delivery_changes_nothing(started, expected) -> None:
    record = started()
    for _ in range(2):
        uploads.carry_on(record.pk)
    assert counts(record) == expected


def test_who_was_overtaken_writes_nothing_more(started, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started()
    original, is_first = importing._write, [True]

    def write(*args: Any, **options: Any) -> None:
        if is_first[0]:
            is_first[0] = False
            uploads.carry_on(record.pk)  # somebody else does all of it in the meantime
        original(*args, **options)

    monkeypatch.setattr(importing, "_write", write)
    uploads.carry_on(record.pk)
    assert (counts(record), record.status) == (expected, ImportStatus.FINISHED)


def test_who_was_overtaken_at_rejected_rows_ends_quietly(started, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started(table(13))  # the only rejected row is in the second batch
    original, batches = importing._write, []

    def write(*args: Any, **options: Any) -> None:
        batches.append(args)
        if len(batches) == 2:
            uploads.carry_on(record.pk)
        original(*args, **options)

    monkeypatch.setattr(importing, "_write", write)
    uploads.carry_on(record.pk)
    assert (record.rejected_rows.count(), counts(record)[-1], record.status) == (1, 1, ImportStatus.FINISHED)


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_count_each_row_once(started, expected) -> None:
    record = started()

    def carry_on() -> None:
        uploads.carry_on(record.pk)
        connection.close()

    threads = [threading.Thread(target=carry_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counts(record), record.status) == (expected, ImportStatus.FINISHED)


def test_an_import_that_another_process_ends_meanwhile_stays_as_it_ended(
    started, expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = started()
    original = uploads.opened

    def opened_late(seen: ImportRecord) -> Any:
        monkeypatch.setattr(uploads, "opened", original)
        uploads.carry_on(record.pk)  # in another process, which deletes the file
        return original(seen)

    monkeypatch.setattr(uploads, "opened", opened_late)
    uploads.carry_on(record.pk)
    assert (counts(record), record.status, record.error) == (expected, ImportStatus.FINISHED, "")


def test_an_import_that_is_stopped_at_its_last_row_is_stopped(started, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started()
    original = importing.go_on

    def go_on(*args: Any, **options: Any) -> bool:
        is_done = original(*args, **options)
        uploads.cancel(ImportRecord.objects.get(pk=record.pk))
        return is_done

    monkeypatch.setattr(importing, "go_on", go_on)
    uploads.carry_on(record.pk)
    record.refresh_from_db()
    assert (record.status, is_there(record)) == (ImportStatus.CANCELLED, False)


def test_a_file_that_kills_whoever_reads_it_is_given_up(started, killed) -> None:
    record = started()
    killed(record, 2)
    for _ in range(3):
        killed(record, 1)
    uploads.carry_on(record.pk)
    record.refresh_from_db()
    assert (record.status, record.rows_read, is_there(record)) == (ImportStatus.FAILED, 10, False)
    assert "It stopped 3 times after row 10" in record.error


# --- Ends -------------------------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_says_where_and_keeps_what_came_before(started) -> None:
    record = started(table(25) + b'\n26,"open')
    uploads.carry_on(record.pk)
    record.refresh_from_db()
    assert (record.status, record.added > 15) == (ImportStatus.FAILED, True)
    assert "line 27: a quote is opened and never closed" in record.error


def test_stopped_while_it_is_imported_it_adds_no_more(started, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started()
    original, left = importing._write, [3]

    def write(*args: Any, **options: Any) -> None:
        left[0] -= 1
        if not left[0]:
            uploads.cancel(ImportRecord.objects.get(pk=record.pk))
        original(*args, **options)

    monkeypatch.setattr(importing, "_write", write)
    uploads.carry_on(record.pk)
    record.refresh_from_db()
    assert (record.status, record.rows_read, is_there(record)) == (ImportStatus.CANCELLED, 20, False)


def test_an_import_that_has_ended_cannot_be_stopped(started) -> None:
    record = started()
    uploads.carry_on(record.pk)
    with pytest.raises(uploads.NothingToCancel):
        uploads.cancel(ImportRecord.objects.get(pk=record.pk))


def test_a_file_that_is_not_on_this_machine_says_that_the_folder_is_shared(started, tmp_path: Path) -> None:
    record = started()
    Path(record.upload.path).unlink()
    uploads.carry_on(record.pk)
    record.refresh_from_db()
    assert (record.status, "must share the folder MEDIA_ROOT" in record.error) == (ImportStatus.FAILED, True)


# --- Looked after -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lost(started) -> Iterator[ImportRecord]:
    """An import whose task the broker has forgotten."""
    record = started()
    OrmQ.objects.all().delete()
    ImportRecord.objects.filter(pk=record.pk).update(moved_at=timezone.now() - timedelta(minutes=2))
    yield record


def test_a_lost_import_is_queued_again(lost: ImportRecord) -> None:
    assert uploads.requeue() == [lost]
    assert OrmQ.objects.filter(key="interactive").count() == 1
    assert uploads.requeue() == []


def test_an_import_that_moves_is_left_alone(started) -> None:
    started()
    OrmQ.objects.all().delete()
    assert uploads.requeue() == []


def test_while_tasks_wait_an_import_is_given_longer(lost: ImportRecord, started) -> None:
    started(b"text\nanother file\n")
    assert uploads.requeue() == []
    ImportRecord.objects.filter(pk=lost.pk).update(moved_at=timezone.now() - timedelta(minutes=11))
    assert uploads.requeue() == [lost]


def test_an_upload_that_nobody_starts_is_forgotten_after_a_day(project: Project) -> None:
    old, new = (
        uploads.take(project, ContentFile(b"text\na\n", name="a.csv"), name="a.csv", user=None) for _ in range(2)
    )
    ImportRecord.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert uploads.forget_abandoned() == 1
    assert list(ImportRecord.objects.all()) == [new]
    assert Path(new.upload.path).exists() and not Path(old.upload.storage.location, old.upload.name or "x").is_file()


def test_an_old_upload_that_is_started_while_it_is_forgotten_keeps_its_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = uploads.take(project, ContentFile(table(), name="a.csv"), name="a.csv", user=None)
    ImportRecord.objects.update(created_at=timezone.now() - timedelta(days=2))
    found = uploads._abandoned()
    uploads.start(record, {})
    monkeypatch.setattr(uploads, "_abandoned", lambda: found)
    assert uploads.forget_abandoned() == 0
    record.refresh_from_db()
    assert Path(record.upload.path).exists()


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_not_started_between_the_look_at_it_and_its_delete(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = uploads.take(project, ContentFile(table(), name="a.csv"), name="a.csv", user=None)
    ImportRecord.objects.update(created_at=timezone.now() - timedelta(days=2))
    delete, refused = Collector.delete, []

    def start() -> None:
        with pytest.raises(uploads.AlreadyStarted):
            uploads.start(ImportRecord.objects.get(pk=record.pk), {})
        refused.append(True)
        connection.close()

    somebody = threading.Thread(target=start)

    def delete_late(self: Collector) -> Any:
        somebody.start()
        somebody.join(timeout=0.5)  # long enough to start it, if nothing keeps it waiting
        return delete(self)

    monkeypatch.setattr(Collector, "delete", delete_late)
    assert uploads.forget_abandoned() == 1
    somebody.join(timeout=30)
    assert refused == [True]


@pytest.fixture
def of_command(project: Project) -> ImportRecord:
    """An import of a command whose process was killed a day ago, before its first batch."""
    long_ago = timezone.now() - timedelta(days=1, seconds=1)
    return ImportRecord.objects.create(project=project, file_format="csv", created_at=long_ago)


def test_an_import_of_a_command_that_was_killed_is_ended(of_command: ImportRecord) -> None:
    assert uploads.end_silent() == 1
    of_command.refresh_from_db()
    assert (of_command.status, of_command.finished_at is not None) == (ImportStatus.FAILED, True)
    assert "Import the file again" in of_command.error


def test_an_import_of_a_command_that_moved_lately_goes_on(of_command: ImportRecord) -> None:
    ImportRecord.objects.update(moved_at=timezone.now() - timedelta(hours=1))
    assert uploads.end_silent() == 0


def test_an_import_of_an_upload_is_not_ended_for_its_silence(started) -> None:
    started()
    ImportRecord.objects.update(moved_at=timezone.now() - timedelta(days=2))
    assert uploads.end_silent() == 0
