"""`import_texts`: what it says, and how it ends."""

import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from labeling import importing, uploads
from labeling.choices import ImportStatus
from labeling.models import ImportRecord, Project

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.csv"
    path.write_text("text,topic\ngoal,Sports\nrain,Chess\n,\ngoal,Sports\n")
    return path


class Stdin:
    """Standard input that a pipe fills."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_it_says_what_was_added_and_what_was_not(
    project: Project, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_texts", str(file), "--project", "news", "--label-column", "topic")
    assert capsys.readouterr().out.splitlines() == [
        "'News': 1 added, 1 duplicate, 1 empty, 1 rejected.",
        "  line 3: the project has no category 'Chess': add it, or use --create-categories",
    ]


def test_without_a_project_the_default_one_is_used(file: Path) -> None:
    call_command("import_texts", str(file))
    assert Project.objects.get(name="Default").texts.count() == 2


def test_an_unknown_project_lists_the_others_and_the_way_to_make_it(project: Project, file: Path) -> None:
    with pytest.raises(CommandError, match=r"Default, News\. .*manage\.py create_project 'Mail'"):
        call_command("import_texts", str(file), "--project", "Mail")


def test_it_reads_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"one\ntwo\n"))
    call_command("import_texts", "-", "--format", "txt", "--project", "News")
    assert project.texts.count() == 2


def test_categories_are_created_on_request(project: Project, file: Path) -> None:
    call_command("import_texts", str(file), "--project", "News", "--label-column", "topic", "--create-categories")
    assert project.categories.filter(name="Chess").exists()


def test_a_damaged_file_says_what_is_kept(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "texts.json"
    path.write_text('[{"text": "a"}, {"te')
    with pytest.raises(CommandError, match=r"(?s)row 2.*Added and kept: 1\. Run the") as error:
        call_command("import_texts", str(path), "--project", "News")
    assert error.value.returncode == 1


def test_an_unreadable_file_says_that_nothing_was_added(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(CommandError, match=r"(?s)not a text file.*Nothing was added"):
        call_command("import_texts", str(path), "--project", "News")


def test_ctrl_c_says_how_many_are_kept_and_ends_with_130(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)
    path = tmp_path / "texts.txt"
    path.write_text("one\ntwo\nthree\nfour\nfive\n")
    finished = importing._write

    def write(batch, record, **options):  # type: ignore[no-untyped-def]
        if record.added == 4:
            raise KeyboardInterrupt
        finished(batch, record, **options)

    monkeypatch.setattr(importing, "_write", write)
    with pytest.raises(CommandError, match=r"Interrupted\. Added and kept: 4\.") as error:
        call_command("import_texts", str(path), "--project", "News")
    assert error.value.returncode == 130
    assert project.texts.count() == 4


@pytest.mark.parametrize(("batches", "kept"), [(0, "Run the command"), (2, r"Added and kept: 4\. Run the command")])
def test_an_import_that_was_ended_meanwhile_says_what_to_do_and_keeps_the_reason(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int, kept: str
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)
    path = tmp_path / "texts.txt"
    path.write_text("one\ntwo\nthree\nfour\nfive\n")
    write_batch = importing._write

    def write(batch, record, **options):  # type: ignore[no-untyped-def]
        if record.added == 2 * batches:
            ImportRecord.objects.update(created_at=LONG_AGO, moved_at=LONG_AGO)
            uploads.end_silent()
        write_batch(batch, record, **options)

    monkeypatch.setattr(importing, "_write", write)
    with pytest.raises(CommandError, match=rf"or was stopped\. What was read last is not written\. {kept}") as error:
        call_command("import_texts", str(path), "--project", "News")
    assert error.value.returncode == 1
    record = ImportRecord.objects.get()
    assert (record.status, record.error, record.added) == (ImportStatus.FAILED, uploads.SILENT, 2 * batches)


def test_the_command_loads_no_model_library() -> None:
    code = (
        "import sys, django; django.setup(); import labeling.management.commands.import_texts; "
        "print(sys.modules.keys() & {'torch', 'transformers', 'onnxruntime', 'pyarrow', 'openpyxl', 'ijson'})"
    )
    command = [sys.executable, "-c", code]
    environment = {"DJANGO_SETTINGS_MODULE": "labeling_site.settings", "PATH": "/usr/bin:/bin"}
    shown = subprocess.run(
        command, capture_output=True, text=True, cwd=settings.BASE_DIR, env=environment, check=True, timeout=120
    )
    assert shown.stdout.strip() == "set()"
