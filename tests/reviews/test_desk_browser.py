"""The review desk in a real browser, as a person uses it: by keyboard, by touch, and against others."""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from labeling import annotations
from labeling.annotations import Prediction
from labeling.models import Classifier, LabelingRun, Project, Text
from reviews import queue
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer
from reviews.similar import forget_all
from tests.browser import (
    EVIL,
    IN_BROWSER,
    SCREENS,
    WORDS,
    Visit,
    barriers,
    expect,
    fits_the_screen,
    is_dark,
    wait_until,
)
from tests.vectors import keep

pytestmark = IN_BROWSER

AddLabeled = Callable[..., list[Text]]
Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_vectors_of_another_test() -> None:
    forget_all()


@pytest.fixture
def open_desk(visit: Visit, project: Project, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setattr(queue, "AUDIT_MIX", 0.0)  # the blind audit comes last, and not by chance

    def opened(reviewer: Reviewer, *, expects: str = "text", **options: Any) -> Any:
        page = visit(reviewer.user, f"/admin/review/{project.pk}/", **options)
        page.wait_for_selector(f"#desk[data-state={expects}]")
        return page

    return opened


def made(page: Any, count: int) -> list[Review]:
    wait_until(page, lambda: Review.objects.count() == count)
    return list(Review.objects.order_by("pk"))


def press(page: Any, *keys: str) -> None:
    """Press keys as a person does: when a text to decide stands on the screen."""
    for key in keys:
        page.wait_for_selector("#desk[data-state=text][data-seen]")
        page.keyboard.press(key)


def test_twelve_texts_by_keyboard_alone(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.5 + n / 100 for n in range(12)])
    page = open_desk(anna)
    expect(page, "#suggested").to_have_text("Sports")
    press(page, "a", "Enter", "1", "2", "3")  # approve three ways, then another category by number
    press(page, "c")
    page.keyboard.type("axsf are letters here")
    press(page, "Escape", "a")
    press(page, "/")
    page.keyboard.type("wea")
    press(page, "Enter")
    press(page, "x")
    page.keyboard.type("bus")
    press(page, "Enter")
    press(page, "m")
    page.keyboard.type("90")
    press(page, "Enter", "s")
    press(page, "f")
    page.keyboard.type("two languages")
    press(page, "Tab", "Enter")
    press(page, "a")
    reviews = made(page, 12)
    said = [review.action for review in reviews]
    assert said == [
        *["approve"] * 3,
        "reject",
        "reject",
        "approve",
        "reject",
        "reject",
        "modify",
        "skip",
        "flag",
        "approve",
    ]
    names = [review.category_after and review.category_after.name for review in reviews]
    assert names[3:8] == ["Business", "Weather", "Sports", "Weather", "Business"]
    assert reviews[5].comment == "axsf are letters here"
    assert reviews[8].confidence_after == 0.9
    assert reviews[10].comment == "two languages"
    assert all(review.seconds_spent is not None and review.queue_reason == "uncertain" for review in reviews)
    expect(page, "#progress").to_contain_text("10 of 100 today")


