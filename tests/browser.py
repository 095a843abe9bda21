"""Pages in a real browser, Debian's chromium: visiting them as a user, and what they may not do."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import User
from django.test import Client
from playwright import sync_api as playwright
from pytest_django.live_server_helper import LiveServer

Visit = Callable[..., Any]

PATIENCE = 30_000  # milliseconds: a busy machine takes its time for the first page
CHROMIUM = shutil.which("chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
SCREENS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
WIDE, NARROW = {"width": 1440, "height": 900}, SCREENS["phone"]["viewport"]
WORDS = "Match of the week: the home team won in the last minute, and the rain did not stop anybody. "
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> https://example.org/"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Without it these tests are left out, but never where they decide whether a change may land."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Install Debian's package chromium.")
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as running:
        # Playwright keeps an event loop in this thread, in which Django otherwise refuses to ask the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        playwright.expect.set_options(timeout=PATIENCE)
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def boss(transactional_db: None) -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def visit(chromium: Any, live_server: LiveServer) -> Iterator[Visit]:
    """Opens a page for a user; at the end no page may have complained or called another host."""
    contexts, complaints = [], []

    def opened(user: User, path: str, **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console", lambda message: complaints.append(f"{page.url}: {message.text}") if is_trouble(message) else None
        )
        page.on("request", lambda request: complaints.append(request.url) if is_foreign(request.url) else None)
        page.set_default_timeout(PATIENCE)
        page.goto(f"{live_server.url}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def session_cookie(user: User, url: str) -> Any:
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}


def is_trouble(message: Any) -> bool:
    """Chromium itself reports refusals (409) and lost connections, which some tests bring about."""
    return message.type in ("error", "warning") and "Failed to load resource" not in message.text


def is_foreign(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https", "ws") and urlsplit(url).hostname not in ("localhost", "127.0.0.1")


def expect(page: Any, selector: str) -> Any:
    return playwright.expect(page.locator(selector))


def wait_until(page: Any, holds: Callable[[], bool]) -> None:
    for _ in range(PATIENCE // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"It did not come to hold in {PATIENCE} milliseconds.")


def is_dark(page: Any) -> bool:
    return "dark" in (page.locator("html").get_attribute("class") or "")


def looks(page: Any) -> Iterator[str]:
    """In light, in dark and on a phone, loaded anew each time: the admin looks at the system's colours only then."""
    for look in SCREENS:
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_viewport_size(NARROW if look == "phone" else WIDE)
        page.reload()
        wait_until(page, lambda: is_dark(page) is (look == "dark"))  # noqa: B023  # waited for within the turn
        yield look


def fits_the_screen(page: Any) -> bool:
    return bool(page.evaluate("document.fonts.ready.then(() => document.documentElement.scrollWidth <= innerWidth)"))


def barriers(page: Any, where: str) -> list[str]:
    """What axe finds: contrast, names, roles, and more."""
    if not page.evaluate("'axe' in window"):  # half a megabyte: once for each page is enough
        page.evaluate(AXE_SCRIPT)
    page.wait_for_timeout(100)  # colours fade in
    found = page.evaluate("options => axe.run(options)", WCAG)["violations"]
    return [f"{where}: {one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def faults(page: Any, where: str) -> list[str]:
    """Barriers in light and in dark, on a screen and on a phone, and what is wider than these."""
    found = []
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        wait_until(page, lambda: is_dark(page) is (colours == "dark"))  # noqa: B023  # waited for within the turn
        for width, size in (("phone", NARROW), ("screen", WIDE)):
            page.set_viewport_size(size)
            found += too_wide(page, f"{where}, {width}") + barriers(page, f"{where}, {colours}, {width}")
    page.emulate_media(color_scheme="light")
    wait_until(page, lambda: not is_dark(page))
    return found


def too_wide(page: Any, where: str) -> list[str]:
    return [] if fits_the_screen(page) else [f"{where}: wider than the screen"]
