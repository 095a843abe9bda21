"""What somebody types at the desk, in a real browser: nothing is lost, and no key decides a text that was not seen."""

from typing import Any

import pytest

from reviews.models import Assignment, Review, Reviewer
from tests.browser import IN_BROWSER, expect, wait_until
from tests.reviews.desk_page import AddLabeled, Open, comment, made, press

pytestmark = IN_BROWSER


def test_a_decision_that_was_not_sent_comes_back_with_its_comment(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6, 0.7)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    page.route("**/decide/", lambda route: route.abort())
    press(page, "a")
    expect(page, "#message-text").to_contain_text("kept in this browser")
    comment(page, "half a joke")
    press(page, "a")
    expect(page, "#message-text").to_contain_text("2 decisions are kept")
    comment(page, "of the third")
    press(page, "u")
    expect(page, "#message-text").to_contain_text("Taken back: it was not sent yet.")
    expect(page, "#comment").to_have_value("half a joke")
    page.unroute("**/decide/")
    press(page, "a")
    expect(page, "#comment").to_have_value("of the third")
    assert [review.comment for review in made(page, 2)] == ["", "half a joke"]


@pytest.fixture
def losing(open_desk: Open, anna: Reviewer, add_labeled: AddLabeled) -> Any:
    """A desk with two texts, whose decisions are written and whose answers are lost."""
    add_labeled(0.5, 0.6)
    page = open_desk(anna)
    page.wait_for_load_state("networkidle")
    page.route("**/decide/", lose_the_answer)
    return page


def test_a_decision_whose_answer_was_lost_is_undone_at_the_server(losing: Any) -> None:
    page = losing
    first = page.locator("#text").inner_text()
    comment(page, "half a joke")
    press(page, "a")
    made(page, 1)
    expect(page, "#message-text").to_contain_text("1 decision is kept")
    page.unroute("**/decide/")
    press(page, "u")
    expect(page, "#message-text").to_have_text("Undone. The text is here again.")
    expect(page, "#text").to_have_text(first)
    expect(page, "#comment").to_have_value("half a joke")
    press(page, "3")
    assert [review.action for review in made(page, 3)] == ["approve", "undo", "reject"]


def test_a_decision_that_may_be_saved_is_kept_until_the_server_can_be_asked(losing: Any) -> None:
    page = losing
    press(page, "a")
    made(page, 1)
    expect(page, "#message-text").to_contain_text("1 decision is kept")
    press(page, "u")
    expect(page, "#message-text").to_contain_text("may be saved already: undo it again when the server answers")
    page.unroute("**/decide/")
    wait_until(page, lambda: page.evaluate(UNSENT) == 0)
    press(page, "u")
    expect(page, "#message-text").to_have_text("Undone. The text is here again.")
    assert [review.action for review in made(page, 2)] == ["approve", "undo"]


def lose_the_answer(route: Any) -> None:
    """The server gets the request and does its work, and the line breaks before the browser hears of it."""
    route.fetch()
    route.abort()


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


def test_who_is_faster_than_the_network_has_few_decisions_that_are_not_written(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.4 + n / 100 for n in range(40)])
    page = open_desk(anna)
    network = {"offline": False, "latency": 50, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)
    unsent = []
    for _ in range(30):
        press(page, "a")
        unsent.append(page.evaluate(UNSENT))
    assert max(unsent) <= 12
    made(page, 30)


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
