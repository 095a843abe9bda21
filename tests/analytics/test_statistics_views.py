"""The page of statistics and its files: what they show, to whom, and that API and report say the same."""

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from analytics import choosing, confused, figures, keeping, statistics
from labeling import api_keys
from labeling.models import Category, Project
from reviews.models import Review, Reviewer
from tests.analytics import histories
from tests.analytics.budgets import add_learned

Answer = Callable[..., Review]


@pytest.fixture
def history(project: Project, anna: Reviewer, ben: Reviewer, manager: User) -> None:
    chance = random.Random(3)
    Project.objects.filter(pk=project.pk).update(audit_share=0.3)
    project.refresh_from_db()
    histories.label(project, histories.add_texts(project, 30), chance)
    histories.go_on(project, [anna, ben], manager, chance, steps=50)


@pytest.fixture
def get(client: Client, mia: User, project: Project) -> Callable[..., Any]:
    """Asks as a manager for something under statistics/."""
    client.force_login(mia)

    def ask(path: str = "", **query: Any) -> Any:
        return client.get(f"{reverse('statistics:page')}{path}", {"project": project.pk, **query})

    return ask


def api(user: User, **query: Any) -> Any:
    key = api_keys.create(user, name="script", scopes=["read"])
    return Client().get("/api/statistics", query, headers={"Authorization": f"Bearer {key}"})


def without_age(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "counted_at"}


# --- The same numbers -------------------------------------------------------------------------------------------------


def test_api_page_file_and_command_say_the_same(get: Any, mia: User, project: Project, history: None) -> None:
    of_api = without_age(api(mia, project="News").json())
    assert without_age(json.loads(get("quality-report.json").content)) == of_api
    written = io.StringIO()
    call_command("quality_report", "--project", "News", "--format", "json", stdout=written)
    assert without_age(json.loads(written.getvalue())) == of_api
    page = get()
    shown = figures.all_of(page.context["found"])
    assert shown == [figures.one_of(statistics.of_project(project), name) for name in figures.MAKERS]
    assert page.context["found"].progress.reviewed == of_api["progress"]["reviewed"] > 0


def test_what_needs_review_is_called_so_everywhere(get: Any, mia: User, project: Project, history: None) -> None:
    needs_review = api(mia, project="News").json()["progress"]["needs_review"]
    assert needs_review == project.texts.filter(status="needs_review").count() > 0
    assert get().context["tiles"][0].more == f"{needs_review} need review"
    assert f"{needs_review} need review." in get("quality-report.md").content.decode()


def test_a_part_is_the_same_in_api_and_page(get: Any, mia: User, project: Project, history: None) -> None:
    wanted = {"category": "sports", "source": "mail", "reviewer": "anna", "from": "2020-01-01", "to": "2099-01-01"}
    of_api = api(mia, project=project.pk, **wanted).json()
    assert without_age(json.loads(get("quality-report.json", **wanted).content)) == without_age(of_api)
    assert of_api["part"] == "from 2020-01-01, to 2099-01-01, of the category Sports, from the source mail, by anna"
    assert of_api["progress"]["texts"] < 30


def test_each_figure_is_a_csv_file(get: Any, project: Project, history: None) -> None:
    found = statistics.of_project(project)
    for name in figures.MAKERS:
        answer = get(f"{name}.csv")
        header, *rows = csv.reader(io.StringIO(answer.content.decode()))
        table = figures.one_of(found, name).table
        assert header == [column.title for column in table.columns]
        assert len(rows) == len(table.rows)
        assert f'filename="{name}.csv"' in answer["Content-Disposition"]
    statuses = dict(list(csv.reader(io.StringIO(get("status.csv").content.decode())))[1:])
    assert int(statuses["Reviewed"]) == found.progress.reviewed


def test_no_cell_of_a_file_is_a_formula(get: Any, project: Project) -> None:
    Category.objects.create(project=project, name="=1+1")
    assert "'=1+1" in get("categories.csv").content.decode()


def test_each_chart_is_a_picture(get: Any, project: Project, history: None) -> None:
    for name in figures.MAKERS:
        one = figures.one_of(statistics.of_project(project), name)
        answer = get(f"{name}.svg")
        assert answer.status_code == (200 if one.chart else 404)
        if one.chart:
            assert answer.content.startswith(b"<svg xmlns=")


@pytest.mark.parametrize("path", ["nothing.csv", "nothing.svg", "quality-report.pdf", "texts/?machine=x&human=1"])
def test_what_is_not_there_is_not_found(get: Any, path: str) -> None:
    assert get(path).status_code == 404