def test_the_skipped_text_comes_last_and_then_the_page_says_why_it_is_empty(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    press(page, "a")
    expect(page, "#empty-title").to_have_text("Everything is decided.")
    add_labeled(0.6)
    page.get_by_role("button", name="Look again").click()
    expect(page, "#text").to_have_text("Match number 1")


def test_a_blind_text_shows_no_answer_and_takes_a_category(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled, tmp_path: Path
) -> None:
    add_labeled(0.97, audit=True)
    page = open_desk(anna)
    expect(page, "#blind").to_be_visible()
    expect(page, "#suggestion").to_be_hidden()
    expect(page, "mark").to_have_count(0)
    page.screenshot(path=tmp_path / "blind.png")
    press(page, "a")
    expect(page, "#message-text").to_contain_text("choose a category")
    press(page, "2")
    [review] = made(page, 1)
    assert (review.action, review.is_blind, review.queue_reason) == ("decide", True, "audit")
    assert review.category_after and review.category_after.name == "Business"


def test_of_two_people_the_second_is_told_and_can_go_back(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    hers = open_desk(anna)
    hers.wait_for_load_state("networkidle")
    Assignment.objects.update(expires_at=timezone.now())  # she went for a long lunch
    his = open_desk(ben)
    press(his, "3")
    made(his, 1)
    press(hers, "a")
    expect(hers, "#refusals").to_contain_text("ben has decided this text already")
    expect(hers, "#refusals").to_contain_text("Weather")
    hers.get_by_role("button", name="Back to this text").click()
    expect(hers, "#text").to_have_text("Match number 0")
    made(hers, 1)


def test_each_refused_decision_is_said_until_it_is_closed(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.4, 0.5, 0.6, 0.7)
    page = open_desk(anna)
    page.route("**/decide/", lambda route: route.abort())
    press(page, "a", "a", "a")
    expect(page, "#message-text").to_contain_text("3 decisions are kept")
    last = page.locator("#text").inner_text()
    Assignment.objects.all().delete()
    for text in Text.objects.exclude(content=last):
        record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    page.unroute("**/decide/")
    expect(page, "#refusals li").to_have_count(3)
    expect(page, "#message").to_be_hidden()
    press(page, "u")
    expect(page, "#message-text").to_contain_text("no decision of yours")
    expect(page, "#refusals li").to_have_count(3)
    assert barriers(page, "refusals") == []
    page.locator("#refusals").get_by_role("button", name="Close").first.click()
    expect(page, "#refusals li").to_have_count(2)
    again = page.locator("#refusals q").first.inner_text()
    page.get_by_role("button", name="Back to this text").first.click()
    expect(page, "#text").to_have_text(again)
    expect(page, "#refusals li").to_have_count(1)


def test_refusals_are_told_apart_and_closed_by_keyboard(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.4, 0.5, 0.6)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    Assignment.objects.all().delete()
    for text in Text.objects.exclude(content="Match number 2"):
        record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    press(page, "a", "a")
    expect(page, "#text").to_have_text("Match number 2")
    page.get_by_role("button", name="Back to this text: Match number 1", exact=True).wait_for()
    page.get_by_role("button", name="Close: Match number 0", exact=True).press("Enter")
    expect(page, "#refusals button:focus").to_have_attribute("aria-label", "Back to this text: Match number 1")
    page.get_by_role("button", name="Close: Match number 1", exact=True).press("Enter")
    expect(page, "#refusals li").to_have_count(0)
    expect(page, "#text:focus").to_have_count(1)


def test_a_label_that_was_replaced_is_looked_at_again(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    weather = replace_label(text, project)
    press(page, "a")
    expect(page, "#refusals").to_contain_text("A newer label with another category has taken this one's place")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#suggested").to_have_text("Weather")
    press(page, "a")
    [review] = made(page, 1)
    assert review.category_after_id == weather


def test_a_refusal_goes_when_its_text_is_decided_after_all(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    replace_label(text, project)
    press(page, "a")
    expect(page, "#refusals li").to_have_count(1)
    expect(page, "#suggested").to_have_text("Weather")
    press(page, "a")
    made(page, 1)
    expect(page, "#refusals li").to_have_count(0)


def test_going_back_to_a_text_shows_no_other_that_the_filters_hide(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    text, _ = add_labeled(0.5, 0.6)
    page = open_desk(anna)
    page.goto(page.url + "?words=number+0")
    page.wait_for_load_state("networkidle")
    Assignment.objects.all().delete()
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    comment(page, "of the first")
    press(page, "a")
    expect(page, "#empty-title").to_contain_text("your filters")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#comment").to_have_value("of the first")
    press(page, "a")
    page.wait_for_selector("#desk[data-state=empty]")


def test_going_back_to_a_text_shows_none_whose_decision_waits(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    text, _ = add_labeled(0.5, 0.6)
    page = open_desk(anna)
    expect(page, "#text").to_have_text("Match number 0")
    page.wait_for_load_state("networkidle")
    Assignment.objects.filter(text=text).delete()
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    press(page, "a")
    expect(page, "#refusals li").to_have_count(1)
    page.route("**/decide/", lambda route: route.abort())
    press(page, "a")
    expect(page, "#message-text").to_contain_text("1 decision is kept")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#text").to_have_text("Match number 0")
    press(page, "a")
    expect(page, "#message-text").to_contain_text("2 decisions are kept")
    page.wait_for_selector("#desk[data-state=empty]")


def test_going_back_without_a_connection_keeps_the_newer_label(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    replace_label(text, project)
    press(page, "a")
    expect(page, "#suggested").to_have_text("Weather")
    page.wait_for_load_state("networkidle")
    page.route("**/next/", lambda route: route.abort())
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#message-text").to_have_text("The text is here again.")
    expect(page, "#suggested").to_have_text("Weather")


def test_a_text_that_was_decided_again_is_not_gone_back_to(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    replace_label(text, project)
    press(page, "a")
    expect(page, "#suggested").to_have_text("Weather")
    page.route("**/decide/", lambda route: route.abort())
    press(page, "a")
    page.wait_for_selector("#desk[data-state=empty]")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#live").to_have_text("You have decided this text again.")
    expect(page, "#empty-title:focus").to_have_count(1)
    page.wait_for_selector("#desk[data-state=empty]")


def replace_label(text: Text, project: Project) -> int:
    """Another run says Weather of the text, which stays on the desk; returns the category."""
    LabelingRun.objects.update(status="succeeded")
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0)
    weather = project.categories.get(name="Weather").pk
    annotations.record_predictions(run, [replace(prediction(text, project), category_id=weather)])
    return weather


def test_what_another_person_decides_appears_without_reload(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    Assignment.objects.all().delete()
    text = Text.objects.get()
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    expect(page, "#message-text").to_contain_text("ben has decided this text meanwhile")
    page.get_by_role("button", name="Next text").click()
    expect(page, "#empty-title").to_have_text("Everything is decided.")


def test_undo_brings_the_last_text_back(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    first = page.locator("#text").inner_text()
    press(page, "2")
    made(page, 1)
    press(page, "u")
    expect(page, "#text").to_have_text(first)
    expect(page, "#message-text").to_contain_text("Undone")
    press(page, "a")
    assert [review.action for review in made(page, 3)] == ["reject", "undo", "approve"]


def comment(page: Any, words: str) -> None:
    press(page, "c")
    page.keyboard.type(words)
    press(page, "Escape")


def test_a_decision_that_was_not_sent_comes_back_with_its_comment(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    page.route("**/decide/", lambda route: route.abort())
    comment(page, "half a joke")
    press(page, "a")
    expect(page, "#message-text").to_contain_text("kept in this browser")
    comment(page, "of the second")
    press(page, "u")
    expect(page, "#comment").to_have_value("half a joke")
    page.unroute("**/decide/")
    press(page, "a")
    expect(page, "#comment").to_have_value("of the second")
    assert made(page, 1)[0].comment == "half a joke"


def test_an_undone_decision_comes_back_with_its_comment(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    comment(page, "half a joke")
    press(page, "a")
    made(page, 1)
    comment(page, "of the second")
    press(page, "u")
    expect(page, "#comment").to_have_value("half a joke")
    press(page, "a")
    expect(page, "#comment").to_have_value("of the second")


@pytest.mark.parametrize(("since", "kept"), [("", "half a joke"), ("no joke at all", "no joke at all")])
def test_the_comment_of_an_undone_skip_goes_behind_what_was_written_since(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled, since: str, kept: str
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    comment(page, "half a joke")
    press(page, "s")
    made(page, 1)
    expect(page, "#comment").to_have_value("")
    page.locator("#comment").fill(since)
    press(page, "Escape", "u")
    expect(page, "#message-text").to_contain_text("Undone")
    expect(page, "#comment").to_have_value(kept)


def test_a_refused_decision_comes_back_with_its_comment(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    Assignment.objects.all().delete()
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    comment(page, "half a joke")
    press(page, "2")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#comment").to_have_value("half a joke")


def open_desk_with_a_refusal(open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled) -> Any:
    """A decision with the comment "half a joke" was refused, and its text is here again with another label."""
    [text] = add_labeled(0.5)
    page = open_desk(anna)
    replace_label(text, project)
    comment(page, "half a joke")
    press(page, "a")
    expect(page, "#suggested").to_have_text("Weather")
    return page


def test_a_refused_text_that_comes_back_by_itself_has_its_comment(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    page = open_desk_with_a_refusal(open_desk, anna, project, add_labeled)
    expect(page, "#comment").to_have_value("half a joke")


def test_going_back_to_the_text_on_the_screen_keeps_its_new_comment(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    page = open_desk_with_a_refusal(open_desk, anna, project, add_labeled)
    page.locator("#comment").fill("no joke at all")
    page.get_by_role("button", name="Back to this text").click()
    expect(page, "#message-text").to_have_text("The text is here again.")
    expect(page, "#comment").to_have_value("no joke at all")


def test_a_refused_text_that_is_here_already_does_not_interrupt_writing(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    page = open_desk_with_a_refusal(open_desk, anna, project, add_labeled)
    page.wait_for_load_state("networkidle")
    held: list[Any] = []
    page.route("**/next/", lambda route: held.append(route))
    page.get_by_role("button", name="Back to this text").click()
    press(page, "c", "End")
    page.keyboard.type(" and")
    wait_until(page, lambda: bool(held))
    held[0].continue_()
    expect(page, "#message-text").to_have_text("The text is here again.")
    page.keyboard.type(" more")
    expect(page, "#comment").to_have_value("half a joke and more")


def test_a_text_that_comes_back_late_waits_while_somebody_writes(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    first = page.locator("#text").inner_text()
    press(page, "a")
    made(page, 1)
    held: list[Any] = []
    page.route("**/undo/", lambda route: held.append(route))
    press(page, "u", "c")
    page.keyboard.type("a r")
    wait_until(page, lambda: bool(held))
    held[0].continue_()
    expect(page, "#message-text").to_have_text("Undone. The text comes next.")
    page.keyboard.type("ainy match")
    expect(page, "#comment").to_have_value("a rainy match")
    press(page, "Escape", "a")
    assert [review.action for review in made(page, 3)] == ["approve", "undo", "approve"]
    expect(page, "#text").to_have_text(first)


def test_decisions_outlive_a_lost_connection_and_a_reload(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6, 0.7)
    page = open_desk(anna)
    wait_until(page, lambda: Assignment.objects.count() >= 2)
    page.route("**/decide/", lambda route: route.abort())
    press(page, "a")
    expect(page, "#message-text").to_contain_text("kept in this browser")
    page.unroute("**/decide/")
    page.reload()
    [review] = made(page, 1)
    assert review.action == "approve"
    expect(page, "#desk[data-state=text]").to_be_visible()


def test_leaving_the_page_frees_the_texts(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    page.goto("about:blank")
    wait_until(page, lambda: not Assignment.objects.exists())


def test_what_people_wrote_stays_text(
    open_desk: Open, anna: Reviewer, ben: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    project.categories.filter(name="Sports").update(name=f"Sports {EVIL}", description=EVIL, examples=[EVIL])
    Text.objects.filter(pk=text.pk).update(content=f"Match {EVIL}", metadata={EVIL: EVIL}, source=EVIL)
    record(ben, text.pk, Decision(Action.SKIP, comment=EVIL))
    page = open_desk(anna)
    expect(page, "#text").to_have_text(f"Match {EVIL}")
    expect(page, "#suggested").to_have_text(f"Sports {EVIL}")
    for summary in page.locator("summary").all():
        summary.click()
    press(page, "g")
    expect(page, "#guide").to_contain_text(EVIL)
    assert page.locator("#desk img, #desk script, dialog img, #desk a:not([href^='/admin/review/'])").count() == 0
    assert page.title() != "owned"


def test_marked_words_stand_right_behind_an_emoji(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    Text.objects.filter(pk=text.pk).update(content="😀 Ma goal")
    page = open_desk(anna)
    expect(page, "mark").to_have_text("😀 Ma ")


def test_a_persons_own_keys_replace_the_default_ones(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    Reviewer.objects.filter(pk=anna.pk).update(keys={"approve": "y"})
    add_labeled(0.5)
    page = open_desk(anna)
    press(page, "a", "Control+y", "y")
    assert [review.action for review in made(page, 1)] == ["approve"]


def test_a_filter_shows_only_some_texts(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5, 0.6, 0.7)
    page = open_desk(anna)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("With these words").fill("number 2")
    page.get_by_role("button", name="Show these").click()
    expect(page, "#text").to_have_text("Match number 2")
    press(page, "a")
    expect(page, "#empty-title").to_contain_text("your filters")


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


def test_help_and_guidelines_open_and_close_by_keys(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    for key, dialog in (("?", "#help"), ("g", "#guidelines")):
        press(page, key)
        expect(page, dialog).to_be_visible()
        press(page, "a", "Escape")  # no key decides behind a dialog
        expect(page, dialog).to_be_hidden()
    assert not Review.objects.exists()


# --- At speed ---------------------------------------------------------------------------------------------------------

LOG_KEYS = """
window.pressed = [];
addEventListener("keydown", (event) => {
  const shown = document.querySelector("#desk[data-state=text] #text");
  window.pressed.push([event.key, shown ? shown.textContent : null]);
}, true);
"""

ANOTHER_IS_SEEN = "before => ![undefined, before].includes(document.getElementById('desk').dataset.seen)"
UNSENT = "Object.keys(localStorage).filter((name) => name.startsWith('desk-')).length"


def test_thirty_texts_decided_the_moment_they_appear_lose_no_key(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.4 + n / 100 for n in range(30)])
    page = open_desk(anna)
    page.evaluate(LOG_KEYS)
    seen = None
    for n in range(30):
        page.wait_for_function(ANOTHER_IS_SEEN, arg=seen)
        seen = page.locator("#desk").get_attribute("data-seen")
        page.keyboard.press("a23"[n % 3])
    wait_until(page, lambda: page.evaluate(UNSENT) == 0)
    assert written() == meant_in(page)
    assert len(set(written())) == 30


def test_keys_that_come_too_fast_decide_no_text_that_was_not_seen(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.4 + n / 100 for n in range(30)])
    page = open_desk(anna)
    page.evaluate(LOG_KEYS)
    for n in range(30):
        page.keyboard.press("a23"[n % 3])
    wait_until(page, lambda: page.evaluate(UNSENT) == 0)
    assert written()
    assert set(written()) <= set(meant_in(page))


def meant_in(page: Any) -> list[tuple[str, str]]:
    """The text that stood on the screen at each key, and the category that the key means."""
    names = {"a": "Sports", "2": "Business", "3": "Weather"}
    return [(text, names[key]) for key, text in page.evaluate("pressed")]


def written() -> list[tuple[str, str]]:
    made = Review.objects.order_by("pk")
    return list(made.values_list("text__content", "category_after__name"))


def test_a_key_before_the_next_text_is_there_decides_nothing_and_says_so(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    waiting: list[Any] = []
    page.route("**/next/", lambda route: waiting.append(route))
    press(page, "a")
    page.wait_for_selector("#desk[data-state=loading]")
    for key in ("a", "2", "x", "m", "s", "f", "n"):
        page.keyboard.press(key)
    expect(page, "#too-early").to_be_visible()
    add_labeled(0.6)
    made(page, 1)
    wait_until(page, lambda: bool(waiting))
    waiting[0].continue_()
    expect(page, "#text").to_have_text("Match number 1")
    page.wait_for_timeout(200)
    assert Review.objects.count() == 1
    assert page.locator("dialog[open]").count() == 0


def test_a_text_that_comes_back_late_waits_while_a_dialog_is_open(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    press(page, "a")
    made(page, 1)
    waiting: list[Any] = []
    page.route("**/undo/", lambda route: waiting.append(route))
    press(page, "u", "f")
    page.keyboard.type("broken")
    wait_until(page, lambda: bool(waiting))
    waiting[0].continue_()
    expect(page, "#message-text").to_have_text("Undone. The text comes next.")
    expect(page, "#text").to_have_text("Match number 1")
    page.get_by_role("button", name="Flag", exact=True).click()
    flag = made(page, 3)[-1]
    assert (flag.action, flag.text.content, flag.comment) == ("flag", "Match number 1", "broken")
    expect(page, "#text").to_have_text("Match number 0")


def test_the_comment_goes_on_as_the_reason_of_a_flag(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    page.locator("#comment").fill("x" * 4_990)
    press(page, "Escape", "f")
    expect(page, "#flag-reason").to_have_value("x" * 4_990)
    page.keyboard.type(" and a reason that is too long")
    page.get_by_role("button", name="Flag", exact=True).click()
    [review] = made(page, 1)
    assert (review.action, review.comment) == ("flag", "x" * 4_990 + " and a rea")


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


def change_key(page: Any, action: str, key: str) -> None:
    page.get_by_label(action, exact=True).focus()
    page.keyboard.press(key)


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


# --- Similar texts ----------------------------------------------------------------------------------------------------


def test_similar_reviewed_texts_are_shown_below_the_suggestion(
    open_desk: Open, anna: Reviewer, ben: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    decided, _ = add_labeled(0.5, 0.6)
    record(ben, decided.pk, Decision(Action.APPROVE, decided.current_label_id))
    embed(project, {0: [1.0, 0.0], 1: [0.8, 0.6]})
    page = open_desk(anna)
    expect(page, "#text").to_have_text("Match number 1")
    expect(page, "#similar-texts li").to_have_count(1)
    expect(page, "#similar-texts").to_contain_text(re.compile("Sports.*80 %.*Match number 0", re.DOTALL))


def test_a_blind_text_is_not_compared(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> None:
    add_labeled(0.97, audit=True)
    page = open_desk(anna)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()  # heard from the beginning
    page.wait_for_selector("#desk[data-state=text][data-seen]")
    page.wait_for_timeout(600)
    expect(page, "#similar").to_be_hidden()
    assert not [url for url in asked if "/similar/" in url]


# --- For everybody ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS)
def test_the_desk_has_no_barriers(
    open_desk: Open,
    anna: Reviewer,
    ben: Reviewer,
    project: Project,
    add_texts: Callable[..., list[Text]],
    add_labeled: AddLabeled,
    screen: str,
) -> None:
    dress(project, add_texts)
    first, _, blind = Text.objects.order_by("pk")
    record(ben, first.pk, Decision(Action.APPROVE, first.current_label_id, comment="Yes."))
    embed(project, {0: [1.0, 0.0], 1: [0.8, 0.6]})
    Text.objects.filter(pk=blind.pk).update(is_audit=True)
    page = open_desk(anna, **SCREENS[screen])
    expect(page, "#similar-texts li").to_have_count(1)
    for summary in page.locator("summary").all():
        summary.click()
    found = barriers(page, "text")
    for key, dialog in (("?", "help"), ("g", "guidelines"), ("m", "modify"), ("f", "flag"), ("n", "propose")):
        page.locator("#text").focus()
        press(page, key)
        expect(page, f"#{dialog}").to_be_visible()
        found += barriers(page, dialog)
        if dialog == "help":
            page.get_by_role("button", name="Change keys").click()
            change_key(page, "Approve the suggested category", "s")
            found += barriers(page, "change keys")
        press(page, "Escape")
    page.get_by_role("button", name="Filter").click()
    found += barriers(page, "filter")
    press(page, "Escape", "/")
    page.keyboard.type("zzz")
    found += barriers(page, "search that finds nothing")
    press(page, "Escape", "a")
    expect(page, "#blind").to_be_visible()
    press(page, "a")
    found += barriers(page, "blind, with a message")
    press(page, "2")
    page.wait_for_selector("#desk[data-state=empty]")
    found += barriers(page, "empty")
    assert found == []


@pytest.mark.parametrize("name", SCREENS)
def test_it_fits_the_screen(
    open_desk: Open,
    anna: Reviewer,
    project: Project,
    add_texts: Callable[..., list[Text]],
    tmp_path: Path,
    name: str,
) -> None:
    dress(project, add_texts)
    page = open_desk(anna, **SCREENS[name])
    page.wait_for_function("document.fonts.ready")
    page.screenshot(path=tmp_path / f"{name}.png")
    page.screenshot(path=tmp_path / f"{name}-whole.png", full_page=True)
    page.get_by_role("button", name="Guidelines").click()
    page.screenshot(path=tmp_path / f"{name}-guidelines.png")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filter").click()
    page.screenshot(path=tmp_path / f"{name}-filter.png")
    page.keyboard.press("Escape")
    assert fits_the_screen(page)
    assert is_dark(page) is (name == "dark")
    approve = page.get_by_role("button", name=re.compile("^Approve"))
    assert approve.bounding_box()["y"] + approve.bounding_box()["height"] <= page.viewport_size["height"]
    approve.click()
    made(page, 1)


def dress(project: Project, add_texts: Callable[..., list[Text]]) -> None:
    """A project as it looks in earnest: many categories, real sentences, close scores."""
    names = ["Card payment fee charged", "Top up failed", "Lost or stolen phone", "Exchange rate", "Age limit"]
    for position in range(3, 30):
        name = f"{names[position % 5]} {position}"
        project.categories.create(name=name, position=position, color=f"#{position * 7:02x}77aa")
    project.categories.filter(name="Sports").update(color="#1f77b4", description="Matches, players, results.")
    Project.objects.filter(pk=project.pk).update(instructions="Choose what the message is mainly about.")
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0)
    texts = add_texts(project, *(f"{n}. {WORDS * 4}" for n in (1, 2, 3)))
    annotations.record_predictions(run, [prediction(text, project) for text in texts])
    Text.objects.update(source="tickets.csv", metadata={"channel": "mail", "customer": "C-1042"}, language="en")


def embed(project: Project, vectors: dict[int, list[float]]) -> None:
    """Vectors as a model would have left them, for the texts in these places."""
    fingerprint = uuid.uuid4().hex  # its own: a page of the test before may still be answered
    Classifier.objects.create(
        project=project, version=1, kind="zero_shot", model_fingerprint=fingerprint, category_ids=[], weights=b""
    )
    texts = list(Text.objects.order_by("pk"))
    hashes = [texts[place].content_hash for place in vectors]
    matrix = np.array(list(vectors.values()), dtype=np.float32)
    keep(hashes, matrix, fingerprint=fingerprint)


def prediction(text: Text, project: Project) -> Prediction:
    categories = [category.pk for category in project.active_categories()]
    return Prediction(
        text_id=text.pk,
        category_id=categories[0],
        confidence=0.52,
        raw_score=0.52,
        margin=0.24,
        scores=list(zip(categories, [0.52, 0.28, 0.11, 0.06], strict=False)),
        explanation="Near to “home team” and “last minute”; next comes Business.",
        evidence=[(26, 35, 1.0), (47, 58, 0.8)],
        is_truncated=False,
        is_audit=False,
    )
