"""Projects are created whole or not at all, and what is wrong is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling import projects
from labeling.models import Project

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


def test_a_category_is_added_after_the_others() -> None:
    mail = projects.create("Mail", categories=[{"name": "Spam"}, {"name": "Ham"}])
    made = projects.add_category(mail, " Bills ", description="Money.", examples=["An invoice"])
    assert [category.name for category in mail.active_categories()] == ["Spam", "Ham", "Bills"]
    assert (made.description, made.examples) == ("Money.", ["An invoice"])


@pytest.mark.parametrize("name", ["spam", " ", "x" * 201])
def test_a_category_that_cannot_be_is_not_added(name: str) -> None:
    mail = projects.create("Mail", categories=[{"name": "Spam"}])
    with pytest.raises(projects.WrongCategory):
        projects.add_category(mail, name)
    assert mail.categories.count() == 1
