"""Projects in a real browser: one is made by clicking, categories are moved and merged, people are added."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling import categories
from labeling.category_sets import BY_KEY
from labeling.choices import RunStatus
from labeling.models import Category, CategoryMerge, LabelingRun, Project, PromptVersion, Text
from tests.browser import EVIL, IN_BROWSER, Visit, expect, wait_until

pytestmark = IN_BROWSER

Open = Callable[..., Any]


@pytest.fixture
def open_page(visit: Visit, boss: User) -> Open:
    return lambda path, **options: visit(boss, f"/projects/{path}", **options)


def names(project: Project) -> list[str]:
    return [category.name for category in project.shown_categories()]


def test_a_project_with_three_categories_is_made_by_clicking(open_page: Open) -> None:
    page = open_page("")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("Opinions")
    page.get_by_role("button", name="Sentiment").click()
    expect(page, "#id_categories").to_have_value(
        "Positive: The writer is pleased, praises or recommends.\n"
        "Neutral: Facts, questions, or praise and blame in balance.\n"
        "Negative: The writer is annoyed, disappointed or warns others."
    )
    assert page.get_by_label("Name").input_value() == "Opinions"
    page.get_by_role("button", name="Create the project").click()
    expect(page, ".frame-messages").to_contain_text("Project Opinions is made")
    assert names(Project.objects.get(name="Opinions")) == ["Positive", "Neutral", "Negative"]


def test_before_its_script_has_come_the_page_keeps_what_was_typed(open_page: Open) -> None:
    page = open_page("new/", java_script_enabled=False)
    page.get_by_label("Name").fill("Opinions")
    page.get_by_role("button", name="Sentiment").click()
    expect(page, "#id_categories").to_have_value(re.compile("^Positive: "))
    expect(page, "#id_name").to_have_value("Opinions")
    page.get_by_label("Name").press("Enter")
    expect(page, ".frame-messages").to_contain_text("Project Opinions is made")


@pytest.mark.parametrize("has_script", [True, False])
def test_a_set_takes_the_place_of_another_and_comes_after_lines_of_ones_own(open_page: Open, has_script: bool) -> None:
    page = open_page("new/", java_script_enabled=has_script)
    page.get_by_role("button", name="Sentiment").click()
    expect(page, "#id_categories").to_have_value(re.compile("^Positive: "))
    page.get_by_role("button", name="Spam").click()
    expect(page, "#id_categories").to_have_value(BY_KEY["spam"].as_lines())
    page.get_by_label("Categories").fill("Bills\nLetters\n")
    page.get_by_role("button", name="Spam").click()
    expect(page, "#id_categories").to_have_value(f"Bills\nLetters\n{BY_KEY['spam'].as_lines()}")


def test_categories_are_put_in_order_by_keyboard(open_page: Open, project: Project) -> None:
    page = open_page(f"{project.pk}/categories/")
    button = page.get_by_role("button", name="Move Weather up")
    button.focus()
    page.keyboard.press("Enter")
    expect(page, "#order-said").to_have_text("Weather is number 2 of 3.")
    expect(page, ":focus").to_have_attribute("aria-label", "Move Weather up")
    page.keyboard.press("Enter")
    expect(page, "#order-said").to_have_text("Weather is number 1 of 3.")
    wait_until(page, lambda: names(project) == ["Weather", "Sports", "Business"])
    expect(page, ":focus").to_have_attribute("aria-label", "Move Weather down")
    page.reload()
    assert page.locator("#categories h3").all_inner_texts() == ["Weather", "Sports", "Business"]


def test_categories_are_put_in_order_by_dragging(open_page: Open, project: Project) -> None:
    page = open_page(f"{project.pk}/categories/")
    page.locator("#categories li:nth-child(1) .projects-grip").hover()
    page.mouse.down()
    box = page.locator("#categories li:nth-child(3)").bounding_box()
    for step in range(1, 11):
        page.mouse.move(box["x"] + 30, box["y"] - 200 + step * (200 + box["height"] / 2) / 10)
    page.mouse.up()
    wait_until(page, lambda: names(project) == ["Business", "Weather", "Sports"])


def test_who_moves_what_somebody_else_moved_is_told(open_page: Open, project: Project) -> None:
    page = open_page(f"{project.pk}/categories/")
    categories.move(project.categories.get(name="Business"), by=-1)
    page.get_by_role("button", name="Move Weather up").click()
    expect(page, "#order-trouble").to_contain_text("Load this page again")
    assert names(project) == ["Business", "Sports", "Weather"]


def test_two_categories_are_merged(open_page: Open, project: Project, add_labeled: Callable[..., list[Text]]) -> None:
    [text] = add_labeled(0.6)
    LabelingRun.objects.update(status=RunStatus.SUCCEEDED)
    page = open_page(f"{project.pk}/categories/")
    page.get_by_role("link", name="Merge … Sports").click()
    expect(page, "#content").to_contain_text("1 text holds Sports now")
    page.get_by_label("Into").select_option(label="Business")
    page.get_by_role("button", name="Show what moves").click()
    expect(page, "#content").to_contain_text("They become Business")
    assert not CategoryMerge.objects.exists()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page, ".frame-messages").to_contain_text("Sports is part of Business now. 1 text has followed.")
    text.refresh_from_db()
    assert text.current_label.category.name == "Business"


def test_a_category_is_added_with_examples_and_a_colour(open_page: Open, project: Project) -> None:
    page = open_page(f"{project.pk}/categories/")
    page.get_by_role("link", name="Add a category").click()
    page.get_by_label("Name").fill("Travel")
    page.get_by_label("Another example").fill("A week at the beach.")
    page.get_by_role("button", name="One more").click()
    page.locator(":focus").fill("Trains to the north.")
    page.get_by_label("Choose the colour").fill("#ff8800")
    page.get_by_role("button", name="Add it").click()
    expect(page, "#categories").to_contain_text("Travel")
    made = Category.objects.get(name="Travel")
    assert (made.examples, made.color) == (["A week at the beach.", "Trains to the north."], "#ff8800")


def test_somebody_new_is_added_and_chooses_a_password(open_page: Open, visit: Visit, project: Project) -> None:
    page = open_page(f"{project.pk}/members/")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Make a new account with this name").check()
    page.get_by_role("button", name="Add", exact=True).click()
    link = page.locator("#invite-link").input_value()
    nobody = page.context.browser.new_context()
    try:
        own = nobody.new_page()
        own.goto(link)
        own.locator("#id_new_password1").fill("correct horse 7")
        own.locator("#id_new_password2").fill("correct horse 7")
        own.get_by_role("button", name="Choose it").click()
        own.wait_for_url("**/review/**")
    finally:
        nobody.close()
    assert User.objects.get(username="maria").check_password("correct horse 7")


def test_the_preview_of_a_prompt_follows_what_is_written(open_page: Open, project: Project, add_texts: Any) -> None:
    add_texts(project, EVIL, "The striker scored.")
    page = open_page(f"{project.pk}/prompt/")
    page.locator("#id_template").fill("Sort this: {text}")
    expect(page, "#prompt-preview-messages").to_contain_text("Sort this:")
    before = page.locator("#prompt-preview-messages").inner_text()
    page.get_by_role("button", name="Another text").click()
    wait_until(page, lambda: page.locator("#prompt-preview-messages").inner_text() != before)
    page.locator("#id_hypothesis").fill("It tells of {}.")
    expect(page, "#prompt-hypotheses").to_contain_text("It tells of Sports.")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page, ".frame-messages").to_contain_text("Version 1 holds from now on")
    assert PromptVersion.objects.get().hypothesis == "It tells of {}."
    assert page.title() != "owned"
