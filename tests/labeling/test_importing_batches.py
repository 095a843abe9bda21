"""Imports go on in whole batches: what stays when one stops, how large they are, and that two at once agree."""

import io
import tracemalloc
from typing import Any

import pytest

from labeling import importing
from labeling.models import Category, ImportRecord, Label, Project, Text
from labeling.readers import UnreadableFile
from tests.labeling.imports import contents, import_csv, numbered
from tests.threads import at_once


class Interrupted(io.BytesIO):
    """Ctrl-C comes while the file is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise KeyboardInterrupt


# --- stopping in the middle ---------------------------------------------------------------------------------------


def test_a_damaged_file_keeps_the_rows_before(project: Project) -> None:
    damaged = io.BytesIO(b'[{"text": "a"}, {"text": "b"}, {"te')
    with pytest.raises(UnreadableFile):
        importing.import_file(project, damaged, file_name="a.json")
    record = ImportRecord.objects.get()
    assert (contents(project), record.added) == (["a", "b"], 2)
    assert "cut off or damaged in row 3" in record.error
    assert record.finished_at is not None


def test_ctrl_c_keeps_whole_batches(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    stream = Interrupted(b"text\n" + b"".join(b"text %d\n" % number for number in range(35)))
    with pytest.raises(KeyboardInterrupt):
        importing.import_file(project, stream, file_name="texts.csv")
    record = ImportRecord.objects.get()
    assert (project.texts.count(), record.added) == (30, 30)
    assert record.error.startswith("Interrupted. Import the file again")


def test_running_again_adds_only_what_is_missing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    content = b"text\n" + b"".join(b"text %d\n" % number for number in range(35))
    with pytest.raises(KeyboardInterrupt):
        importing.import_file(project, Interrupted(content), file_name="texts.csv")
    again = importing.import_file(project, io.BytesIO(content), file_name="texts.csv")
    assert (again.added, again.duplicate, project.texts.count()) == (5, 30, 35)


def test_a_batch_that_fails_leaves_nothing_of_itself(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(importing.annotations, "record_imported_labels", fail)
    with pytest.raises(RuntimeError):
        import_csv(project, "text,topic\nsecret words,Sports\n", label_column="topic")
    record = ImportRecord.objects.get()
    assert (project.texts.count(), record.added) == (0, 0)
    assert record.error == "Stopped by RuntimeError. Import the file again: what was added is skipped."


def test_progress_is_told_after_each_batch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    seen: list[int] = []
    importing.import_rows(project, numbered(25), progress=lambda record, fraction: seen.append(record.added))
    assert seen == [10, 20, 25]


def test_rows_that_come_slowly_are_written_as_they_come(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_SECONDS", 0.0)
    stored: list[int] = []

    class Slow:
        lines = iter([b"text\n", b"one\n", b"two\n", b"three\n"])

        def read(self, size: int = -1, /) -> bytes:
            stored.append(project.texts.count())
            return next(self.lines, b"")

    importing.import_file(project, Slow(), file_name="texts.csv")
    assert stored[:5] == [0, 0, 1, 2, 3]


# --- size and company ---------------------------------------------------------------------------------------------


def peak_of_import(project: Project, rows: int) -> int:
    tracemalloc.start()
    importing.import_rows(project, numbered(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_file(project: Project) -> None:
    peak_of_import(project, 5_000)  # whatever is loaded once
    small, large = peak_of_import(project, 10_000), peak_of_import(project, 40_000)
    assert large < small * 1.2


@pytest.mark.parametrize("column", ["text", "note"])
def test_long_rows_make_small_batches(project: Project, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    monkeypatch.setattr(importing, "BATCH_CHARACTERS", 100)
    seen: list[int] = []
    rows = [{"text": f"{number}", column: f"{number}" * 60} for number in range(4)]
    importing.import_rows(project, rows, progress=lambda record, fraction: seen.append(record.added))
    assert seen == [2, 4]


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_the_same_time_add_each_text_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 50)
    rows = [{"text": f"text {number}", "topic": "Chess"} for number in range(1000)]
    options: Any = {"label_column": "topic", "create_categories": True}
    one, other = at_once(
        lambda: importing.import_rows(project, rows, **options),
        lambda: importing.import_rows(project, rows[::-1], **options),
    )
    assert one.added + other.added == 1000
    assert one.duplicate + other.duplicate == 1000
    counts = at_once(
        lambda: (Text.objects.count(), Label.objects.count(), Category.objects.filter(name="Chess").count())
    )
    assert counts == [(1000, 1000, 1)]
