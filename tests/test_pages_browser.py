"""Every page of the program in a real browser: light, dark and on a phone, one visit each."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from tests.browser import IN_BROWSER, NARROW, Visit, barriers, expect, faults, fits_the_screen, is_dark, wait_until
from tests.pages import Kind, addresses, build_world

pytestmark = IN_BROWSER


@pytest.fixture
def world(boss: User) -> dict[str, Any]:
    return build_world(boss)


def test_no_page_complains_asks_another_host_is_too_wide_or_has_a_barrier(
    visit: Visit, boss: User, world: dict[str, Any], live_server: LiveServer
) -> None:
    page = visit(boss, "/")  # at the end `visit` says what any page complained of
    found: list[str] = []
    for path in addresses(world, Kind.PAGE):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_load_state("load")
        found += faults(page, path)
    assert found == []


def test_no_page_that_a_package_draws_complains_or_asks_another_host(
    visit: Visit, boss: User, world: dict[str, Any], live_server: LiveServer
) -> None:
    page = visit(boss, "/health/live")
    for path in addresses(world, Kind.PACKAGED):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_load_state("networkidle", timeout=60_000)  # megabytes of script


def test_no_page_of_the_admin_complains_asks_another_host_is_too_wide_or_has_a_barrier(
    visit: Visit, boss: User, world: dict[str, Any], live_server: LiveServer
) -> None:
    page = visit(boss, "/admin/login/")
    models = (model._meta for model in admin.site._registry)
    paths = [reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in models]
    paths.append(reverse("admin:labeling_project_change", args=[world["project"]]))
    paths.append(reverse("admin:labeling_text_change", args=[world["text"]]))
    paths.append(reverse("admin:password_change"))
    found: list[str] = []
    for path in paths:
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            page.goto(live_server.url + path)  # the theme looks at the system's colours while it loads
            assert fits_the_screen(page), path
            found += barriers(page, f"{path} {colours}")
    assert found == []


def test_the_menu_of_a_phone_opens_and_closes_without_a_mouse(visit: Visit, boss: User) -> None:
    page = visit(boss, "/", viewport=NARROW)
    menu = page.locator("#menu")
    expect(page, "#menu").to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).press("Enter")
    expect(page, "#menu").to_be_visible()
    assert menu.locator("[aria-current=page]").inner_text().endswith("Dashboard")
    assert barriers(page, "menu") == []
    page.keyboard.press("Escape")
    expect(page, "#menu").to_be_hidden()


def test_the_colours_that_were_chosen_stay(visit: Visit, boss: User, live_server: LiveServer) -> None:
    page = visit(boss, "/")
    page.get_by_role("button", name="Dark").click()
    wait_until(page, lambda: is_dark(page))
    page.goto(f"{live_server.url}/review/")
    wait_until(page, lambda: is_dark(page))
    page.goto(f"{live_server.url}/admin/labeling/project/")
    page.wait_for_selector("html.dark")
