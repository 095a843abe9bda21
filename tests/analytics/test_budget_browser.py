"""The error budget in a real browser: the slider, a look at the audit, a certificate put to use."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from labeling import certification
from labeling.models import Category, Certificate, Project
from reviews.models import Reviewer
from tests.analytics.budgets import add_audited, add_learned, decided_by
from tests.browser import IN_BROWSER, Visit, expect, faults
from tests.labeling.certificates import add_machine_labeled

pytestmark = IN_BROWSER

Open = Callable[..., Any]


@pytest.fixture
def open_budget(visit: Visit, boss: User) -> Open:
    return lambda path, **options: visit(boss, f"/admin/budget/{path}", **options)


def dress(project: Project, anna: Reviewer, ben: Reviewer, manager: User) -> None:
    """A project in the middle of the work: an ended certificate, a look that proved nothing, double reviews."""
    sports, weather = (project.categories.get(name=name) for name in ("Sports", "Weather"))
    audit = add_audited(project, anna)
    certification.certify(project, promise="dataset", budget=0.1, user=manager)
    add_machine_labeled(project, [0.97, 0.62, 0.55])
    certification.certify(project, promise="precision", budget=0.005, user=manager)
    decided_by(anna, audit[:60], lambda place: sports, seconds=5.2)
    decided_by(ben, audit[:60], lambda place: weather if place % 15 == 3 else sports, seconds=3.4)
    add_learned(project)
    Category.objects.filter(pk=weather.pk).update(name="Weather")


def test_slide_look_and_put_to_use(open_budget: Open, anna: Reviewer, project: Project) -> None:
    add_audited(project, anna)
    page = open_budget(f"{project.pk}/")
    expect(page, "#sentence").to_contain_text("Nothing is promised")
    expect(page, "#chosen").to_have_text("5 %")
    at_five = page.locator("#cost-texts").inner_text()
    page.locator("#budget-range").focus()
    page.keyboard.press("ArrowRight")
    expect(page, "#chosen").to_have_text("10 %")
    assert page.locator("#cost-texts").inner_text() != at_five
    expect(page, "#costs tr[data-chosen] th").to_have_text("10 %")
    expect(page, "#budget").to_have_value("10")
    page.get_by_role("button", name="Look …").click()
    expect(page, "#content").to_contain_text("This is look number 1 at this audit. It spends 2.5 % of the 5 % doubt")
    assert not Certificate.objects.exists()
    page.locator("#yes").click()
    expect(page, "#to-apply").to_contain_text("at most 10 % are wrong, with 95 % confidence")
    page.get_by_role("link", name="Put it to use …").click()
    expect(page, "#content").to_contain_text("threshold goes from 0.800 to")
    page.locator("#yes").click()
    expect(page, "#sentence").to_contain_text("Of the 800 labels of this dataset, at most 10 % are wrong")
    certificate = Certificate.objects.get()
    project.refresh_from_db()
    assert project.threshold == certificate.threshold


def test_decisions_change_the_numbers_without_reload(open_budget: Open, anna: Reviewer, project: Project) -> None:
    texts = add_machine_labeled(project, [0.99] * 40, audit_every=2)
    page = open_budget(f"{project.pk}/")
    expect(page, "#missing").to_contain_text("20 of 20 audit texts wait")
    expect(page, "#pace").to_contain_text("No time has been measured yet")
    decided_by(anna, texts[:1], lambda place: project.categories.get(name="Sports"), seconds=6.0)
    expect(page, "#pace").to_contain_text("6.0 seconds for a text")
    expect(page, "#updated").to_contain_text("ago")


def test_without_scripts_the_table_says_the_same(open_budget: Open, anna: Reviewer, project: Project) -> None:
    add_audited(project, anna, texts=400)
    page = open_budget(f"{project.pk}/", java_script_enabled=False)
    assert page.locator("#costs tr").count() == 4
    assert not page.locator("#slider").is_visible()
    page.locator("#size").fill("5")
    page.get_by_role("button", name="Draw …").click()
    page.locator("#yes").click()
    expect(page, "#missing").to_contain_text("5 of 105 audit texts wait")


def test_it_fits_the_screen_and_has_no_barriers(
    open_budget: Open, boss: User, anna: Reviewer, ben: Reviewer, project: Project, live_server: LiveServer
) -> None:
    dress(project, anna, ben, boss)
    made = certification.certify(project, promise="dataset", budget=0.05, user=boss)
    certification.apply(made, user=boss)
    paths = {
        "budget": "",
        "certify": "certify/?promise=dataset&budget=2&confidence=95",
        "certificate": f"certificates/{made.pk}/",
        "quality": "quality/",
    }
    page, found = open_budget(""), []
    for name, path in paths.items():
        page.goto(f"{live_server.url}/admin/budget/{project.pk}/{path}")
        for summary in page.locator("#content summary").all():
            summary.click()
        found += faults(page, name)
    assert found == []
