"""The page that labels texts, and the run's page that it leads to, in a real browser."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling import execution, runs
from labeling.choices import TextStatus
from labeling.models import LabelingRun, Project, Text
from tests.browser import EVIL, IN_BROWSER, Visit, expect, faults

pytestmark = [*IN_BROWSER, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture(autouse=True)
def model(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()


def test_one_text_is_labeled_looked_at_and_stored(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/label/?project={project.pk}")
    page.get_by_label("Text", exact=True).fill(f"Rain and weather. {EVIL}")
    page.get_by_label("Source").fill("mail")
    page.get_by_role("button", name="Label", exact=True).click()
    expect(page, "#answer .label-best strong").to_have_text("Weather")
    expect(page, "#answer mark").to_have_text(["weather"])
    assert page.get_by_label("Text", exact=True).input_value().startswith("Rain and weather.")
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page, ".frame-messages").to_contain_text("Text ")
    assert Text.objects.get().source == "mail"
    assert page.title() != "owned"


def test_many_texts_are_followed_until_they_are_labeled(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/label/?project={project.pk}")
    page.get_by_label("One a line").fill("Sports news.\nRain and weather.\nBusiness.")
    page.get_by_role("button", name="Store and label in the background").click()
    expect(page, "#run-status").to_have_text("Queued")
    expect(page, ".frame-messages").to_contain_text("3 texts added")
    execution.execute(LabelingRun.objects.get())
    expect(page, "#run-status").to_have_text("Succeeded")
    expect(page, "#run-line").to_have_text("3 of 3 texts")


def test_many_lines_are_sent_as_a_file(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/label/?project={project.pk}")
    lines = "\n".join(f"line {number} " + "x" * 500 for number in range(6_000))  # 3 MB
    page.get_by_label("One a line").evaluate("(box, lines) => { box.value = lines; }", lines)
    page.get_by_role("button", name="Store and label in the background").click()
    expect(page, ".frame-messages").to_contain_text("6,000 texts added")


def test_a_run_is_steered_on_its_page(visit: Visit, boss: User, project: Project, add_texts: Any) -> None:
    add_texts(project, "sports", "weather")
    run = runs.start(project)
    page = visit(boss, "/runs/")
    page.get_by_role("link", name=f"{run.pk}: News").click()
    page.get_by_role("button", name="Pause").click()
    expect(page, "#run-status").to_have_text("Paused")
    page.get_by_role("button", name="Cancel").click()
    expect(page, "#run-status").to_have_text("Cancelled")


def test_the_pages_fit_the_screen_and_have_no_barriers(
    visit: Visit, boss: User, project: Project, add_texts: Any
) -> None:
    add_texts(project, "sports", "weather", "business")
    run = runs.start(project)
    execution.execute(run)
    Text.objects.filter(content="sports").update(status=TextStatus.FAILED, error=EVIL + "long" * 90)
    page = visit(boss, f"/label/?project={project.pk}")
    page.get_by_label("Text", exact=True).fill("The weather report says rain, and sports are off. " * 5)
    page.get_by_role("button", name="Label", exact=True).click()
    expect(page, "#answer").to_be_visible()
    base = page.url.split("/label/")[0]
    found = faults(page, "label")
    for address in (f"/runs/{run.pk}/", "/runs/"):
        page.goto(f"{base}{address}")
        found += faults(page, address)
    assert found == []
