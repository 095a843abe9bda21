"""Reviewers who answer the same texts, as it would be after long work at the desk."""

from collections.abc import Callable
from typing import Any

import pytest

from labeling.models import Category, Project, Text
from reviews.models import Action, QueueReason, Review, Reviewer

Answer = Callable[..., Review]


@pytest.fixture
def categories(project: Project) -> dict[str, Category]:
    """By first letter: Sports, Business, Weather."""
    return {category.name[0]: category for category in project.categories.all()}


@pytest.fixture
def answer(categories: dict[str, Category]) -> Answer:
    """Writes one review: who says which category (its first letter) of which text."""

    def write(reviewer: Reviewer, text: Text, letter: str, *, known: str = "", **more: Any) -> Review:
        values = {"action": Action.DECIDE, "is_blind": True, "queue_reason": QueueReason.AUDIT, **more}
        before = categories[known] if known else None
        after = categories[letter] if letter else None
        return Review.objects.create(
            text=text,
            reviewer=reviewer,
            category_before=before,
            category_after=after,
            status_before="accepted",
            **values,
        )

    return write


@pytest.fixture
def both_answer(
    anna: Reviewer, ben: Reviewer, answer: Answer, project: Project, add_texts: Callable[..., list[Text]]
) -> Callable[..., list[Text]]:
    """A text for every two letters: what anna says of it, and what ben says."""

    def write(*pairs: str, **more: Any) -> list[Text]:
        start = Text.objects.count()
        texts = add_texts(project, *(f"Text number {start + n}" for n in range(len(pairs))))
        for text, pair in zip(texts, pairs, strict=True):
            answer(anna, text, pair[0], **more)
            answer(ben, text, pair[1], **more)
        return texts

    return write
