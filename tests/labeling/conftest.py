"""Texts that people decided, some of them for an audit, and texts that a run is about to label."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from labeling import runs
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Category, Label, LabelingRun, Project, Text
from tests.labeling import certificates
from tests.labeling.working import NEWS

AddTexts = Callable[..., list[Text]]
Decide = Callable[..., Text]


@pytest.fixture
def decide(project: Project, add_texts) -> Decide:
    """Adds a text that somebody decided."""

    def add(content: str, category: str, *, is_audit: bool = False) -> Text:
        [text] = add_texts(project, content)
        chosen = project.categories.get(name=category)
        label = Label.objects.create(text=text, version=1, category=chosen, origin=LabelOrigin.HUMAN)
        Text.objects.filter(pk=text.pk).update(
            current_label=label, status=TextStatus.REVIEWED, reviewed_at=timezone.now(), is_audit=is_audit
        )
        return text

    return add


@pytest.fixture
def decided(decide: Decide) -> None:
    decide("sports news", "Sports")
    decide("business news", "Business")
    decide("weather report", "Weather", is_audit=True)
    decide("nothing about sports", "Business")


@pytest.fixture
def audited(project: Project, manager: User, weather: Category) -> list[Text]:
    """601 texts, every third audited: below 0.5 the machine is wrong, above it is right."""
    texts = certificates.add_machine_labeled(project, certificates.evenly(certificates.TEXTS), audit_every=3)
    audit = [text for text in texts if text.is_audit]
    certificates.decide([text for text in audit if text.current_label.confidence >= 0.5], manager)
    certificates.decide([text for text in audit if text.current_label.confidence < 0.5], manager, category=weather)
    return texts


@pytest.fixture
def texts(project: Project, add_texts: AddTexts) -> list[Text]:
    """Some news. Files whose tests need other texts make their own."""
    return add_texts(project, *NEWS)


@pytest.fixture
def run(project: Project, texts: list[Text]) -> LabelingRun:
    """Over the texts, with `fake_providers`. Files whose tests need another make their own."""
    return runs.start(project, provider="keyword")
