"""A second look in a real browser, as a manager takes it."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User

from labeling import suspects
from labeling.models import Project, Text
from reviews.decisions import Decision, record
from reviews.models import Action, Review, Reviewer
from tests.browser import IN_BROWSER, Visit, expect

pytestmark = IN_BROWSER


def test_enter_in_the_comment_decides_nothing(
    visit: Visit,
    boss: User,
    anna: Reviewer,
    project: Project,
    add_labeled: Callable[..., list[Text]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    found = SimpleNamespace(rows=[SimpleNamespace(text_id=text.pk)], note="")
    monkeypatch.setattr(suspects, "possible_mistakes", lambda project, *, limit: found)
    page = visit(boss, f"/admin/review/{project.pk}/second-look/")
    page.get_by_label("Comment").fill("It is about rain")
    page.keyboard.press("Enter")
    page.keyboard.type("not about goals")
    expect(page, "#comment").to_have_value("It is about rain\nnot about goals")
    page.get_by_role("button", name="Weather").click()
    expect(page, ".frame-messages").to_contain_text("You say Weather, it was Sports")
    review = Review.objects.latest("pk")
    assert review.comment.splitlines() == ["It is about rain", "not about goals"]
