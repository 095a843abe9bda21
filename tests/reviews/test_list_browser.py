"""The list in a real browser: by keyboard, by mouse, and without any script."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews.models import Review, Reviewer

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
]

SAME = "your order number has been sent today to the address that you gave us when you ordered"

AddLabeled = Callable[..., list[Text]]
Open = Callable[..., Any]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Playwright keeps an event loop in this thread, in which Django otherwise refuses to ask the database.
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as running:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = running.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def _group_of_reviewers(transactional_db: None) -> None:
    """These tests empty the tables when they end, and with them what a migration wrote."""
    group, _ = Group.objects.get_or_create(name="Reviewers")
    group.permissions.add(Permission.objects.get(codename="add_review", content_type__app_label="reviews"))


@pytest.fixture
def open_list(browser: Any, live_server: LiveServer, project: Project) -> Iterator[Open]:
    """Opens the list for a reviewer; at the end no page may have complained."""
    contexts, complaints = [], []

    def visit(reviewer: Reviewer, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        client = Client()
        client.force_login(reviewer.user)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{live_server.url}/admin/review/{project.pk}/list/")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def expect(page: Any, selector: str) -> Any:
    return playwright.expect(page.locator(selector))


def test_a_group_of_near_duplicates_is_decided_but_for_one_and_undone(
    open_list: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    texts = add_labeled(*[0.4] * 4)
    for text in texts:
        Text.objects.filter(pk=text.pk).update(content=f"{SAME} {text.pk}")
    page = open_list(anna)
    page.get_by_role("link", name="Near-duplicates").click()
    expect(page, ".list-group h2").to_have_text("Group 1: 4 texts")
    page.locator("[name=checked]").nth(1).uncheck()
    page.get_by_label("Category for all of group 1").select_option(label="Weather")
    page.get_by_role("button", name="Give this category").click()
    expect(page, "h2.desk-heading").to_have_text("Give 3 texts the category Weather?")
    page.locator("#apply").click()
    expect(page, ".desk-empty h2").to_have_text("No near-duplicates here")
    assert Text.objects.filter(current_label__category__name="Weather").count() == 3
    page.locator("#undo-batch").click()
    expect(page, ".list-group h2").to_have_text("Group 1: 4 texts")
    assert Text.objects.filter(status=TextStatus.NEEDS_REVIEW).count() == 4


def rows(page: Any) -> Any:
    return page.locator(".list-row")


def test_a_batch_is_approved_by_keyboard_and_undone(open_list: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    texts = add_labeled(0.2, 0.3, 0.4)
    page = open_list(anna)
    expect(page, "#approve").to_be_disabled()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page, "#selected").to_have_text("2")
    page.keyboard.press("a")
    expect(page, ".list-changes").to_contain_text("Approve as Sports: 2")
    expect(page, "#apply").to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#undo-batch")
    expect(page, "body").to_contain_text("2 texts decided.")
    assert rows(page).count() == 1
    decided = set(Text.objects.filter(status=TextStatus.REVIEWED).values_list("pk", flat=True))
    assert decided == {texts[0].pk, texts[1].pk}

    page.click("#undo-batch")
    expect(page, "body").to_contain_text("2 texts undone.")
    assert rows(page).count() == 3
    assert Review.objects.effective().count() == 0


def test_a_range_is_relabeled_by_mouse(open_list: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(*[0.3] * 6)
    page = open_list(anna)
    boxes = page.locator("[name=checked]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page, "#selected").to_have_text("4")
    page.select_option("#category", label="Weather")
    page.click("#relabel")
    page.click("#apply")
    expect(page, "#undo-batch").to_be_visible()
    assert Text.objects.filter(current_label__category__name="Weather").count() == 4


def test_select_all_selects_the_page(open_list: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(*[0.3] * 5)
    page = open_list(anna)
    page.check("#select-all")
    expect(page, "#selected").to_have_text("5")
    page.locator("[name=checked]").nth(2).click()
    expect(page, "#selected").to_have_text("4")
    assert page.locator("#select-all").evaluate("box => box.indeterminate")


def test_letters_in_a_field_are_letters(open_list: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.3, 0.4)
    page = open_list(anna)
    page.check("#select-all")
    page.locator("#comment").press_sequentially("xjka")
    expect(page, "#comment").to_have_value("xjka")
    expect(page, "#selected").to_have_text("2")


def test_it_works_without_a_script(open_list: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.3, 0.4)
    page = open_list(anna, java_script_enabled=False)
    page.check("[name=scope][value=page]")
    page.click("#approve")
    page.click("#apply")
    page.click("#undo-batch")
    assert rows(page).count() == 2
    assert (Review.objects.count(), Review.objects.effective().count()) == (4, 0)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(open_list: Open, anna: Reviewer, add_labeled: AddLabeled, width: int) -> None:
    [text, _] = add_labeled(0.3, 0.4)
    Text.objects.filter(pk=text.pk).update(content="long" * 500, source="s" * 200)
    page = open_list(anna, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