# --- Filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"from": "yesterday"}, "Enter a valid date"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "This day is before the first one."),
        ({"category": "Nonsense"}, "The project has no category"),
        ({"reviewer": "999999"}, "The project has no reviewer"),
        ({"run": "7" * 18}, "The project has no run"),
        ({"source": "nowhere"}, "No text came from"),
    ],
)
def test_a_wrong_filter_is_named(get: Any, mia: User, project: Project, wanted: Any, told: str) -> None:
    page = get(**wanted)
    assert page.status_code == 400
    assert told in page.content.decode()
    answer = api(mia, project=project.pk, **wanted)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) <= {*wanted, "to"}


def test_what_the_page_chooses_is_found_where_names_are_numbers(
    get: Any, client: Client, mia: User, project: Project, anna: Reviewer, ben: Reviewer, history: None
) -> None:
    sports, business, weather = project.categories.order_by("pk")
    for category, other in ((sports, business), (business, weather), (weather, sports)):
        Category.objects.filter(pk=category.pk).update(name=str(other.pk))
    User.objects.filter(pk=anna.user_id).update(username=str(ben.pk))
    Project.objects.create(name=str(project.pk))
    page = get(category=sports.pk, reviewer=anna.pk)
    assert page.context["project"] == project
    assert (page.context["asked"].filters.category, page.context["asked"].filters.reviewer) == (sports.pk, anna.pk)
    cell = statistics.of_project(project).confusion[0]
    texts = get("texts/", machine=cell.machine_id, human=cell.human_id)
    assert (texts.context["machine"].pk, texts.context["human"].pk) == (cell.machine_id, cell.human_id)
    told = api(mia, project="News", category=str(business.pk), reviewer=str(ben.pk)).json()["filters"]
    assert (told["category"], told["reviewer"]) == (sports.pk, anna.pk)


def test_a_run_older_than_those_listed_can_be_chosen(
    get: Any, project: Project, history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "MOST_RUNS", 0)
    oldest = project.runs.order_by("pk").first()
    assert oldest is not None
    page = get(run=oldest.pk)
    assert page.status_code == 200
    assert f'<option value="{oldest.pk}" selected>' in page.content.decode()


# --- The texts of a cell ----------------------------------------------------------------------------------------------


def test_a_cell_lists_as_many_texts_as_it_counts(get: Any, project: Project, history: None) -> None:
    for cell in statistics.of_project(project).confusion:
        page = get("texts/", machine=cell.machine_id, human=cell.human_id)
        assert len(page.context["page"].texts) == cell.texts


@pytest.mark.parametrize(
    "wanted",
    [{"source": "mail"}, {"reviewer": "ben"}, {"from": "2020-01-01", "to": "2099-01-01"}, {"category": "Sports"}],
)
def test_the_cells_of_a_part_list_its_texts(
    get: Any, client: Client, project: Project, history: None, wanted: dict[str, str]
) -> None:
    page = get(run=project.runs.latest("pk").pk, **wanted)
    cells = [cell for row in page.context["matrix"]["rows"] for cell in row["cells"] if cell["texts"]]
    assert cells
    for cell in cells:
        listed = client.get(f"{reverse('statistics:cell')}?{cell['query']}")
        assert len(listed.context["page"].texts) == cell["texts"]
        assert "of run" in listed.content.decode()


def test_the_list_of_a_cell_has_pages(
    get: Any, client: Client, project: Project, history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confused, "PAGE", 2)
    monkeypatch.setattr(confused, "MOST_LOOKED_AT", 5)
    cell = statistics.of_project(project).confusion[0]
    assert cell.texts > 2
    found: list[int] = []
    page = get("texts/", machine=cell.machine_id, human=cell.human_id)
    while True:
        found += [text.pk for text in page.context["page"].texts]
        if not page.context["next"]:
            break
        page = client.get(f"{reverse('statistics:cell')}?{page.context['next']}")
    assert len(found) == len(set(found)) == cell.texts


def test_a_merged_category_counts_as_the_one_that_it_became(
    get: Any, mia: User, project: Project, history: None
) -> None:
    sports, weather = (project.categories.get(name=name) for name in ("Sports", "Weather"))
    Category.objects.filter(pk=sports.pk).update(is_active=False, merged_into=weather)
    assert all("Sports" not in (cell.machine, cell.human) for cell in statistics.of_project(project).confusion)
    for wanted in ({}, {"category": "Weather"}, {"category": sports.pk}):
        told = get(**wanted).context["found"]
        assert told.confusion
        for cell in told.confusion:
            page = get("texts/", machine=cell.machine_id, human=cell.human_id, **wanted)
            assert len(page.context["page"].texts) == cell.texts
    assert "of the category Weather" in api(mia, project="News", category="Sports").json()["part"]


def test_kept_figures_follow_a_merge(get: Any, large: Project) -> None:
    keeping.refresh(large)
    sports, weather = (large.categories.get(name=name) for name in ("Sports", "Weather"))
    Category.objects.filter(pk=sports.pk).update(is_active=False, merged_into=weather)
    told = get().context["found"]
    assert {row.category for row in told.categories} == {"Business", "Weather"}
    assert sum(row.now for row in told.categories) == told.progress.machine_labeled


