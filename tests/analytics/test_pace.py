from collections.abc import Callable

import pytest

from analytics import pace
from labeling.models import Project, Text
from reviews.models import Action, Reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(project: Project, add_texts: Callable[..., list[Text]]) -> list[Text]:
    return add_texts(project, *(f"Text number {n}" for n in range(5)))


def test_without_measured_time_there_is_no_pace(project: Project, anna: Reviewer, texts: list[Text], answer) -> None:
    answer(anna, texts[0], "S")
    assert pace.of_project(project) == pace.Pace(None, 0)


def test_the_pace_is_the_median(project: Project, anna: Reviewer, texts: list[Text], answer) -> None:
    for text, seconds in zip(texts, (2.0, 3.0, 600.0), strict=False):
        answer(anna, text, "S", seconds_spent=seconds)
    assert pace.of_project(project) == pace.Pace(3.0, 3)


def test_only_answers_to_texts_of_the_project_count(
    project: Project, anna: Reviewer, texts: list[Text], answer, add_texts
) -> None:
    [foreign] = add_texts(Project.objects.create(name="Mail"), "Elsewhere")
    answer(anna, foreign, "S", seconds_spent=9.0)
    answer(anna, texts[0], "", action=Action.SKIP, seconds_spent=9.0)
    answer(anna, texts[1], "S", seconds_spent=2.0)
    assert pace.of_project(project) == pace.Pace(2.0, 1)


def test_the_newest_decisions_count(
    project: Project, anna: Reviewer, texts: list[Text], answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "ENOUGH", 2)
    for text, seconds in zip(texts, (90.0, 2.0, 4.0), strict=False):
        answer(anna, text, "S", seconds_spent=seconds)
    assert pace.of_project(project) == pace.Pace(3.0, 2)


def test_an_undone_decision_does_not_count(project: Project, anna: Reviewer, texts: list[Text], answer) -> None:
    made = answer(anna, texts[0], "S", seconds_spent=2.0)
    answer(anna, texts[0], "", action=Action.UNDO, reverts=made)
    assert pace.of_project(project).decisions == 0
