import pytest

from labeling import annotations, priorities
from labeling.choices import LabelOrigin, RunStatus, TextStatus
from labeling.models import Category, Label, LabelingRun, Project, Text
from reviews import decisions, queue
from reviews.access import NotYourProject
from reviews.decisions import Decision, record
from reviews.filters import NO_FILTERS
from reviews.hashing import content_hash
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer
from reviews.refusals import AlreadyDecided, LabelReplaced, NothingToUndo, OnAnotherDesk, WrongDecision
from reviews.undoing import undo
from tests.predictions import predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(add_labeled) -> Text:
    return add_labeled(0.4)[0]


@pytest.fixture
def business(project: Project) -> Category:
    return project.categories.get(name="Business")


def approve(text: Text, **values: object) -> Decision:
    return Decision(Action.APPROVE, label_id=text.current_label_id, **values)  # type: ignore[arg-type]


def reject(text: Text, category: Category) -> Decision:
    return Decision(Action.REJECT, label_id=text.current_label_id, category_id=category.pk)


def test_approving_keeps_the_model_label_and_names_the_person(anna: Reviewer, text: Text) -> None:
    review = record(anna, text.pk, approve(text, comment="clear"))
    after = Text.objects.get(pk=text.pk)
    assert (after.status, after.current_label, after.reviewed_by) == ("reviewed", text.current_label, anna.user)
    assert (review.comment, review.new_label, Label.objects.count()) == ("clear", None, 1)


def test_rejecting_writes_the_person_s_label(anna: Reviewer, text: Text, business: Category) -> None:
    review = record(anna, text.pk, reject(text, business))
    label = Text.objects.get(pk=text.pk).current_label
    assert (label.category, label.origin, label.annotator) == (business, LabelOrigin.HUMAN, anna.user)
    assert (label.version, label.confidence, review.new_label) == (2, None, label)
    assert (review.category_before.name, review.category_after) == ("Sports", business)


def test_an_older_category_than_the_label_s_is_written_as_well(
    project: Project, anna: Reviewer, text: Text, business: Category
) -> None:
    sports = project.categories.get(name="Sports")
    project.runs.update(status=RunStatus.SUCCEEDED)
    run = LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0, relabel=True)
    annotations.record_predictions(run, [predicted(text.pk, business.pk, 0.5)])
    text.refresh_from_db()
    assert sports.pk < business.pk == text.current_label.category_id
    record(anna, text.pk, reject(text, sports))
    assert Text.objects.get(pk=text.pk).current_label.category == sports


def test_modifying_the_confidence_keeps_the_category(anna: Reviewer, text: Text) -> None:
    record(anna, text.pk, Decision(Action.MODIFY, label_id=text.current_label_id, confidence=0.6))
    label = Text.objects.get(pk=text.pk).current_label
    assert (label.category.name, label.confidence, label.origin) == ("Sports", 0.6, LabelOrigin.HUMAN)


def test_two_people_who_choose_a_text_themselves_take_two_places(
    project: Project, anna: Reviewer, ben: Reviewer, text: Text
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2, overlap_share=1.0)
    first, second = (record(person, text.pk, approve(text)) for person in (anna, ben))
    assert (first.slot, second.slot) == (0, 1)


def test_a_decision_that_fails_on_its_way_leaves_nothing_behind(
    anna: Reviewer, text: Text, business: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **values: object) -> None:
        raise RuntimeError("The machine is switched off.")

    monkeypatch.setattr(decisions, "_apply", fail)
    with pytest.raises(RuntimeError):
        record(anna, text.pk, reject(text, business))
    assert (Review.objects.count(), Label.objects.count()) == (0, 1)


def test_flagging_takes_the_text_out_of_the_queue(project: Project, anna: Reviewer, text: Text) -> None:
    record(anna, text.pk, Decision(Action.FLAG, comment="two topics"))
    assert Text.objects.get(pk=text.pk).status == TextStatus.FLAGGED
    assert isinstance(queue.claim_next(anna, project), queue.Nothing)


def test_a_skipped_text_comes_after_those_that_are_least_urgent(project: Project, anna: Reviewer, add_labeled) -> None:
    skipped, least = add_labeled(0.4, 0.4)
    Text.objects.filter(pk=least.pk).update(priority=priorities.LEAST)
    record(anna, skipped.pk, Decision(Action.SKIP))
    assert list(queue.candidates(anna, project, QueueReason.UNCERTAIN, NO_FILTERS)) == [least, skipped]


