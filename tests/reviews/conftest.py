"""Reviewers, and texts that wait for them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User

from labeling import annotations
from labeling.models import LabelingRun, Project, Text
from reviews.models import Reviewer
from tests.predictions import predicted

AddLabeled = Callable[..., list[Text]]


@pytest.fixture
def add_reviewer(project: Project) -> Callable[[str], Reviewer]:
    def add(name: str) -> Reviewer:
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name="Reviewers"))
        reviewer = Reviewer.objects.create(user=user)
        reviewer.projects.add(project)
        return reviewer

    return add


@pytest.fixture
def anna(add_reviewer: Callable[[str], Reviewer]) -> Reviewer:
    return add_reviewer("anna")


@pytest.fixture
def ben(add_reviewer: Callable[[str], Reviewer]) -> Reviewer:
    return add_reviewer("ben")


@pytest.fixture
def add_labeled(project: Project, add_texts: Callable[..., list[Text]]) -> AddLabeled:
    """Adds texts that a model labeled Sports, each with the confidence given."""

    def add(*confidences: float, audit: bool = False) -> list[Text]:
        first = Text.objects.count()
        texts = add_texts(project, *(f"Match number {first + n}" for n in range(len(confidences))))
        run, _ = LabelingRun.objects.get_or_create(
            project=project, defaults={"provider": "keyword", "threshold": 0.8, "audit_share": 0.05}
        )
        sports = project.categories.get(name="Sports").pk
        annotations.record_predictions(
            run,
            [
                predicted(
                    text.pk,
                    sports,
                    confidence,
                    explanation=f"Sports {confidence:.2f}",
                    evidence=[(0, 5, 1.0)],
                    is_audit=audit,
                )
                for text, confidence in zip(texts, confidences, strict=True)
            ],
        )
        return list(Text.objects.filter(pk__in=[text.pk for text in texts]).order_by("pk"))

    return add
