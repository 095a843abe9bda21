"""What holds after a decision is taken back, when others or later ones stand."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from labeling import annotations, audits, priorities
from labeling.annotations import Prediction
from labeling.choices import TextStatus
from labeling.models import LabelingRun, Project, Text
from reviews import adjudication, queue
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer
from reviews.refusals import AlreadyDecided, NothingToUndo, WrongDecision
from reviews.second_look import look_again
from reviews.undoing import take_back, undo
from tests.predictions import predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(add_labeled) -> Text:
    return add_labeled(0.4)[0]


@pytest.fixture
def by_two(project: Project, text: Text) -> Text:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    project.refresh_from_db()
    return text


def approve(reviewer: Reviewer, text: Text) -> Review:
    return record(reviewer, text.pk, Decision(Action.APPROVE, text.current_label_id))


def prediction(text: Text, **values: object) -> Prediction:
    """The model says Sports again."""
    sports = text.project.categories.get(name="Sports").pk
    return predicted(text.pk, sports, 0.9, **values)


def now(text: Text) -> Text:
    return Text.objects.get(pk=text.pk)


def test_an_older_review_waits_for_the_newer_one_to_be_undone(anna: Reviewer, text: Text) -> None:
    skipped = record(anna, text.pk, Decision(Action.SKIP))
    approved = approve(anna, text)
    with pytest.raises(NothingToUndo, match="Undo that first"):
        undo(anna, skipped.pk)
    undo(anna, approved.pk)
    undo(anna, skipped.pk)
    assert now(text).status == TextStatus.NEEDS_REVIEW


def test_the_flag_of_another_stands(anna: Reviewer, ben: Reviewer, by_two: Text) -> None:
    approve(anna, by_two)
    record(ben, by_two.pk, Decision(Action.FLAG, comment="odd"))
    with pytest.raises(AlreadyDecided):
        undo(anna)
    assert now(by_two).status == TextStatus.FLAGGED


def test_the_skip_of_another_stands(anna: Reviewer, ben: Reviewer, text: Text) -> None:
    record(anna, text.pk, Decision(Action.SKIP))
    record(ben, text.pk, Decision(Action.SKIP))
    undo(anna)
    assert now(text).priority < 0
    undo(ben)
    assert now(text).priority >= 0


@pytest.mark.parametrize(("strategy", "priority"), [("diverse_margin", 0.8), ("least_confidence", 0.6)])
def test_a_skip_taken_back_gives_the_place_by_the_strategy(
    project: Project, anna: Reviewer, text: Text, strategy: str, priority: float
) -> None:
    Project.objects.filter(pk=project.pk).update(sampling=strategy)
    record(anna, text.pk, Decision(Action.SKIP))
    undo(anna)
    assert now(text).priority == pytest.approx(priority)


def test_a_skip_taken_back_of_a_text_without_a_label_puts_it_before_the_skipped_ones(
    project: Project, anna: Reviewer, add_texts: Callable[..., list[Text]]
) -> None:
    [failed] = add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    record(anna, failed.pk, Decision(Action.SKIP))
    undo(anna)
    assert now(failed).priority == priorities.LEAST


def test_a_text_that_was_skipped_before_its_first_label_waits_for_the_audit(
    project: Project, anna: Reviewer, add_texts: Callable[..., list[Text]]
) -> None:
    [failed] = add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    record(anna, failed.pk, Decision(Action.SKIP))
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=1.0)
    annotations.record_predictions(run, [prediction(failed, is_audit=True)])
    pool = audits.read_pool(project)
    assert (now(failed).priority >= 0, pool.waiting, pool.is_audited.tolist()) == (True, 1, [False])


def test_who_decided_is_known_again(project: Project, anna: Reviewer, manager: User, text: Text) -> None:
    first = approve(anna, text)
    weather, business = (project.categories.get(name=name).pk for name in ("Weather", "Business"))
    look = look_again(manager, text.pk, category_id=weather)
    settled = adjudication.adjudicate(manager, text.pk, category_id=business)
    undo(settled.reviewer, settled.pk)
    undo(look.reviewer, look.pk)
    held = now(text)
    assert (held.status, held.reviewed_by, held.reviewed_at) == ("reviewed", anna.user, first.created_at)


def test_gold_whose_decision_is_undone_is_gold_no_more(anna: Reviewer, text: Text) -> None:
    approve(anna, text)
    Text.objects.filter(pk=text.pk).update(is_gold=True)
    undo(anna)
    assert not now(text).is_gold


def test_a_manager_gets_no_claim_back(project: Project, anna: Reviewer, manager: User, text: Text) -> None:
    record(anna, text.pk, Decision(Action.FLAG, comment="odd"))
    settled = adjudication.adjudicate(manager, text.pk, category_id=project.categories.get(name="Weather").pk)
    _, claim = take_back(settled.reviewer, settled.pk)
    assert claim is None and not Assignment.objects.exists()


def test_a_closed_text_is_not_served_again(project: Project, anna: Reviewer, ben: Reviewer, by_two: Text) -> None:
    for reviewer in (anna, ben):
        assert isinstance(queue.claim_next(reviewer, project), Assignment)
    record(anna, by_two.pk, Decision(Action.FLAG, comment="odd"))
    assert not isinstance(queue.claim_next(ben, project), Assignment)


def test_gold_that_was_flagged_stays_decided_when_the_flag_is_dismissed(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_labeled
) -> None:
    gold, _ = add_labeled(0.3, 0.4)
    approve(ben, gold)
    Text.objects.filter(pk=gold.pk).update(is_gold=True)
    Assignment.objects.create(text=gold, reviewer=anna, reason="gold")
    record(anna, gold.pk, Decision(Action.FLAG, comment="odd"))
    adjudication.return_to_queue(manager, gold.pk)
    assert (now(gold).status, now(gold).is_gold) == (TextStatus.REVIEWED, True)


def test_what_all_reviewers_answered_does_not_go_back(
    project: Project, anna: Reviewer, manager: User, text: Text
) -> None:
    approve(anna, text)
    look_again(manager, text.pk, category_id=project.categories.get(name="Weather").pk)
    with pytest.raises(WrongDecision, match="all answered"):
        adjudication.return_to_queue(manager, text.pk)


@pytest.mark.parametrize("action", [Action.ADJUDICATE, Action.RETURN, Action.UNDO])
def test_what_is_a_managers_is_refused_at_the_desk(anna: Reviewer, text: Text, action: Action) -> None:
    with pytest.raises(WrongDecision):
        record(anna, text.pk, Decision(action, text.current_label_id))
    assert now(text).status == TextStatus.NEEDS_REVIEW


def test_a_model_does_not_label_over_the_first_of_two_answers(project: Project, anna: Reviewer, by_two: Text) -> None:
    approve(anna, by_two)
    LabelingRun.objects.update(status="succeeded")
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.1, audit_share=0.0, relabel=True)
    assert annotations.record_predictions(run, [prediction(by_two)]) == 0
    undo(anna)
    assert annotations.record_predictions(run, [prediction(by_two)]) == 1


def test_a_new_label_leaves_a_skipped_text_at_the_end_and_draws_no_audit(
    project: Project, anna: Reviewer, text: Text
) -> None:
    record(anna, text.pk, Decision(Action.SKIP))
    LabelingRun.objects.update(status="succeeded")
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=1.0, relabel=True)
    annotations.record_predictions(run, [prediction(text, is_audit=True)])
    assert (now(text).priority, now(text).is_audit) == (-1.0, False)
