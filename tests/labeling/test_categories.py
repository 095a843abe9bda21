"""Categories are added, worded anew, moved, retired and brought back; labels keep theirs."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from labeling import categories, classifiers, editing
from labeling.models import Category, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def sports(project: Project) -> Category:
    return project.categories.get(name="Sports")


def names(project: Project) -> list[str]:
    return [category.name for category in project.shown_categories()]


def words(project: Project) -> str:
    return classifiers.category_hash(project.active_categories())


def test_a_category_is_added_after_the_others(project: Project, manager: User) -> None:
    made = categories.add(project, " Travel   news ", description="Trips.", examples=["A beach", " "], user=manager)
    assert names(project) == ["Sports", "Business", "Weather", "Travel news"]
    assert (made.description, made.examples) == ("Trips.", ["A beach"])
    assert LogEntry.objects.get(object_id=str(project.pk)).change_message == "Category 'Travel news' added."


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"name": "sports"}, "name", "has a category 'Sports' already"),
        ({"name": " "}, "name", "blank"),
        ({"name": "x" * 201}, "name", "200"),
        ({"name": "Travel", "color": "red"}, "color", "Use a colour like"),
        ({"name": "Travel", "examples": "one"}, "examples", "as a list of texts"),
        ({"name": "Travel", "examples": ["x"] * 51}, "examples", "at most 50"),
        ({"name": "Travel", "examples": ["x" * 2001]}, "examples", "2,000 characters"),
    ],
)
def test_a_category_that_cannot_be_is_not_added(
    project: Project, values: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(categories.WrongCategory, match=message) as caught:
        categories.add(project, **values)
    assert list(caught.value.errors) == [field]
    assert project.categories.count() == 3


def test_a_renamed_category_keeps_its_labels(sports: Category, decide: Any) -> None:
    text = decide("A match.", "Sports")
    categories.edit(sports, {"name": "Football"})
    text.refresh_from_db()
    assert text.current_label.category.name == "Football"


def test_another_name_is_another_question_and_another_colour_is_not(project: Project, sports: Category) -> None:
    before = words(project)
    categories.edit(sports, {"color": "#123456", "shortcut": "p"})
    assert words(project) == before
    categories.edit(sports, {"name": "Football"})
    assert words(project) != before


def test_of_two_who_edit_at_once_the_second_is_told(sports: Category) -> None:
    shown = categories.revision_of(sports)
    categories.edit(sports, {"description": "Matches."}, revision=shown)
    with pytest.raises(editing.ChangedMeanwhile, match="Somebody has changed category Sports meanwhile"):
        categories.edit(sports, {"name": "Football"}, revision=shown)
    sports.refresh_from_db()
    assert (sports.name, sports.description) == ("Sports", "Matches.")


def test_a_key_chooses_one_category_only(project: Project, sports: Category) -> None:
    categories.edit(sports, {"shortcut": "p"})
    with pytest.raises(categories.WrongCategory, match="'P' is the key of 'Sports' already"):
        categories.edit(project.categories.get(name="Weather"), {"shortcut": "P"})


def test_a_retired_category_gives_its_key_free_and_asks_for_it_when_it_comes_back(
    project: Project, sports: Category
) -> None:
    categories.edit(sports, {"shortcut": "p"})
    categories.retire(sports)
    categories.edit(project.categories.get(name="Weather"), {"shortcut": "p"})
    assert names(project) == ["Business", "Weather"]
    with pytest.raises(categories.WrongCategory, match="is the key of 'Weather'"):
        categories.bring_back(sports)
    categories.edit(sports, {"shortcut": "o"})
    categories.bring_back(sports)
    assert names(project) == ["Sports", "Business", "Weather"]


def test_no_category_stands_above_itself(project: Project, sports: Category) -> None:
    weather = project.categories.get(name="Weather")
    categories.edit(weather, {"parent": sports})
    with pytest.raises(categories.WrongCategory, match="because it stands below it"):
        categories.edit(sports, {"parent": weather})


def test_a_category_of_another_project_cannot_stand_above(sports: Category) -> None:
    other = Project.objects.create(name="Mail").categories.create(name="Spam")
    with pytest.raises(categories.WrongCategory, match="of another project"):
        categories.edit(sports, {"parent": other})


# --- Order ------------------------------------------------------------------------------------------------------------


def test_categories_stand_in_the_order_people_give_them_and_models_see_no_change(project: Project) -> None:
    before = words(project)
    order = [project.categories.get(name=name).pk for name in ("Weather", "Sports", "Business")]
    categories.reorder(project, order)
    assert names(project) == ["Weather", "Sports", "Business"]
    assert words(project) == before


def test_an_order_that_misses_a_category_is_refused(project: Project, sports: Category) -> None:
    with pytest.raises(editing.ChangedMeanwhile, match="the categories of project News"):
        categories.reorder(project, [sports.pk])


def test_of_two_who_move_at_once_the_second_is_told(project: Project, sports: Category) -> None:
    shown = project.shown_categories()
    revision = categories.order_revision(shown)
    categories.move(sports, by=1)
    with pytest.raises(editing.ChangedMeanwhile, match="the order of the categories"):
        categories.reorder(project, [category.pk for category in shown][::-1], revision=revision)


@pytest.mark.parametrize(
    ("name", "by", "order"),
    [
        ("Weather", -1, ["Sports", "Weather", "Business"]),
        ("Sports", 1, ["Business", "Sports", "Weather"]),
        ("Sports", -1, ["Sports", "Business", "Weather"]),
        ("Weather", 1, ["Sports", "Business", "Weather"]),
    ],
)
def test_one_category_moves_up_or_down(project: Project, name: str, by: int, order: list[str]) -> None:
    categories.move(project.categories.get(name=name), by=by)
    assert names(project) == order


def test_a_retired_category_does_not_move(sports: Category) -> None:
    categories.retire(sports)
    with pytest.raises(categories.WrongCategory, match="is retired"):
        categories.move(sports, by=1)
