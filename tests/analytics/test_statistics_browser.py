"""The page of statistics in a real browser: charts, tables, files, filters."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling import audits, certification
from labeling.models import Project
from reviews.models import Reviewer
from tests.analytics import histories
from tests.analytics.budgets import add_learned
from tests.browser import IN_BROWSER, Visit, expect, faults, fits_the_screen
from tests.labeling.certificates import decide

pytestmark = IN_BROWSER

Open = Callable[..., Any]


@pytest.fixture
def open_statistics(visit: Visit, boss: User) -> Open:
    return lambda **options: visit(boss, "/statistics/?project=News", **options)


@pytest.fixture
def many_categories(project: Project) -> None:
    for number in range(12):
        project.categories.create(name=f"Category of a long name, number {number}", position=10 + number)


@pytest.fixture
def history(project: Project, anna: Reviewer, ben: Reviewer, boss: User) -> None:
    chance = random.Random(7)
    Project.objects.filter(pk=project.pk).update(audit_share=0.3, reviews_per_text=2, overlap_share=0.3)
    project.refresh_from_db()
    texts = histories.add_texts(project, 120)
    histories.label(project, texts, chance)
    histories.go_on(project, [anna, ben], boss, chance, steps=220)
    histories.label(project, texts[:60], chance)
    add_learned(project)
    decide(audits.candidates(project, is_audit=True).select_related("current_label"), boss)  # none is passed over
    certification.certify(project, promise="dataset", budget=0.2, user=boss)


def test_charts_stand_where_the_drawings_were(open_statistics: Open, history: None) -> None:
    page = open_statistics()
    expect(page, "#categories canvas").to_be_visible()
    assert page.locator("#categories svg").count() == 0
    assert page.locator("canvas").count() >= 10
    page.locator("#categories summary").click()
    expect(page, "#categories tbody").to_contain_text("Sports")


def test_a_picture_can_be_taken_along(open_statistics: Open, history: None) -> None:
    page = open_statistics()
    with page.expect_download() as download:
        page.locator("#categories").get_by_role("button", name="PNG of Categories").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as download:
        page.locator("#categories").get_by_role("link", name="SVG of Categories").click()
    assert "<svg" in Path(download.value.path()).read_text()


def test_a_filter_is_chosen_and_taken_away(open_statistics: Open, history: None) -> None:
    page = open_statistics()
    page.select_option("#filter-source", "mail")
    page.get_by_role("button", name="Show").click()
    expect(page, ".record-numbers").to_contain_text("40")
    expect(page, "#filter-source").to_have_value("mail")
    page.get_by_role("link", name="Show all").click()
    expect(page, ".record-numbers").to_contain_text("120")


def test_a_cell_leads_to_its_texts(open_statistics: Open, history: None) -> None:
    page = open_statistics()
    link = page.locator(".statistics-matrix a").first
    count = int(link.inner_text().split()[0])
    link.click()
    expect(page, ".record-entry").to_have_count(count)


def test_without_scripts_there_are_drawings_and_tables(open_statistics: Open, history: None) -> None:
    page = open_statistics(java_script_enabled=False)
    assert page.locator("section svg").count() >= 10
    page.locator("#reviewers summary").click()
    expect(page, "#reviewers tbody").to_contain_text("anna")


def test_it_fits_the_screen_and_has_no_barriers(open_statistics: Open, history: None) -> None:
    page = open_statistics()
    for summary in page.locator("#content summary").all():
        summary.click()
    found = faults(page, "statistics")
    page.locator(".statistics-matrix a").first.click()
    assert found + faults(page, "texts of a cell") == []


def test_a_matrix_of_many_categories_scrolls_in_its_place(
    open_statistics: Open, many_categories: None, history: None
) -> None:
    page = open_statistics()
    expect(page, ".statistics-matrix thead th").to_have_count(15)
    assert fits_the_screen(page)
