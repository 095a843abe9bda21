"""The README says what is so: its commands run, its keys are those that the settings read, its links lead somewhere."""

import json
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands

from labeling.models import ApiKey, Project

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS_A_MODEL = "label_texts"


def commands() -> list[list[str]]:
    """What stands after `python manage.py` in the README, in its order."""
    found = re.findall(r"python manage\.py ([^`\n>]+)", README)
    return [shlex.split(command) for command in found]


def test_every_command_is_one_of_the_program() -> None:
    assert {words[0] for words in commands()} <= set(get_commands())


@pytest.mark.usefixtures("fake_providers")
def test_the_first_project_is_made_labeled_and_exported_as_written(
    db: None, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    [categories] = re.findall(r"```json\n(.+?)```", README, re.DOTALL)
    Path("categories.json").write_text(categories, encoding="utf-8")
    Path("messages.csv").write_text("ticket,message\n7,I was charged twice.\n8,It crashes.\n", encoding="utf-8")
    first = [words for words in commands() if "support" in words]
    assert [words[0] for words in first] == ["create_project", "import_texts", "label_texts", "export_labels"]
    for words in first:
        extra = ["--provider", "keyword"] if words[0] == NEEDS_A_MODEL else []
        capsys.readouterr()
        call_command(*words, *extra)
    exported = capsys.readouterr().out
    assert "I was charged twice." in exported
    assert Project.objects.get(name="support").categories.count() == len(json.loads(categories))


def test_a_key_is_made_as_written(db: None) -> None:
    User.objects.create_superuser("USERNAME")
    [words] = [words for words in commands() if words[0] == "create_api_key"]
    call_command(*words)
    assert ApiKey.objects.get().name == "N"


def test_the_keys_are_those_of_the_example() -> None:
    example = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    table = README.split("| key | default | what it is |")[1].split("\n\n")[0]
    named = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? \|", table, re.MULTILINE)
    assert named == example


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    absent = [target for target in targets if not (document.parent / target).exists()]
    assert absent == []


@pytest.mark.parametrize("words", ["cannot be reached", "The database does not answer", "is not a text file"])
def test_troubles_are_named_in_the_words_of_the_program(words: str) -> None:
    assert words in README
    sources = [*ROOT.glob("labeling/**/*.py"), ROOT / "manage.py"]
    assert any(words in source.read_text(encoding="utf-8") for source in sources)
