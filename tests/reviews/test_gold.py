"""Texts with a known answer, mixed in to score reviewers without telling them."""

import pytest

from labeling.choices import TextStatus
from labeling.models import Label, Project, Text
from reviews import blind, desk, pending, queue
from reviews.decisions import Decision, record
from reviews.filters import NO_FILTERS, Filters
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer
from reviews.queue import Nothing
from reviews.refusals import AlreadyDecided, WrongDecision
from reviews.undoing import undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(project: Project, ben: Reviewer, add_labeled) -> Text:
    """A text that ben decided, and whose answer is taken as known."""
    Project.objects.filter(pk=project.pk).update(gold_share=1.0)
    project.refresh_from_db()
    [text] = add_labeled(0.4)
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    Text.objects.filter(pk=text.pk).update(is_gold=True)
    return Text.objects.get(pk=text.pk)


def claim(reviewer: Reviewer, project: Project, filters: Filters = NO_FILTERS) -> Assignment | Nothing:
    return queue.claim_next(reviewer, project, filters=filters)


def answer(text: Text, name: str) -> Decision:
    return Decision(Action.DECIDE, category_id=text.project.categories.get(name=name).pk)


def test_gold_is_mixed_in_while_other_texts_wait(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3)
    found = claim(anna, project)
    assert isinstance(found, Assignment)
    assert (found.text, found.reason) == (gold, QueueReason.GOLD)


def test_gold_alone_is_no_work(project: Project, gold: Text, anna: Reviewer) -> None:
    assert claim(anna, project) == Nothing("finished", 0)


def test_gold_is_not_shown_where_filters_would_reveal_it(
    project: Project, gold: Text, anna: Reviewer, add_labeled
) -> None:
    [text] = add_labeled(0.3)
    found = claim(anna, project, Filters(min_confidence=0.0))
    assert isinstance(found, Assignment)
    assert found.text == text


def test_gold_is_mixed_in_where_only_the_audit_is_wanted(
    project: Project, gold: Text, anna: Reviewer, add_labeled
) -> None:
    add_labeled(0.3, audit=True)
    found = claim(anna, project, Filters(only_audit=True))
    assert isinstance(found, Assignment)
    assert (found.text, found.reason) == (gold, QueueReason.GOLD)


def test_gold_on_the_desk_stays_there_when_only_the_audit_is_wanted(
    project: Project, gold: Text, anna: Reviewer, add_labeled
) -> None:
    add_labeled(0.3)
    held = claim(anna, project)
    add_labeled(0.3, audit=True)
    assert claim(anna, project, Filters(only_audit=True)) == held


def test_where_only_the_audit_is_wanted_other_texts_are_no_reason_for_gold(
    project: Project, gold: Text, anna: Reviewer, add_labeled
) -> None:
    add_labeled(0.3)
    assert claim(anna, project, Filters(only_audit=True)) == Nothing("filtered_out", 1)


def test_who_does_no_blind_audit_gets_no_gold_for_it(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3, audit=True)
    anna.does_blind_audit = False
    assert claim(anna, project) == Nothing("only_audit", 1)


def test_several_people_may_have_the_same_gold(
    project: Project, gold: Text, anna: Reviewer, add_reviewer, add_labeled
) -> None:
    add_labeled(0.3, 0.3)
    for reviewer in (anna, add_reviewer("cleo"), add_reviewer("dan")):
        found = claim(reviewer, project)
        assert isinstance(found, Assignment)
        assert found.text == gold


def test_nobody_gets_the_same_gold_twice(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    [text] = add_labeled(0.3)
    claim(anna, project)
    record(anna, gold.pk, answer(gold, "Sports"))
    found = claim(anna, project)
    assert isinstance(found, Assignment)
    assert found.text == text


def test_skipped_gold_does_not_come_straight_back(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    [text] = add_labeled(0.3)
    claim(anna, project)
    record(anna, gold.pk, Decision(Action.SKIP))
    found = claim(anna, project)
    assert isinstance(found, Assignment)
    assert found.text == text


def test_gold_whose_skip_was_undone_comes_again(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3)
    claim(anna, project)
    record(anna, gold.pk, Decision(Action.SKIP))
    undo(anna)
    found = claim(anna, project)
    assert isinstance(found, Assignment)
    assert found.text == gold


def test_gold_looks_like_a_text_of_the_blind_audit(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3)
    found = claim(anna, project)
    assert isinstance(found, Assignment)
    shown = desk.text_of(found).as_json()
    assert (shown["is_blind"], shown["reason"]) == (True, "audit")
    assert "label" not in shown and "history" not in shown
    [row] = pending.claim(anna, project, filters=NO_FILTERS, limit=1)
    assert (row.is_blind, row.reason) == (True, "audit")


def test_an_answer_to_gold_changes_nothing_but_the_score(
    project: Project, gold: Text, anna: Reviewer, add_labeled
) -> None:
    add_labeled(0.3)
    claim(anna, project)
    before, labels = Text.objects.values().get(pk=gold.pk), Label.objects.count()
    review = record(anna, gold.pk, answer(gold, "Weather"))
    assert (Text.objects.values().get(pk=gold.pk), Label.objects.count()) == (before, labels)
    assert (review.queue_reason, review.is_blind) == ("gold", True)
    assert review.category_before and review.category_before.name == "Sports"
    assert review.category_after and review.category_after.name == "Weather"


def test_gold_cannot_be_approved_unseen(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3)
    claim(anna, project)
    with pytest.raises(WrongDecision):
        record(anna, gold.pk, Decision(Action.APPROVE, gold.current_label_id))


def test_gold_that_is_not_on_the_desk_is_a_decided_text(gold: Text, anna: Reviewer) -> None:
    with pytest.raises(AlreadyDecided):
        record(anna, gold.pk, answer(gold, "Sports"))


def test_an_answer_to_gold_can_be_undone_after_others_answered(
    project: Project, gold: Text, anna: Reviewer, add_reviewer, add_labeled
) -> None:
    add_labeled(0.3, 0.3)
    cleo = add_reviewer("cleo")
    for reviewer in (anna, cleo):
        claim(reviewer, project)
        record(reviewer, gold.pk, answer(gold, "Weather"))
    undo(anna)
    held = Text.objects.get(pk=gold.pk)
    assert (held.status, held.current_label_id) == (TextStatus.REVIEWED, gold.current_label_id)
    assert Review.objects.effective().filter(text=gold, queue_reason="gold").get().reviewer == cleo


def test_a_flag_on_gold_goes_to_the_manager_and_back(
    project: Project, gold: Text, anna: Reviewer, ben: Reviewer, add_labeled
) -> None:
    add_labeled(0.3)
    claim(anna, project)
    record(anna, gold.pk, Decision(Action.FLAG, comment="two answers are right"))
    assert Text.objects.get(pk=gold.pk).status == TextStatus.FLAGGED
    undo(anna)
    held = Text.objects.get(pk=gold.pk)
    assert (held.status, held.reviewed_by) == (TextStatus.REVIEWED, ben.user)


def test_the_known_answer_stays_hidden_in_reviews(project: Project, gold: Text, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.3)
    claim(anna, project)
    assert blind.hides_label(record(anna, gold.pk, answer(gold, "Weather")))
