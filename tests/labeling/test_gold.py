from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from labeling import annotations, gold
from labeling.models import Project, Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(project: Project, add_texts) -> Text:
    """A text that came with its label."""
    text: Text = add_texts(project, "the home team won")[0]
    annotations.record_imported_labels([(text, project.categories.get(name="Sports"))], source="file")
    Text.objects.filter(pk=text.pk).update(source="exam")
    return text


def command(*args: str, **options: object) -> str:
    out = StringIO()
    call_command("mark_gold", *args, stdout=out, **options)
    return out.getvalue()


def test_only_decided_texts_become_gold(project: Project, known: Text, add_texts) -> None:
    add_texts(project, "nobody decided this")
    assert gold.mark(project.texts.all()) == 1
    assert [text.pk for text in Text.objects.filter(is_gold=True)] == [known.pk]


def test_gold_can_be_made_ordinary_again(project: Project, known: Text) -> None:
    gold.mark(project.texts.all())
    assert gold.unmark(project.texts.all()) == 1
    assert not Text.objects.filter(is_gold=True).exists()


def test_the_command_marks_the_texts_of_a_source(project: Project, known: Text, add_texts) -> None:
    [other] = add_texts(project, "nobody decided this")
    Text.objects.filter(pk=other.pk).update(source="exam")
    said = command("--project", "News", "--source", "exam")
    assert "1 texts of source 'exam' are gold now" in said
    assert "1 have no decided label" in said
    assert "Set the project's gold share" in said


def test_the_command_takes_it_back(project: Project, known: Text) -> None:
    command("--project", "News", "--source", "exam")
    assert "1 texts are ordinary again" in command("--project", "News", "--source", "exam", "--undo")


def test_an_unknown_project_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="There is no project"):
        command("--project", "Nowhere", "--source", "exam")
