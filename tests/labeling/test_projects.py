"""Projects are created whole or not at all, and what is wrong is named."""

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from labeling import editing, projects, runs
from labeling.models import Category, Project

pytestmark = pytest.mark.django_db


def test_a_project_has_its_categories_in_their_order(manager: User) -> None:
    made = projects.create(
        "Mail",
        instructions="Read the subject first.",
        threshold=0.9,
        user=manager,
        categories=[
            {"name": "Spam", "description": "Nobody asked for it.", "examples": ["Win!"], "color": "#ff0000"},
            {"name": "Ham", "shortcut": "h"},
        ],
    )
    assert (made.instructions, made.threshold, made.created_by) == ("Read the subject first.", 0.9, manager)
    spam, ham = made.active_categories()
    assert (spam.name, spam.description, spam.examples) == ("Spam", "Nobody asked for it.", ["Win!"])
    assert (ham.name, ham.shortcut) == ("Ham", "h")


def test_a_name_is_taken_in_any_case_of_letters(project: Project) -> None:
    with pytest.raises(projects.ProjectExists, match="There is a project 'NEWS' already"):
        projects.create("NEWS")


@pytest.mark.parametrize(
    ("name", "threshold", "message"), [("", None, "name"), ("x" * 121, None, "name"), ("Mail", 1.5, "threshold")]
)
def test_a_wrong_value_of_the_project_is_named(name: str, threshold: float | None, message: str) -> None:
    with pytest.raises(projects.WrongProject, match=message):
        projects.create(name, threshold=threshold)


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        ([{"name": "Spam"}, {"name": "spam"}], "Categories 1 and 2 are both named 'spam'"),
        ([{"name": "Spam"}, {"description": "no name"}], "Category 2 has no name"),
        ([{"name": "  "}], "Category 1 has no name"),
        (["Spam"], "Category 1 is not an object"),
        ([{"name": 5}], "'name' is not a text"),
        ([{"name": "x" * 201}], "Category 1: name: .*200"),
        ([{"name": "Spam", "desc": "a typing mistake"}], "unknown key 'desc'"),
        ([{"name": "Spam", "examples": "one"}], "not a list of texts"),
        ([{"name": "Spam", "color": "red"}], "Use a colour like"),
        ([{"name": "a", "shortcut": "x"}, {"name": "b", "shortcut": "x"}], "same shortcut 'x'"),
        ([{"name": "a", "shortcut": "x"}, {"name": "b", "shortcut": "X"}], "same shortcut 'X'"),
        ([{"name": "two  words"}, {"name": "Two words"}], "Categories 1 and 2 are both named 'Two words'"),
        ([{"name": "a", "examples": ["text"] * 51}], "Category 1: Give at most 50 examples"),
        ([{"name": "a"}, {"name": "b", "examples": ["x" * 2001]}], "Category 2: Shorten the examples"),
        ([{"name": str(number)} for number in range(1001)], "at most 1,000 categories"),
    ],
)
def test_wrong_categories_are_named_and_leave_nothing(categories: list[Any], message: str) -> None:
    with pytest.raises(projects.WrongCategories, match=message):
        projects.create("Mail", categories=categories)
    assert not Project.objects.filter(name="Mail").exists()