def test_deciding_clears_the_desk(project: Project, anna: Reviewer, text: Text) -> None:
    queue.claim_next(anna, project)
    record(anna, text.pk, approve(text))
    assert not Assignment.objects.exists()


def test_a_review_keeps_what_was_shown_and_why(project: Project, anna: Reviewer, text: Text) -> None:
    queue.claim_next(anna, project)
    review = record(anna, text.pk, approve(text, seconds_spent=3.5))
    assert (review.label, review.confidence_before, review.is_blind) == (text.current_label, 0.4, False)
    assert (review.queue_reason, review.seconds_spent) == ("uncertain", 3.5)


def test_the_same_key_again_is_the_same_review(anna: Reviewer, text: Text) -> None:
    decision = approve(text, idempotency_key="k-1")
    assert record(anna, text.pk, decision) == record(anna, text.pk, decision)
    assert Review.objects.count() == 1


def test_a_second_person_learns_who_decided(anna: Reviewer, ben: Reviewer, text: Text, business: Category) -> None:
    first = record(anna, text.pk, reject(text, business))
    with pytest.raises(AlreadyDecided, match="anna has decided") as conflict:
        record(ben, text.pk, approve(text))
    assert conflict.value.review == first
    assert Review.objects.count() == 1


def test_a_text_on_another_desk_cannot_be_decided(project: Project, anna: Reviewer, ben: Reviewer, text: Text) -> None:
    queue.claim_next(anna, project)
    with pytest.raises(OnAnotherDesk):
        record(ben, text.pk, approve(text))


def replace_label(text: Text, category: Category) -> Label:
    newer = Label.objects.create(text=text, version=2, category=category, origin=LabelOrigin.MODEL, confidence=0.5)
    Text.objects.filter(pk=text.pk).update(current_label=newer)
    return newer


def test_a_label_that_was_replaced_by_another_category_cannot_be_judged(
    anna: Reviewer, project: Project, text: Text
) -> None:
    replace_label(text, project.categories.exclude(pk=text.current_label.category_id)[0])
    with pytest.raises(LabelReplaced):
        record(anna, text.pk, approve(text))


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT])
def test_a_judgement_holds_of_the_newer_label_that_says_the_same(
    anna: Reviewer, project: Project, text: Text, action: Action
) -> None:
    shown = text.current_label
    newer = replace_label(text, shown.category)
    other = project.categories.exclude(pk=shown.category_id)[0].pk if action == Action.REJECT else None
    review = record(anna, text.pk, Decision(action, label_id=shown.pk, category_id=other))
    assert (review.label, review.confidence_before) == (newer, 0.5)


def test_rejecting_needs_another_category(anna: Reviewer, text: Text) -> None:
    with pytest.raises(WrongDecision, match="right category"):
        record(anna, text.pk, Decision(Action.REJECT, label_id=text.current_label_id))
    with pytest.raises(WrongDecision, match="Approve it"):
        record(anna, text.pk, reject(text, text.current_label.category))


def test_a_retired_category_cannot_be_chosen(anna: Reviewer, text: Text, business: Category) -> None:
    Category.objects.filter(pk=business.pk).update(is_active=False)
    with pytest.raises(WrongDecision, match="not an active category"):
        record(anna, text.pk, reject(text, business))


def test_a_category_of_another_project_cannot_be_chosen(anna: Reviewer, text: Text) -> None:
    other = Category.objects.create(project=Project.objects.create(name="Other"), name="Business")
    with pytest.raises(WrongDecision):
        record(anna, text.pk, reject(text, other))
    assert not Review.objects.exists()


def test_a_reviewer_of_another_project_is_refused(project: Project, anna: Reviewer, text: Text) -> None:
    anna.projects.remove(project)
    with pytest.raises(NotYourProject):
        record(anna, text.pk, approve(text))


def test_the_blind_audit_is_decided_without_the_label(anna: Reviewer, add_labeled, business: Category) -> None:
    (audit,) = add_labeled(0.95, audit=True)
    with pytest.raises(WrongDecision, match="blind audit"):
        record(anna, audit.pk, approve(audit))
    review = record(anna, audit.pk, Decision(Action.DECIDE, category_id=business.pk))
    assert (review.is_blind, review.label, review.category_after) == (True, audit.current_label, business)


