"""The dialogs of the review desk in a real browser: help, filter, confidence, new categories, keys of one's own."""

import re

from labeling.models import Project
from reviews.models import Review, Reviewer
from tests.browser import IN_BROWSER, expect
from tests.reviews.desk_page import AddLabeled, Open, change_key, made, press

pytestmark = IN_BROWSER


def test_help_and_guidelines_open_and_close_by_keys(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    for key, dialog in (("?", "#help"), ("g", "#guidelines")):
        press(page, key)
        expect(page, dialog).to_be_visible()
        press(page, "a", "Escape")  # no key decides behind a dialog
        expect(page, dialog).to_be_hidden()
    assert not Review.objects.exists()


def test_a_filter_shows_only_some_texts(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5, 0.6, 0.7)
    page = open_desk(anna)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("With these words").fill("number 2")
    page.get_by_role("button", name="Show these").click()
    expect(page, "#text").to_have_text("Match number 2")
    press(page, "a")
    expect(page, "#empty-title").to_contain_text("your filters")
    page.get_by_role("link", name="Without the filter").click()
    expect(page, "#text").to_have_text("Match number 0")


def test_another_filter_keeps_those_that_the_dialog_has_no_field_for(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    page.goto(page.url + "?max_confidence=0.55&evil=1")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("With these words").fill("Match")
    page.get_by_role("button", name="Show these").click()
    page.wait_for_url(re.compile("words=Match"))
    assert "max_confidence=0.55" in page.url and "evil" not in page.url
    expect(page, "#text").to_have_text("Match number 0")


def test_the_confidence_in_a_retired_category_can_be_modified(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    project.categories.filter(name="Sports").update(is_active=False)
    page = open_desk(anna)
    press(page, "m")
    page.keyboard.type("90")
    press(page, "Enter")
    [review] = made(page, 1)
    assert (review.action, review.confidence_after) == ("modify", 0.9)
    assert review.category_after and review.category_after.name == "Sports"


# --- None of these ----------------------------------------------------------------------------------------------------


def test_a_text_that_no_category_fits_goes_to_a_manager_with_a_proposed_one(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    page.get_by_role("option", name="None of these …").click()
    page.get_by_label("Category that is missing").fill("Culture")
    page.get_by_label("Comment (optional)").fill("A concert.")
    page.get_by_role("button", name="Propose").click()
    [review] = made(page, 1)
    assert (review.action, review.proposed_category, review.comment) == ("flag", "Culture", "A concert.")


def test_a_search_that_finds_nothing_offers_its_words_as_a_new_category(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.97, audit=True)
    page = open_desk(anna)
    press(page, "/")
    page.keyboard.type("Culture")
    expect(page, "#categories [aria-selected=true]").to_have_text(re.compile("Propose “Culture” as a new category"))
    press(page, "Enter")
    expect(page, "#propose-name").to_have_value("Culture")
    press(page, "Tab", "Enter")
    [review] = made(page, 1)
    assert (review.action, review.proposed_category, review.is_blind) == ("flag", "Culture", True)


# --- Keys of one's own ------------------------------------------------------------------------------------------------


def test_keys_are_changed_at_the_desk_and_work_at_once(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    press(page, "?")
    page.get_by_role("button", name="Change keys").click()
    change_key(page, "Approve the suggested category", "y")
    page.keyboard.press("Enter")
    expect(page, "#help-keys").to_contain_text("Y")
    expect(page, "[data-do=approve] kbd").to_have_text("Y")
    press(page, "Escape", "a", "y")
    made(page, 1)
    anna.refresh_from_db()
    assert anna.keys == {"approve": "y"}
    press(page, "?")
    page.get_by_role("button", name="Change keys").click()
    page.get_by_role("button", name="Restore defaults").click()
    expect(page, "[data-do=approve] kbd").to_have_text("A")
    press(page, "Escape", "a")
    made(page, 2)
    anna.refresh_from_db()
    assert anna.keys == {}


def test_a_key_that_is_taken_is_refused_while_typing(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    project.categories.filter(name="Weather").update(shortcut="w")
    add_labeled(0.5)
    page = open_desk(anna)
    press(page, "?")
    page.get_by_role("button", name="Change keys").click()
    for key, complaint in (("s", "S is given to"), ("4", "digits choose categories"), ("w", "it chooses Weather")):
        change_key(page, "Approve the suggested category", key)
        expect(page, "#keys-problem").to_contain_text(complaint)
        expect(page, "#keys-save").to_be_disabled()
    change_key(page, "Approve the suggested category", "y")
    expect(page, "#keys-problem").to_be_empty()
    expect(page, "#keys-save").to_be_enabled()