def test_categories_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_text(json.dumps([{"name": "Spam"}]))
    assert projects.read_categories(path) == [{"name": "Spam"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"name": "Spam"},\n{"name": }]', "line 2, is not JSON"),
        (b'{"name": "Spam"}', "is not a list"),
        (b'["caf\xe9"]', "is not JSON in UTF-8"),
    ],
)
def test_a_file_that_is_no_list_of_categories_is_explained(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "categories.json"
    path.write_bytes(content)
    with pytest.raises(projects.WrongCategories, match=message):
        projects.read_categories(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(projects.WrongCategories, match="There is no file"):
        projects.read_categories(tmp_path / "absent.json")


def test_what_is_changed_is_kept_in_the_history(project: Project, manager: User) -> None:
    edited, changed = projects.edit(project, {"threshold": 0.9, "name": " Daily   news "}, user=manager)
    assert (edited.name, edited.threshold, changed) == ("Daily news", 0.9, {"name", "threshold"})
    entry = LogEntry.objects.get(object_id=str(project.pk))
    assert entry.user == manager
    assert entry.change_message == 'threshold: 0.8 -> 0.9; name: "News" -> "Daily news".'


def test_of_two_who_edit_at_once_the_second_is_told(project: Project) -> None:
    shown = projects.revision_of(Project.objects.get(pk=project.pk))
    projects.edit(project, {"threshold": 0.9}, revision=shown)
    with pytest.raises(editing.ChangedMeanwhile, match="Somebody has changed project News meanwhile"):
        projects.edit(project, {"instructions": "Read twice."}, revision=shown)
    project.refresh_from_db()
    assert (project.threshold, project.instructions) == (0.9, "")


def test_an_edit_in_the_admin_is_noticed_as_well(project: Project) -> None:
    shown = projects.revision_of(Project.objects.get(pk=project.pk))
    Project.objects.filter(pk=project.pk).update(spending_cap=5)
    assert projects.revision_of(Project.objects.get(pk=project.pk)) != shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"provider": "oracle"}, "provider"),
        ({"label_when": "daily", "label_at": None}, "label_at"),
        ({"reviews_per_text": 0}, "reviews_per_text"),
        ({"name": "  "}, "name"),
    ],
)
def test_a_wrong_change_names_its_field_and_changes_nothing(
    project: Project, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(projects.WrongProject) as caught:
        projects.edit(project, {**changes, "instructions": "new"})
    assert list(caught.value.errors) == [field]
    assert Project.objects.get(pk=project.pk).instructions == ""


@pytest.mark.parametrize("changes", [{"is_archived": True}, {"threshold": 0.9}, {"provider": ""}])
def test_a_project_whose_model_is_no_longer_set_up_can_be_changed(project: Project, changes: dict[str, Any]) -> None:
    Project.objects.filter(pk=project.pk).update(provider="oracle")
    _, changed = projects.edit(project, changes)
    assert changed == set(changes)


def test_daily_labeling_does_not_lose_its_time(project: Project) -> None:
    projects.edit(project, {"label_when": "daily", "label_at": time(6)})
    with pytest.raises(projects.WrongProject, match="at which time of the day"):
        projects.edit(project, {"label_at": None})


def test_a_name_that_another_project_has_is_refused(project: Project) -> None:
    projects.create("Mail")
    with pytest.raises(projects.ProjectExists):
        projects.edit(project, {"name": "MAIL"})


def test_a_project_that_a_run_labels_is_not_archived(project: Project, add_texts: Any) -> None:
    add_texts(project, "A match.")
    runs.start(project)
    with pytest.raises(runs.RunInProgress):
        projects.edit(project, {"is_archived": True})


# --- Which one a page is about ----------------------------------------------------------------------------------------


def test_a_page_is_about_the_default_project_where_it_is_in_use(db: None) -> None:
    default = Project.objects.get(name=projects.DEFAULT)
    Category.objects.create(project=default, name="Sports")
    projects.create("News", categories=[{"name": "Weather"}])
    assert projects.to_begin_with(Project.objects.all()) == default


def test_else_about_the_newest_that_is_in_use(db: None) -> None:
    projects.create("News", categories=[{"name": "Weather"}])
    newest = projects.create("Mail", categories=[{"name": "Bug"}])
    projects.create("Empty")
    projects.create("Old", categories=[{"name": "Bug"}], is_archived=True)
    assert projects.to_begin_with(Project.objects.all()) == newest


def test_where_none_is_in_use_it_is_the_first(db: None) -> None:
    assert projects.to_begin_with(Project.objects.all()) == Project.objects.get(name=projects.DEFAULT)
    assert projects.to_begin_with(Project.objects.none()) is None