def test_a_blind_decision_that_agrees_writes_no_label(anna: Reviewer, add_labeled) -> None:
    (audit,) = add_labeled(0.95, audit=True)
    record(anna, audit.pk, Decision(Action.DECIDE, category_id=audit.current_label.category_id))
    after = Text.objects.get(pk=audit.pk)
    assert (after.status, after.current_label_id, Label.objects.count()) == ("reviewed", audit.current_label_id, 1)


# --- Undo -------------------------------------------------------------------------------------------------------------


def test_undo_lets_hold_what_held_before(anna: Reviewer, text: Text, business: Category) -> None:
    first = record(anna, text.pk, reject(text, business))
    second = undo(anna)
    after = Text.objects.get(pk=text.pk)
    assert (after.status, after.current_label, after.reviewed_by) == ("needs_review", text.current_label, None)
    assert (second.action, second.reverts, Review.objects.count()) == (Action.UNDO, first, 2)


def test_undoing_a_skip_brings_the_text_back_to_its_place(anna: Reviewer, text: Text) -> None:
    record(anna, text.pk, Decision(Action.SKIP))
    assert Text.objects.get(pk=text.pk).priority == decisions.SKIPPED
    undo(anna)
    assert Text.objects.get(pk=text.pk).priority == text.priority


def test_undo_does_not_bring_back_a_label_that_a_run_replaced(anna: Reviewer, text: Text) -> None:
    record(anna, text.pk, Decision(Action.SKIP))
    newer = Label.objects.create(
        text=text, version=2, category=text.current_label.category, origin=LabelOrigin.MODEL, confidence=0.5
    )
    Text.objects.filter(pk=text.pk).update(current_label=newer)
    undo(anna)
    assert Text.objects.get(pk=text.pk).current_label == newer


def test_an_undone_text_can_be_decided_again(anna: Reviewer, text: Text, business: Category) -> None:
    record(anna, text.pk, reject(text, business))
    undo(anna)
    record(anna, text.pk, approve(text))
    assert Text.objects.get(pk=text.pk).status == "reviewed"


def test_undo_goes_back_one_decision_at_a_time(anna: Reviewer, add_labeled) -> None:
    one, two = add_labeled(0.4, 0.5)
    record(anna, one.pk, approve(one))
    record(anna, two.pk, approve(two))
    assert undo(anna).text == two
    assert undo(anna).text == one
    with pytest.raises(NothingToUndo):
        undo(anna)


def test_nobody_undoes_the_decision_of_another(anna: Reviewer, ben: Reviewer, text: Text) -> None:
    review = record(anna, text.pk, approve(text))
    with pytest.raises(NothingToUndo):
        undo(ben, review.pk)


# --- More than one review asked for -----------------------------------------------------------------------------------


@pytest.fixture
def doubled(project: Project, text: Text) -> Text:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    return text


def test_one_of_two_reviews_does_not_settle_the_text_and_is_noted(anna: Reviewer, doubled: Text) -> None:
    review = record(anna, doubled.pk, approve(doubled))
    after = Text.objects.get(pk=doubled.pk)
    assert (after.status, after.reviewed_at) == ("needs_review", review.created_at)


def test_two_that_agree_settle_the_text(anna: Reviewer, ben: Reviewer, doubled: Text) -> None:
    record(anna, doubled.pk, approve(doubled))
    record(ben, doubled.pk, approve(doubled))
    assert Text.objects.get(pk=doubled.pk).status == "reviewed"


def test_two_that_disagree_leave_it_to_a_manager(
    anna: Reviewer, ben: Reviewer, doubled: Text, business: Category
) -> None:
    record(anna, doubled.pk, approve(doubled))
    record(ben, doubled.pk, reject(doubled, business))
    after = Text.objects.get(pk=doubled.pk)
    assert (after.status, after.current_label) == ("flagged", doubled.current_label)


def test_a_content_hash_can_be_computed_again_from_the_row(anna: Reviewer, text: Text) -> None:
    review = record(anna, text.pk, approve(text, comment="ü 🙂"))
    assert content_hash(Review.objects.get(pk=review.pk)) == review.content_hash


def test_a_text_that_no_model_could_label_is_decided_at_the_desk(project: Project, anna: Reviewer, add_texts) -> None:
    (text,) = add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    queue.claim_next(anna, project)
    record(anna, text.pk, Decision(Action.DECIDE, category_id=project.categories.get(name="Sports").pk))
    text.refresh_from_db()
    assert (text.status, text.current_label.category.name) == (TextStatus.REVIEWED, "Sports")
