"""The export format that CONTRIBUTING.md shows, as written there."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import call_command

from labeling import writers
from labeling.models import Label, Project
from tests.docs.test_providers import PAGE

CODE = re.findall(r"```python\n(.*?)```", (PAGE.parents[1] / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)


@pytest.fixture
def _format(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("labeling.writers.fasttext")
    exec(CODE[0], module.__dict__)
    monkeypatch.setitem(sys.modules, "labeling.writers.fasttext", module)
    shown: dict[str, writers.Format] = {}
    exec(CODE[1], {"FORMATS": shown, "Format": writers.Format})
    monkeypatch.setitem(writers.FORMATS, "fasttext", shown["fasttext"])


@pytest.mark.django_db
@pytest.mark.usefixtures("_format", "fake_providers")
def test_it_is_written_by_the_command(project: Project, add_texts: Callable[..., None], tmp_path: Path) -> None:
    add_texts(project, "Rain over\nZanzibar.")
    call_command("label_texts", project=project.name, provider="keyword")
    options = ["--project", project.name, "--format", "fasttext", "--only", "all"]
    call_command("export_labels", *options, "--output", str(tmp_path / "out.txt"))
    label = Label.objects.get().category.name.replace(" ", "_")
    assert (tmp_path / "out.txt").read_text() == f"__label__{label} Rain over Zanzibar.\n"
