"""Decisions that the server refused, in a real browser: others were faster, or the label is another one by now."""

from typing import Any

import pytest
from django.utils import timezone

from labeling.models import Project, Text
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer
from tests.browser import IN_BROWSER, SCREENS, barriers, expect, wait_until
from tests.reviews.desk_page import AddLabeled, Open, comment, made, press, replace_label

pytestmark = IN_BROWSER


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


def test_what_was_decided_in_another_window_can_be_undone_there(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5, 0.6)
    first, second = open_desk(anna), open_desk(anna)
    expect(second, "#text").to_have_text(first.locator("#text").inner_text())
    press(first, "a")
    made(first, 1)
    comment(second, "on second thought")
    press(second, "3")
    expect(second, "#refusals").to_contain_text("You have decided this text already. (anna, approve: Sports")
    second.get_by_role("button", name="Undo that decision").click()
    expect(second, "#message-text").to_have_text("Undone. The text is here again.")
    expect(second, "#comment").to_have_value("on second thought")
    press(second, "3")
    assert [review.action for review in made(second, 3)] == ["approve", "undo", "reject"]
    expect(second, "#refusals li").to_have_count(0)


def test_a_decision_waits_while_the_project_is_archived(
    open_desk: Open, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    Project.objects.filter(pk=project.pk).update(is_archived=True)
    press(page, "a")
    expect(page, "#message-text").to_contain_text("The project News is archived. Bring it back on its page")
    expect(page, "#message-text").to_contain_text("1 decision is kept")
    assert page.get_by_role("button", name="Sign in").count() == 0
    Project.objects.filter(pk=project.pk).update(is_archived=False)
    made(page, 1)
    expect(page, "#message").to_be_hidden()


@pytest.mark.parametrize("lost", ["sessionid", "csrftoken"])
def test_who_is_signed_out_is_led_to_sign_in(
    open_desk: Open, anna: Reviewer, add_labeled: AddLabeled, lost: str
) -> None:
    add_labeled(0.5)
    page = open_desk(anna)
    page.context.clear_cookies(name=lost)
    press(page, "a")
    expect(page, "#message-text").to_contain_text("1 decision is kept")
    page.get_by_role("button", name="Sign in").wait_for()


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


def test_refusals_leave_room_on_a_phone_for_the_next_decision(
    open_desk: Open, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled
) -> None:
    add_labeled(*[0.4] * 6)
    page = open_desk(anna, **SCREENS["phone"])
    page.route("**/decide/", lambda route: route.abort())
    press(page, *["a"] * 5)
    expect(page, "#message-text").to_contain_text("5 decisions are kept")
    last = page.locator("#text").inner_text()
    Assignment.objects.all().delete()
    for text in Text.objects.exclude(content=last):
        record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    page.unroute("**/decide/")
    expect(page, "#refusals li").to_have_count(5)
    page.locator("#categories [role=option]").nth(1).tap(timeout=5_000)
    expect(page, "#empty-title").to_have_text("Everything is decided.")
    assert Review.objects.filter(reviewer=anna).count() == 1


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
