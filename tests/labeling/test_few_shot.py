from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from labeling.few_shot import FewShot
from labeling.models import Project, Text
from labeling.providers.base import Example

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture(autouse=True)
def encoder(settings: LazySettings) -> None:
    settings.LABELING_ENCODER = "keyword"


def chosen(project: Project, text: str, count: int) -> list[Example]:
    [examples] = few_shot(project, count, timezone.now() + timedelta(seconds=1))([text])
    return examples


def few_shot(project: Project, count: int, until: datetime) -> FewShot:
    names = {category.pk: category.name for category in project.active_categories()}
    return FewShot(project, count=count, until=until, names=names)


def test_the_most_similar_decided_text_is_chosen(project: Project, decide) -> None:
    decide("rain on monday", "Weather")
    decide("match on sunday", "Sports")
    assert chosen(project, "the match", 1) == [Example("match on sunday", "Sports")]


def test_no_category_is_ahead_of_the_others(project: Project, decide) -> None:
    for day in ("monday", "tuesday", "friday"):
        decide(f"match on {day}", "Sports")
    decide("rain all day", "Weather")
    categories = {example.category for example in chosen(project, "match on monday evening", 2)}
    assert categories == {"Sports", "Weather"}


def test_the_most_similar_one_comes_last(project: Project, decide) -> None:
    decide("match", "Sports")
    decide("rain", "Weather")
    assert [example.text for example in chosen(project, "a match", 2)] == ["rain", "match"]


def test_a_text_is_no_example_for_itself(project: Project, decide) -> None:
    decide("match on sunday", "Sports")
    assert chosen(project, "match on sunday", 1) == []


def test_what_judges_is_never_shown(project: Project, decide) -> None:
    decide("match of the audit", "Sports", is_audit=True)
    gold = decide("match of gold", "Sports")
    Text.objects.filter(pk=gold.pk).update(is_gold=True)
    assert chosen(project, "match", 5) == []


def test_what_is_decided_later_changes_nothing(project: Project, decide) -> None:
    decide("match on sunday", "Sports")
    until = timezone.now()
    before = few_shot(project, 2, until).key
    decide("match on friday", "Sports")
    assert few_shot(project, 2, until).key == before
    assert few_shot(project, 2, timezone.now()).key != before


def test_without_decisions_there_are_no_examples(project: Project) -> None:
    assert chosen(project, "match", 3) == []
