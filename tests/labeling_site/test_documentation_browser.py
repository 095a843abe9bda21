"""The pages that show the API, in a real browser."""

from django.contrib.auth.models import User

from tests.browser import IN_BROWSER, NARROW, Visit, expect, too_wide

pytestmark = IN_BROWSER


def test_swagger_shows_every_operation(visit: Visit, boss: User) -> None:
    page = visit(boss, "/docs")
    expect(page, "#operations-runs-runs_create").to_be_visible()
    assert too_wide(page, "screen") == []
    page.set_viewport_size(NARROW)
    assert too_wide(page, "phone") == []


def test_swagger_tries_a_request_out_with_the_session(visit: Visit, boss: User) -> None:
    page = visit(boss, "/docs")
    page.click("#operations-reviews-reviews_release_create .opblock-summary-control")
    page.click("button:has-text('Try it out')")
    page.click("button.execute")
    # The session was taken, with its token: without one it would be 403.
    expect(page, ".live-responses-table td.response-col_status >> nth=1").to_contain_text("200")


def test_redoc_shows_every_operation(visit: Visit, boss: User) -> None:
    page = visit(boss, "/redoc")
    page.wait_for_selector("#redoc h2", timeout=30_000)
    assert too_wide(page, "screen") == []
    page.set_viewport_size(NARROW)
    assert too_wide(page, "phone") == []
