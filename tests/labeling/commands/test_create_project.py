"""`create_project`: what it says and what it makes."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Project

pytestmark = pytest.mark.django_db


def test_it_creates_the_project_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "categories.json"
    path.write_text(json.dumps([{"name": "Spam"}, {"name": "Ham"}]))
    call_command("create_project", "Mail", "--categories", str(path), "--threshold", "0.9")
    assert capsys.readouterr().out == "Created project 'Mail' with 2 categories.\n"
    assert Project.objects.get(name="Mail").threshold == 0.9


def test_a_category_named_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_text(json.dumps([{"name": "Spam"}, {"name": "SPAM"}]))
    with pytest.raises(CommandError, match="both named"):
        call_command("create_project", "Mail", "--categories", str(path))


def test_an_existing_project_is_refused(project: Project) -> None:
    with pytest.raises(CommandError, match="already"):
        call_command("create_project", "news")
