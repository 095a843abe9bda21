"""The list in a real browser: by keyboard, by mouse, and without any script."""

from collections.abc import Callable
from typing import Any

import pytest

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews.models import Review, Reviewer
from tests.browser import IN_BROWSER, Visit, expect, fits_the_screen

pytestmark = IN_BROWSER

SAME = "your order number has been sent today to the address that you gave us when you ordered"

AddLabeled = Callable[..., list[Text]]
Open = Callable[..., Any]


@pytest.fixture
def open_list(visit: Visit, project: Project) -> Open:
    def opened(reviewer: Reviewer, **options: Any) -> Any:
        return visit(reviewer.user, f"/admin/review/{project.pk}/list/", **options)

    return opened


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
    expect(page, "h2.page-heading").to_have_text("Give 3 texts the category Weather?")
    page.locator("#apply").click()
    expect(page, ".page-empty h2").to_have_text("No near-duplicates here")
    assert Text.objects.filter(current_label__category__name="Weather").count() == 3
    page.locator("#undo-batch").click()
    expect(page, ".list-group h2").to_have_text("Group 1: 4 texts")
    assert Text.objects.filter(status=TextStatus.NEEDS_REVIEW).count() == 4


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
    expect(page, ".list-row").to_have_count(1)
    decided = set(Text.objects.filter(status=TextStatus.REVIEWED).values_list("pk", flat=True))
    assert decided == {texts[0].pk, texts[1].pk}

    page.click("#undo-batch")
    expect(page, "body").to_contain_text("2 texts undone.")
    expect(page, ".list-row").to_have_count(3)
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
    expect(page, ".list-row").to_have_count(2)
    assert (Review.objects.count(), Review.objects.effective().count()) == (4, 0)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(open_list: Open, anna: Reviewer, add_labeled: AddLabeled, width: int) -> None:
    [text, _] = add_labeled(0.3, 0.4)
    Text.objects.filter(pk=text.pk).update(content="long" * 500, source="s" * 200)
    page = open_list(anna, viewport={"width": width, "height": 844})
    assert fits_the_screen(page)