def test_a_place_that_no_page_wrote_is_not_found(get: Any, project: Project, history: None) -> None:
    cell = statistics.of_project(project).confusion[0]
    for after in ("x", "2026-01-01/5", "2026-01-01T00:00:00+00:00/-1"):
        assert get("texts/", machine=cell.machine_id, human=cell.human_id, after=after).status_code == 404


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "days.csv", "days.svg", "quality-report.html", "texts/?machine=1&human=1"])
def test_only_managers_see_it(client: Client, stranger: User, anna: Reviewer, path: str) -> None:
    address = f"{reverse('statistics:page')}{path}"
    assert client.get(address).status_code == 302
    for user in (stranger, anna.user):
        client.force_login(user)
        assert client.get(address).status_code == 403


def test_only_managers_may_ask_the_api(anna: Reviewer, stranger: User, mia: User, project: Project) -> None:
    assert Client().get("/api/statistics").status_code == 401
    assert api(anna.user, project=project.pk).status_code == 403
    assert api(stranger, project=project.pk).status_code == 403
    assert api(mia, project=project.pk).status_code == 200
    assert api(mia, project="Nonsense").status_code == 404
    labels_only = api_keys.create(mia, name="script", scopes=["label"])
    refused = Client().get("/api/statistics/", headers={"Authorization": f"Bearer {labels_only}"})
    assert refused.status_code == 403


def test_a_key_of_another_project_does_not_see_it(mia: User, project: Project) -> None:
    other = Project.objects.create(name="Other")
    key = api_keys.create(mia, name="script", scopes=["read"], projects=[other])
    answer = Client().get("/api/statistics", {"project": "News"}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 404


def test_without_a_name_it_is_the_default_project_or_on_the_page_one_in_use(
    mia: User, project: Project, client: Client
) -> None:
    assert api(mia).json()["project"] == "Default"
    client.force_login(mia)
    assert client.get(reverse("statistics:page")).context["project"] == project


# --- Large projects ---------------------------------------------------------------------------------------------------


@pytest.fixture
def large(project: Project, history: None, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 10)
    return project


def test_a_large_project_is_counted_in_the_background_first(get: Any, mia: User, large: Project) -> None:
    assert "Being counted" in get().content.decode()
    answer = api(mia, project="News")
    assert (answer.status_code, answer["Retry-After"]) == (202, "60")
    assert get("days.csv").status_code == 404


def test_kept_figures_say_their_age(get: Any, mia: User, large: Project) -> None:
    kept = keeping.refresh(large)
    assert "counted in the background in" in get().content.decode()
    assert api(mia, project="News").json()["counted_at"] == f"{kept.counted_at.isoformat().removesuffix('+00:00')}Z"


def test_somebody_has_it_counted_now(get: Any, client: Client, large: Project) -> None:
    get()
    address = reverse("statistics:count")
    assert client.get(address).status_code == 405
    answer = client.post(address, {"project": large.pk}, follow=True)
    assert "It is being counted in the background" in answer.content.decode()


def test_the_page_asks_few_questions(
    get: Any, large: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_learned(large)
    keeping.refresh(large)
    with django_assert_max_num_queries(15):
        assert get().status_code == 200
    for path in ("days.csv", "days.svg", "quality-report.html"):
        with django_assert_max_num_queries(15):
            assert get(path).status_code == 200


# --- The report -------------------------------------------------------------------------------------------------------


def test_the_report_is_one_file_without_scripts(get: Any, history: None) -> None:
    written = get("quality-report.html").content.decode()
    assert "<script" not in written and "src=" not in written and "<link" not in written and "@import" not in written
    assert "http" not in written.replace("http://www.w3.org/2000/svg", "")
    for word in ("Labeled", "Promised", "Machine against people", "anna", "<svg"):
        assert word in written


def test_names_cannot_write_into_a_report(get: Any, project: Project, history: None) -> None:
    Category.objects.filter(project=project, name="Sports").update(name="<b>|[x](http://evil)")
    assert "<b>|" not in get("quality-report.html").content.decode()
    markdown = get("quality-report.md").content.decode()
    assert "\\<b\\>\\|\\[x\\](http://evil)" in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") >= 3 for line in rows)


def test_the_command_writes_a_file(tmp_path: Any, project: Project, history: None) -> None:
    place, said = tmp_path / "report.html", io.StringIO()
    call_command("quality_report", "--project", "News", "--format", "html", "--output", str(place), stdout=said)
    assert place.read_text().startswith("<!DOCTYPE html>")
    assert str(place) in said.getvalue()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("quality_report", "--project", "News", "--output", str(tmp_path / "no" / "report.md"))


def test_an_empty_project_has_a_page_and_a_report(get: Any) -> None:
    assert "There is no text yet." in get().content.decode()
    assert get("quality-report.md").status_code == get("quality-report.html").status_code == 200
