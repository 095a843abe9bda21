import pytest
from django.contrib.auth.models import User

from labeling.models import Project, Text
from reviews import adjudication
from reviews.decisions import Decision, record
from reviews.models import Action, Reviewer
from reviews.refusals import AlreadyDecided
from reviews.second_look import look_again

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(anna: Reviewer, add_labeled) -> Text:
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    return Text.objects.get(pk=text.pk)


def category(project: Project, name: str) -> int:
    return project.categories.get(name=name).pk


def test_the_same_answer_confirms_the_decision(project: Project, decided: Text, manager: User) -> None:
    before = Text.objects.values().get(pk=decided.pk)
    review = look_again(manager, decided.pk, category_id=category(project, "Sports"))
    assert Text.objects.values().get(pk=decided.pk) == before
    assert (review.is_blind, review.queue_reason) == (True, "second_look")


def test_another_answer_makes_it_a_case_with_both(project: Project, decided: Text, manager: User) -> None:
    look_again(manager, decided.pk, category_id=category(project, "Weather"))
    [case] = adjudication.cases(project)
    assert case.is_disagreement
    assert [str(answer.category_after) for answer in case.answers] == ["Sports", "Weather"]


def test_who_decided_may_look_again_at_the_own_decision(project: Project, anna: Reviewer, decided: Text) -> None:
    assert look_again(anna.user, decided.pk, category_id=category(project, "Weather")).reviewer == anna


def test_one_person_looks_again_once(project: Project, decided: Text, manager: User) -> None:
    look_again(manager, decided.pk, category_id=category(project, "Sports"))
    with pytest.raises(AlreadyDecided):
        look_again(manager, decided.pk, category_id=category(project, "Sports"))


def test_an_open_text_has_nothing_to_look_at_again(project: Project, manager: User, add_labeled) -> None:
    with pytest.raises(AlreadyDecided):
        look_again(manager, add_labeled(0.4)[0].pk, category_id=category(project, "Sports"))
