"""The review desk in a real browser: what its tests do there, and how a label changes behind its back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labeling import annotations
from labeling.annotations import Prediction
from labeling.models import LabelingRun, Project, Text
from reviews.models import Review
from tests.browser import wait_until

AddLabeled = Callable[..., list[Text]]
Open = Callable[..., Any]


def made(page: Any, count: int) -> list[Review]:
    wait_until(page, lambda: Review.objects.count() == count)
    return list(Review.objects.order_by("pk"))


def press(page: Any, *keys: str) -> None:
    """Press keys as a person does: when a text to decide stands on the screen."""
    for key in keys:
        page.wait_for_selector("#desk[data-state=text][data-seen]")
        page.keyboard.press(key)


def comment(page: Any, words: str) -> None:
    press(page, "c")
    page.keyboard.type(words)
    press(page, "Escape")


def change_key(page: Any, action: str, key: str) -> None:
    page.get_by_label(action, exact=True).focus()
    page.keyboard.press(key)


def replace_label(text: Text, project: Project) -> int:
    """Another run says Weather of the text, which stays on the desk; returns the category."""
    LabelingRun.objects.update(status="succeeded")
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0)
    weather = project.categories.get(name="Weather").pk
    annotations.record_predictions(run, [replace(prediction(text, project), category_id=weather)])
    return weather


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
