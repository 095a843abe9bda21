"""Texts that wait for reviewers, the desk that they come to, and people who are signed in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from labeling import annotations
from labeling.models import LabelingRun, Project, Text
from reviews import queue
from reviews.models import Reviewer
from reviews.similar import forget_all
from tests.browser import Visit
from tests.predictions import predicted
from tests.reviews.asking import Ask, asking, client_of
from tests.reviews.desk_page import AddLabeled, Open


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


@pytest.fixture
def text(add_labeled: AddLabeled) -> Text:
    """One that a model is unsure about."""
    return add_labeled(0.6)[0]


@pytest.fixture
def blind(add_labeled: AddLabeled) -> Text:
    """One that was drawn for the audit."""
    return add_labeled(0.61, audit=True)[0]


@pytest.fixture
def as_anna(anna: Reviewer) -> Ask:
    return asking(client_of(anna.user))


@pytest.fixture
def as_ben(ben: Reviewer) -> Ask:
    return asking(client_of(ben.user))


@pytest.fixture
def open_desk(visit: Visit, project: Project, monkeypatch: pytest.MonkeyPatch) -> Open:
    forget_all()  # vectors of the texts that another test had under the same ids
    monkeypatch.setattr(queue, "AUDIT_MIX", 0.0)  # the blind audit comes last, and not by chance

    def opened(reviewer: Reviewer, *, expects: str = "text", **options: Any) -> Any:
        page = visit(reviewer.user, f"/admin/review/{project.pk}/", **options)
        page.wait_for_selector(f"#desk[data-state={expects}]")
        return page

    return opened


@pytest.fixture
def head(db: None) -> Client:
    """Somebody of the group Managers, not a superuser and not a reviewer, signed in."""
    user = User.objects.create_user("head", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    return client_of(user)


@pytest.fixture
def hers(anna: Reviewer) -> Client:
    """The one of anna, signed in."""
    return client_of(anna.user)
