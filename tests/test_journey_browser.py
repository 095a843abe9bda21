"""From an empty installation to a certified export, by clicking, with a real web server and a real worker."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.background import Installation, fresh_database
from tests.browser import expect, is_foreign, is_trouble

pytestmark = pytest.mark.browser

TEXTS = 240
DRAWN = 40  # for the audit, besides those that are drawn by chance
TOPICS = ("Sports", "Business", "Weather")
PASSWORD = "correct horse 7"
# Keys count from the moment on in which a text has been seen.
IS_NEXT = """(before) => {
  const { state, seen } = document.getElementById("desk").dataset;
  return state === "empty" || ![undefined, before].includes(seen);
}"""
LIVE = 60_000  # milliseconds for what the worker does, and for a page on a busy machine


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.background_settings", "Q_BROKER_URL": "", "SECRET_KEY": "journey"}
    with fresh_database(tmp_path) as url:
        made = Installation(url, tmp_path, **settings, MEDIA_ROOT=str(tmp_path / "uploads"))
        made.manage(
            "createsuperuser", "--noinput", "--username", "boss", "--email", "", DJANGO_SUPERUSER_PASSWORD=PASSWORD
        )
        yield made


@pytest.fixture
def page(chromium: Any, installation: Installation) -> Iterator[Any]:
    """A window of somebody who has never been here; at the end no page may have complained or called another host."""
    complaints: list[str] = []
    with installation.web() as address, installation.supervisor():
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        opened = context.new_page()
        opened.set_default_timeout(LIVE)
        opened.on("pageerror", lambda error: complaints.append(f"{opened.url}: {error}"))
        opened.on("console", lambda said: complaints.append(f"{opened.url}: {said.text}") if is_trouble(said) else None)
        opened.on("request", lambda asked: complaints.append(asked.url) if is_foreign(asked.url) else None)
        yield opened
        context.close()
    assert complaints == []


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Headlines that say what they are about; the model knows each by that word."""
    path = tmp_path / "news.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "headline"])
        rows.writerows([number, f"{TOPICS[number % 3]} report {number}"] for number in range(TEXTS))
    return path


def test_from_an_empty_installation_to_a_certified_export(page: Any, news: Path) -> None:
    sign_in(page)
    make_a_project(page)
    import_texts(page, news)
    label_them(page)
    review(page)
    certify(page)
    rows, certificate = export(page)
    assert len(rows) == TEXTS
    assert sum(row["category"] not in row["text"] for row in rows) <= 0.1 * TEXTS  # as is promised
    assert certificate["sentence"].startswith(f"Of the {TEXTS} labels of this dataset, at most 10 % are wrong")
    look_at_the_figures(page)


def sign_in(page: Any) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page, "h1").to_have_text("Dashboard")


def make_a_project(page: Any) -> None:
    """And become one who reviews for it."""
    page.locator(".frame-menu a[href='/projects/']").click()
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("News")
    page.locator("#id_categories").fill("\n".join(f"{topic}: News about {topic.lower()}." for topic in TOPICS))
    page.get_by_label("model").select_option("slower")
    page.get_by_role("button", name="Create the project").click()
    expect(page, ".frame-messages").to_contain_text("Project News is made")
    page.get_by_role("link", name="Members").click()
    page.get_by_label("User name").fill("boss")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page, ".projects-list").to_contain_text("boss")


def import_texts(page: Any, news: Path) -> None:
    go_on_from_the_dashboard(page, "Import texts")
    page.locator("#file").set_input_files(news)
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Text", exact=True).select_option("headline")
    page.get_by_role("button", name=f"Import {TEXTS} rows").click()
    expect(page, "#status").to_have_text("Finished", timeout=LIVE)
    expect(page, "#added").to_have_text(str(TEXTS))


def label_them(page: Any) -> None:
    go_on_from_the_dashboard(page, "Label")
    page.wait_for_url("**/runs/*/")
    expect(page, "#run-status").to_have_text("Succeeded", timeout=LIVE)
    expect(page, "#run-line").to_contain_text(f"{TEXTS} of {TEXTS} texts")


def review(page: Any) -> None:
    """More texts are drawn for the audit; then whatever the desk shows is decided, until it has nothing left."""
    page.goto("/")
    page.get_by_role("link", name="Error budget of News").click()
    page.locator("#size").fill(str(DRAWN))
    page.get_by_role("button", name="Draw …").click()
    page.locator("#yes").click()
    go_on_from_the_dashboard(page, "Review")
    page.wait_for_selector("#desk[data-seen]")
    for _ in range(TEXTS):
        if page.locator("#desk").get_attribute("data-state") == "empty":
            break
        decide(page)
    expect(page, "#empty-title").to_have_text("Everything is decided.")


def decide(page: Any) -> None:
    """By keyboard, what the text says itself; blind or not."""
    seen, text = page.locator("#desk").get_attribute("data-seen"), page.locator("#text").inner_text()
    topic = next(topic for topic in TOPICS if topic in text)
    is_right = page.locator("#suggestion").is_visible() and topic in page.locator("#suggestion").inner_text()
    page.keyboard.press("a" if is_right else str(1 + TOPICS.index(topic)))
    page.wait_for_function(IS_NEXT, arg=seen)


def certify(page: Any) -> None:
    go_on_from_the_dashboard(page, "Certify")
    page.locator("#budget").select_option("10")
    page.get_by_role("button", name="Look …").click()
    page.locator("#yes").click()
    page.get_by_role("link", name="Put it to use …").click()
    page.locator("#yes").click()
    expect(page, "#sentence").to_contain_text("at most 10 % are wrong, with 95 % confidence")


def export(page: Any) -> tuple[list[dict[str, str]], dict[str, Any]]:
    go_on_from_the_dashboard(page, "Export")
    page.locator("#file_format").select_option("csv")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
        rows = archive.read(next(name for name in names if name.endswith(".csv"))).decode("utf-8-sig")
        certificate = json.loads(archive.read(next(name for name in names if name.endswith(".json"))))
    return list(csv.DictReader(io.StringIO(rows))), certificate


def look_at_the_figures(page: Any) -> None:
    page.goto("/")
    expect(page, ".dashboard-proven").to_contain_text("at most 10 % are wrong", timeout=LIVE)
    page.get_by_role("link", name="Statistics of News").click()
    expect(page, "#content").to_contain_text("News")
    expect(page, "#content canvas, #content svg").not_to_have_count(0)


def go_on_from_the_dashboard(page: Any, step: str) -> None:
    """The next step is the one that is expected, and its button leads to it."""
    page.locator(".frame-menu a[href='/']").click()
    expect(page, "[aria-current=step]").to_have_text(step)
    page.locator(".dashboard-steps :is(a, button).page-primary").click()
