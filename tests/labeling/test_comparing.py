import pytest

from labeling import comparing
from labeling.models import Embedding, Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


def test_each_provider_is_measured_on_the_same_texts(project: Project, decided: None) -> None:
    found = comparing.compare(project, ["keyword", "scores"])
    assert (found.texts, found.audited) == (4, 1)
    encoder, scores = found.providers
    assert (encoder.answered, encoder.accuracy) == (4, 0.75)
    assert (scores.answered, scores.accuracy) == (4, 0.75)
    assert scores.confidence_source == "probabilities"
    assert scores.accuracy_interval is not None and scores.accuracy_interval[0] < 0.75 < scores.accuracy_interval[1]
    assert found.agreement == (("keyword", "scores", 1.0),)


def test_a_provider_that_answers_nothing_says_why(project: Project, decided: None) -> None:
    [broken] = comparing.compare(project, ["broken"]).providers
    assert (broken.answered, broken.failed, broken.accuracy) == (0, 4, None)
    assert broken.error == "The server does not answer. Start it."


def test_texts_without_an_answer_are_left_out_and_counted(project: Project, decided: None) -> None:
    [talkative] = comparing.compare(project, ["talkative"]).providers
    assert (talkative.answered, talkative.failed, talkative.accuracy) == (3, 1, 1.0)
    assert talkative.error == "It says nothing."


def test_tokens_and_cost_are_counted(project: Project, decided: None) -> None:
    Project.objects.filter(pk=project.pk).update(prompt_price=10, completion_price=10)
    project.refresh_from_db()
    [priced] = comparing.compare(project, ["priced"]).providers
    assert (priced.tokens, priced.cost) == (4_000, pytest.approx(0.04))


def test_what_was_asked_before_costs_nothing_and_has_no_speed(project: Project, decided: None) -> None:
    comparing.compare(project, ["priced"])
    [again] = comparing.compare(project, ["priced"]).providers
    assert (again.tokens, again.texts_per_second) == (0, None)
    assert Embedding.objects.count() == 4


def test_the_blind_audit_comes_first(project: Project, decided: None) -> None:
    found = comparing.compare(project, ["keyword"], sample=1)
    assert (found.texts, found.audited) == (1, 1)


def test_without_decided_texts_the_next_step_is_said(project: Project) -> None:
    with pytest.raises(comparing.NothingToCompareOn, match="Review some"):
        comparing.compare(project, ["keyword"])
