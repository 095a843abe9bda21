import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from labeling import exporting
from labeling.models import Project, Text

ROOT = Path(__file__).resolve().parents[3]
AddTexts = Callable[..., list[Text]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*args: str, stdout: io.TextIOBase | None = None, **options: Any) -> tuple[str, str]:
    """What the command wrote to stdout and stderr."""
    out, err = stdout or io.StringIO(), io.StringIO()
    call_command("export_labels", *args, stdout=out, stderr=err, **options)
    return out.getvalue() if isinstance(out, io.StringIO) else "", err.getvalue()


def test_rows_go_to_stdout_and_nothing_else_does(project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "größer", "zwei")
    out, err = run("--project", "news", "--format", "jsonl")
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["größer", "zwei"]
    assert err == ""


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_every_file_format_can_be_redirected(project: Project, add_texts: AddTexts, file_format: str) -> None:
    add_texts(project, "one")
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    run("--project", "News", "--format", file_format, stdout=stdout)
    assert stdout.buffer.seek(0, io.SEEK_END) > 0


def test_a_file_is_written_and_the_count_told(project: Project, add_texts: AddTexts, tmp_path: Path) -> None:
    add_texts(project, "one", "two")
    out, err = run("--project", "News", "--format", "csv", "--output", str(tmp_path / "labels.csv"))
    assert (out, err.strip()) == ("", f"2 rows written to {tmp_path / 'labels.csv'}.")
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 3


def test_a_selection_is_passed_on(project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "unlabeled")
    out, err = run("--project", "News", "--format", "jsonl", "--only", "reviewed")
    assert out == ""
    assert "the export is empty" in err


def test_an_empty_project_gives_a_header_and_a_note(project: Project) -> None:
    out, err = run("--project", "News", "--format", "csv")
    assert out.startswith("text,external_id,")
    assert len(out.splitlines()) == 1
    assert "Project News has no such texts" in err


def test_an_unknown_project_lists_those_there_are(project: Project) -> None:
    with pytest.raises(CommandError, match=r"There is no project 'Nws'.*News"):
        run("--project", "Nws", "--format", "csv")


def test_a_folder_format_asks_for_a_folder(project: Project) -> None:
    with pytest.raises(CommandError, match=r"Add --output FOLDER"):
        run("--project", "News", "--format", "hf")


def test_binary_formats_do_not_go_to_a_terminal(project: Project) -> None:
    with pytest.raises(CommandError, match=r"cannot be shown in a terminal. Add --output FILE"):
        run("--project", "News", "--format", "parquet", stdout=Terminal())


def test_a_text_that_does_not_fit_is_an_error_of_one_line(
    project: Project, add_texts: AddTexts, tmp_path: Path
) -> None:
    add_texts(project, "x" * 40_000)
    with pytest.raises(CommandError, match=r"Choose csv or parquet"):
        run("--project", "News", "--format", "xlsx", "--output", str(tmp_path / "labels.xlsx"))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_says_that_the_old_file_is_whole(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "export", interrupted)
    with pytest.raises(CommandError, match=r"Stopped. .* is as it was before") as stopped:
        run("--project", "News", "--format", "csv", "--output", str(tmp_path / "labels.csv"))
    assert stopped.value.returncode == 130


def test_a_full_disk_is_an_error_of_one_line(project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "one")
    with pytest.raises(CommandError, match=r"No space left on device.*Free space"):
        run("--project", "News", "--format", "csv", "--output", "/dev/full")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs a shell command with a database of its own, which holds a project News with 3000 texts."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'shell.sqlite3'}", "PYTHON": sys.executable}

    def call(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True)

    fill = (
        "from labeling.models import Project, Text; p = Project.objects.create(name='News'); "
        "Text.objects.bulk_create(Text(project=p, content=f'text {n} ' * 20, content_hash=n) for n in range(3000))"
    )
    call(f'"$PYTHON" manage.py migrate -v 0 && "$PYTHON" manage.py shell -v 0 -c "{fill}"').check_returncode()
    return call


def test_a_reader_that_has_enough_ends_the_export_quietly(
    shell: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = shell('"$PYTHON" manage.py export_labels --project News --format csv | head -n 2')
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "")


def test_a_full_disk_behind_a_redirection_is_an_error_of_one_line(
    shell: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = shell('"$PYTHON" manage.py export_labels --project News --format jsonl > /dev/full')
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "CommandError: No space left on device: cannot write the output. Free space or choose another output."
    )


def test_no_library_is_imported_that_the_format_does_not_need() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'labeling_site.settings'; django.setup()\n"
        "import labeling.management.commands.export_labels, labeling.writers.delimited, labeling.writers.json_text\n"
        "print([name for name in ('torch', 'transformers', 'pyarrow', 'openpyxl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
