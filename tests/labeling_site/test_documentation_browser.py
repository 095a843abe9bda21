"""The pages that show the API, in a real browser."""

import pytest
from django.contrib.auth.models import User

from tests.browser import IN_BROWSER, SCREENS, Visit, expect, fits_the_screen

pytestmark = IN_BROWSER


@pytest.mark.parametrize("screen", SCREENS)
def test_swagger_shows_every_operation(visit: Visit, boss: User, screen: str) -> None:
    page = visit(boss, "/docs", **SCREENS[screen])
    expect(page, "#operations-runs-runs_create").to_be_visible()
    assert fits_the_screen(page)


def test_swagger_tries_a_request_out_with_the_session(visit: Visit, boss: User) -> None:
    page = visit(boss, "/docs")
    page.click("#operations-reviews-reviews_release_create .opblock-summary-control")
    page.click("button:has-text('Try it out')")
    page.click("button.execute")
    # The session was taken, with its token: without one it would be 403.
    expect(page, ".live-responses-table td.response-col_status >> nth=1").to_contain_text("200")


@pytest.mark.parametrize("screen", SCREENS)
def test_redoc_shows_every_operation(visit: Visit, boss: User, screen: str) -> None:
    page = visit(boss, "/redoc", **SCREENS[screen])
    page.wait_for_selector("#redoc h2", timeout=30_000)
    assert fits_the_screen(page)
