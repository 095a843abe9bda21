"""The review desk in a real browser, as a person uses it: by keyboard, by touch, and by everybody."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from labeling import annotations
from labeling.models import Classifier, LabelingRun, Project, Text
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Reviewer
from tests.browser import EVIL, IN_BROWSER, SCREENS, WORDS, expect, faults, fits_the_screen, is_dark, wait_until
from tests.reviews.desk_page import AddLabeled, Open, change_key, made, prediction, press
from tests.vectors import keep

pytestmark = IN_BROWSER


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
    for key, words, after in (
        ("/", "wea", ["Enter"]),
        ("x", "bus", ["Enter"]),
        ("m", "90", ["Enter", "s"]),
        ("f", "two languages", ["Tab", "Enter", "a"]),
    ):
        press(page, key)
        page.keyboard.type(words)
        press(page, *after)
    reviews = made(page, 12)
    said = [review.action for review in reviews]
    rejected_twice = ["reject", "reject"]
    assert said[:8] == ["approve", "approve", "approve", *rejected_twice, "approve", *rejected_twice]
    assert said[8:] == ["modify", "skip", "flag", "approve"]
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
    expect(page, "#progress").to_contain_text("1 of 100 today · 0 waiting")
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


def test_the_desk_has_no_barriers(
    open_desk: Open,
    anna: Reviewer,
    ben: Reviewer,
    project: Project,
    add_texts: Callable[..., list[Text]],
    add_labeled: AddLabeled,
) -> None:
    dress(project, add_texts)
    first, _, blind = Text.objects.order_by("pk")
    record(ben, first.pk, Decision(Action.APPROVE, first.current_label_id, comment="Yes."))
    embed(project, {0: [1.0, 0.0], 1: [0.8, 0.6]})
    Text.objects.filter(pk=blind.pk).update(is_audit=True)
    page = open_desk(anna)
    expect(page, "#similar-texts li").to_have_count(1)
    for summary in page.locator("summary").all():
        summary.click()
    found = faults(page, "text")
    found += faults_of_dialogs(page)
    page.get_by_role("button", name="Filter").click()
    found += faults(page, "filter")
    press(page, "Escape", "/")
    page.keyboard.type("zzz")
    found += faults(page, "search that finds nothing")
    press(page, "Escape", "a")
    expect(page, "#blind").to_be_visible()
    press(page, "a")
    found += faults(page, "blind, with a message")
    press(page, "2")
    page.wait_for_selector("#desk[data-state=empty]")
    found += faults(page, "empty")
    assert found == []


def faults_of_dialogs(page: Page) -> list[str]:
    found: list[str] = []
    for key, dialog in (("?", "help"), ("g", "guidelines"), ("m", "modify"), ("f", "flag"), ("n", "propose")):
        page.locator("#text").focus()
        press(page, key)
        expect(page, f"#{dialog}").to_be_visible()
        found += faults(page, dialog)
        if dialog == "help":
            page.get_by_role("button", name="Change keys").click()
            change_key(page, "Approve the suggested category", "s")
            found += faults(page, "change keys")
        press(page, "Escape")
    return found


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
