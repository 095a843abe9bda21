"""The API of categories: who may do what, what comes out, and what must not."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling import categories
from labeling.models import Category, Project

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def as_mia(mia: User) -> Client:
    client = Client()
    client.force_login(mia)
    return client


@pytest.fixture
def sports(project: Project) -> Category:
    return project.categories.get(name="Sports")


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


@pytest.mark.parametrize("slash", ["", "/"])
def test_categories_of_a_project_in_their_order(as_mia: Client, project: Project, slash: str) -> None:
    assert names(as_mia.get(f"/api/categories{slash}?project=News")) == ["Sports", "Business", "Weather"]


def test_without_a_project_the_default_is_meant(as_mia: Client, project: Project) -> None:
    categories.add(Project.objects.get(name="Default"), "Spam")
    assert names(as_mia.get("/api/categories")) == ["Spam"]


def test_pages_go_on_in_the_same_order(as_mia: Client, project: Project) -> None:
    first = as_mia.get("/api/categories?project=News&limit=2")
    assert names(first) == ["Sports", "Business"]
    assert names(as_mia.get(first.json()["next"])) == ["Weather"]


def test_retired_ones_are_shown_when_asked_for(as_mia: Client, sports: Category) -> None:
    assert as_mia.post(f"/api/categories/{sports.pk}/retire").json()["is_active"] is False
    assert "Sports" not in names(as_mia.get("/api/categories?project=News"))
    assert "Sports" in names(as_mia.get("/api/categories?project=News&retired=true"))
    assert as_mia.post(f"/api/categories/{sports.pk}/bring-back").json()["is_active"] is True


def test_a_category_is_added(as_mia: Client, project: Project, sports: Category) -> None:
    body = {"project": "News", "name": "Tennis", "examples": ["A match."], "color": "#123456", "parent": sports.pk}
    made = as_mia.post("/api/categories", body, content_type=JSON)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["project"], row["position"], row["parent"], row["examples"]) == ("News", 3, sports.pk, ["A match."])


def test_a_category_is_changed_and_the_second_of_two_is_told(as_mia: Client, sports: Category) -> None:
    address = f"/api/categories/{sports.pk}"
    revision = as_mia.get(address).json()["revision"]
    changed = as_mia.patch(address, {"name": "Football", "revision": revision}, content_type=JSON)
    assert changed.json()["name"] == "Football"
    late = as_mia.patch(address, {"name": "Soccer", "revision": revision}, content_type=JSON)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"color": "red"}, "color"),
        ({"parent": 2**62}, "parent"),
        ({"parent": 2**70}, "parent"),
        ({"examples": "one"}, "examples"),
        ({"shortcut": "ab"}, "shortcut"),
    ],
)
def test_a_wrong_value_is_named(as_mia: Client, sports: Category, body: dict[str, Any], field: str) -> None:
    said = as_mia.patch(f"/api/categories/{sports.pk}", body, content_type=JSON)
    assert (said.status_code, list(said.json()["errors"])) == (400, [field])


@pytest.mark.parametrize(("field", "value"), [("name", "business"), ("shortcut", "P")])
def test_a_name_or_key_of_another_category_is_a_conflict(
    as_mia: Client, project: Project, sports: Category, field: str, value: str
) -> None:
    categories.edit(project.categories.get(name="Business"), {"shortcut": "p"})
    changed = as_mia.patch(f"/api/categories/{sports.pk}", {field: value}, content_type=JSON)
    added = as_mia.post("/api/categories", {"project": "News", "name": "Travel", field: value}, content_type=JSON)
    for said in (changed, added):
        assert (said.status_code, said.json()["code"], list(said.json()["errors"])) == (409, "taken", [field])
        assert "'Business'" in said.json()["detail"]


def test_a_category_comes_back_only_where_its_key_is_free(as_mia: Client, project: Project, sports: Category) -> None:
    categories.edit(sports, {"shortcut": "p"})
    categories.retire(sports)
    categories.edit(project.categories.get(name="Business"), {"shortcut": "p"})
    said = as_mia.post(f"/api/categories/{sports.pk}/bring-back")
    assert (said.status_code, said.json()["code"]) == (409, "taken")


def test_a_category_of_another_project_is_no_parent(as_mia: Client, sports: Category) -> None:
    other = categories.add(Project.objects.get(name="Default"), "Spam")
    said = as_mia.patch(f"/api/categories/{sports.pk}", {"parent": other.pk}, content_type=JSON)
    assert said.json()["errors"] == {"parent": [f"This project has no category {other.pk}."]}


def test_categories_are_put_in_order(as_mia: Client, project: Project) -> None:
    order = [category.pk for category in project.shown_categories()][::-1]
    said = as_mia.post("/api/categories/reorder", {"project": "News", "categories": order}, content_type=JSON)
    assert [row["id"] for row in said.json()] == order
    said = as_mia.post("/api/categories/reorder", {"project": "News", "categories": order[:2]}, content_type=JSON)
    assert (said.status_code, said.json()["code"]) == (409, "changed_meanwhile")


def test_a_category_is_merged_into_another(as_mia: Client, project: Project, sports: Category, decide: Any) -> None:
    decide("A match.", "Sports")
    business = project.categories.get(name="Business")
    assert as_mia.get(f"/api/categories/{sports.pk}/merge").status_code == 404
    said = as_mia.post(f"/api/categories/{sports.pk}/merge", {"into": business.pk}, content_type=JSON)
    assert (said.status_code, said.json()["moved"], said.json()["target"]) == (202, 1, "Business")
    assert as_mia.get(f"/api/categories/{sports.pk}/merge").json() == said.json()
    again = as_mia.post(f"/api/categories/{sports.pk}/merge", {"into": business.pk}, content_type=JSON)
    assert (again.status_code, again.json()["code"]) == (409, "cannot_merge")
    back = as_mia.post(f"/api/categories/{sports.pk}/bring-back")
    assert (back.status_code, back.json()["code"]) == (409, "was_merged")


def test_a_reviewer_reads_the_categories_of_their_projects_and_changes_none(
    project: Project, sports: Category, stranger: User
) -> None:
    stranger.groups.add(Group.objects.get(name="Reviewers"))
    client = Client()
    client.force_login(stranger)
    assert client.get("/api/categories?project=News").status_code == 404
    project.reviewers.create(user=stranger)
    assert len(names(client.get("/api/categories?project=News"))) == 3
    assert client.get("/api/categories").status_code == 404
    for verb in ("retire", "bring-back", "merge"):
        assert client.post(f"/api/categories/{sports.pk}/{verb}", {}, content_type=JSON).status_code == 403
    assert client.patch(f"/api/categories/{sports.pk}", {"name": "x"}, content_type=JSON).status_code == 403
    assert client.post("/api/categories", {"name": "x"}, content_type=JSON).status_code == 403


def test_a_stranger_sees_none(client: Client, stranger: User, sports: Category) -> None:
    assert client.get(f"/api/categories/{sports.pk}").status_code == 401
    client.force_login(stranger)
    assert client.get(f"/api/categories/{sports.pk}").status_code == 403


def test_lists_take_few_queries(
    as_mia: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        project.categories.create(name=f"Category {number}", position=number)
    with django_assert_max_num_queries(15):
        as_mia.get("/api/categories?project=News&limit=500")
