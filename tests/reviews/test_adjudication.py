import pytest
from django.contrib.auth.models import User

from labeling import categories, gold
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import adjudication, audit_trail
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer
from reviews.refusals import AlreadyDecided, WrongDecision
from reviews.undoing import undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def disputed(project: Project, anna: Reviewer, ben: Reviewer, add_labeled) -> Text:
    """Anna says Sports, ben says Weather."""
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    [text] = add_labeled(0.4)
    weather = project.categories.get(name="Weather").pk
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    record(ben, text.pk, Decision(Action.REJECT, text.current_label_id, category_id=weather))
    return Text.objects.get(pk=text.pk)


def flag(reviewer: Reviewer, text: Text, proposed: str = "") -> Review:
    return record(reviewer, text.pk, Decision(Action.FLAG, comment="look", proposed_category=proposed))


def flag_as_gold(reviewer: Reviewer, text: Text) -> Review:
    gold.mark(Text.objects.filter(pk=text.pk))
    Assignment.objects.create(text=text, reviewer=reviewer, slot=1, reason="gold")
    return flag(reviewer, text)


def category(project: Project, name: str) -> int:
    return project.categories.get(name=name).pk


def test_a_case_shows_all_answers(project: Project, disputed: Text) -> None:
    [case] = adjudication.cases(project)
    assert case.text == disputed and case.is_disagreement
    assert [(str(a.reviewer), str(a.category_after)) for a in case.answers] == [("anna", "Sports"), ("ben", "Weather")]


def test_an_answer_that_was_undone_is_not_shown(project: Project, anna: Reviewer, add_labeled) -> None:
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    undo(anna)
    flag(anna, text)
    [case] = adjudication.cases(project)
    assert (case.answers, [flag.comment for flag in case.flags], case.is_disagreement) == ([], ["look"], False)


def test_cases_come_in_pages(project: Project, anna: Reviewer, add_labeled) -> None:
    texts = add_labeled(0.4, 0.4, 0.4)
    for text in texts:
        flag(anna, text)
    first = adjudication.cases(project, limit=2)
    rest = adjudication.cases(project, after=first[-1].text.pk, limit=2)
    assert [case.text for case in [*first, *rest]] == texts


def test_the_managers_word_holds_and_stands_in_the_chain(project: Project, disputed: Text, manager: User) -> None:
    review = adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Business"), comment="both")
    held = Text.objects.get(pk=disputed.pk)
    assert (held.status, held.current_label.category.name, held.reviewed_by) == ("reviewed", "Business", manager)
    assert (review.action, review.status_before, str(review.reviewer)) == ("adjudicate", "flagged", "manager")
    audit_trail.seal(everything=True)
    assert audit_trail.verify().problems == []


def test_the_models_label_may_hold_without_a_new_one(project: Project, disputed: Text, manager: User) -> None:
    review = adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Sports"))
    held = Text.objects.get(pk=disputed.pk)
    assert (review.new_label, held.current_label_id, held.status) == (None, disputed.current_label_id, "reviewed")


def test_a_text_is_adjudicated_once(project: Project, disputed: Text, manager: User) -> None:
    adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Sports"))
    with pytest.raises(AlreadyDecided):
        adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Sports"))


def test_a_retired_category_is_refused(project: Project, disputed: Text, manager: User) -> None:
    project.categories.filter(name="Business").update(is_active=False)
    with pytest.raises(WrongDecision):
        adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Business"))


def test_an_adjudication_can_be_undone(project: Project, disputed: Text, manager: User) -> None:
    review = adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Business"))
    undo(review.reviewer, review.pk)
    held = Text.objects.get(pk=disputed.pk)
    assert (held.status, held.current_label_id, held.reviewed_by) == ("flagged", disputed.current_label_id, None)


def test_a_reviewer_cannot_undo_what_a_manager_settled(
    project: Project, disputed: Text, manager: User, anna: Reviewer
) -> None:
    adjudication.adjudicate(manager, disputed.pk, category_id=category(project, "Business"))
    with pytest.raises(AlreadyDecided):
        undo(anna)


def test_a_flagged_text_goes_back_to_the_queue(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_labeled
) -> None:
    [text] = add_labeled(0.4)
    flag(anna, text)
    review = adjudication.return_to_queue(manager, text.pk, comment="it is fine")
    assert Text.objects.get(pk=text.pk).status == TextStatus.NEEDS_REVIEW
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    assert (review.action, Text.objects.get(pk=text.pk).status) == ("return", "reviewed")


@pytest.mark.parametrize("status", [TextStatus.FAILED, TextStatus.UNLABELED])
def test_a_flagged_text_without_a_label_goes_back_to_where_it_was(
    project: Project, anna: Reviewer, manager: User, add_texts, status: TextStatus
) -> None:
    [text] = add_texts(project, "Out of reach")
    Text.objects.update(status=status, error="Refused.")
    flag(anna, text)
    assert adjudication.cases(project)[0].can_go_back
    adjudication.return_to_queue(manager, text.pk)
    held = Text.objects.get()
    assert (held.status, held.current_label, held.error) == (status, None, "Refused.")


def test_what_all_reviewers_answered_differently_without_a_label_does_not_go_back(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_texts
) -> None:
    Project.objects.update(reviews_per_text=2)
    [text] = add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    for reviewer, name in ((anna, "Sports"), (ben, "Weather")):
        record(reviewer, text.pk, Decision(Action.DECIDE, category_id=category(project, name)))
    assert not adjudication.cases(project)[0].can_go_back
    with pytest.raises(WrongDecision, match="all answered"):
        adjudication.return_to_queue(manager, text.pk)


def test_a_return_can_be_undone(project: Project, anna: Reviewer, manager: User, add_labeled) -> None:
    [text] = add_labeled(0.4)
    flag(anna, text)
    review = adjudication.return_to_queue(manager, text.pk)
    undo(review.reviewer, review.pk)
    assert Text.objects.get(pk=text.pk).status == TextStatus.FLAGGED


def test_a_disagreement_does_not_go_back(disputed: Text, manager: User) -> None:
    with pytest.raises(WrongDecision):
        adjudication.return_to_queue(manager, disputed.pk)


def test_proposals_are_counted_in_any_case_of_letters(project: Project, anna: Reviewer, add_labeled) -> None:
    one, two, three = add_labeled(0.4, 0.4, 0.4)
    flag(anna, one, "Politics")
    flag(anna, two, "politics")
    flag(anna, three, "Art")
    assert [(p.name.lower(), p.texts) for p in adjudication.proposals(project)] == [("politics", 2), ("art", 1)]


def test_an_accepted_proposal_is_a_category_of_its_texts(
    project: Project, anna: Reviewer, manager: User, add_labeled
) -> None:
    texts = add_labeled(0.4, 0.4)
    for text in texts:
        flag(anna, text, "Politics")
    made, count = adjudication.accept_proposal(manager, project, "Politics")
    assert (made.name, count) == ("Politics", 2)
    assert set(Text.objects.values_list("current_label__category__name", "status")) == {("Politics", "reviewed")}
    assert adjudication.proposals(project) == []


def test_a_flag_that_was_dismissed_proposes_nothing_any_more(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_labeled
) -> None:
    dismissed, proposed = add_labeled(0.4, 0.4)
    flag(anna, dismissed, "Refunds")
    adjudication.return_to_queue(manager, dismissed.pk)
    flag(ben, dismissed)
    flag(anna, proposed, "Refunds")
    case, _ = adjudication.cases(project)
    assert [str(one.reviewer) for one in case.flags] == ["ben"]
    assert [(p.name, p.texts) for p in adjudication.proposals(project)] == [("Refunds", 1)]
    assert adjudication.accept_proposal(manager, project, "Refunds")[1] == 1
    assert Text.objects.get(pk=dismissed.pk).status == TextStatus.FLAGGED


def test_a_flag_counts_again_when_its_dismissal_is_undone(
    project: Project, anna: Reviewer, manager: User, add_labeled
) -> None:
    [text] = add_labeled(0.4)
    flag(anna, text, "Refunds")
    undo(adjudication.return_to_queue(manager, text.pk).reviewer)
    [case] = adjudication.cases(project)
    assert [str(one.reviewer) for one in case.flags] == ["anna"]
    assert [p.name for p in adjudication.proposals(project)] == ["Refunds"]


def test_a_flag_that_was_adjudicated_proposes_nothing_any_more(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_labeled
) -> None:
    [text] = add_labeled(0.4)
    flag(anna, text, "Refunds")
    adjudication.adjudicate(manager, text.pk, category_id=category(project, "Sports"))
    flag_as_gold(ben, text)
    [case] = adjudication.cases(project)
    assert [str(one.reviewer) for one in case.flags] == ["ben"]
    assert adjudication.proposals(project) == []


def test_a_text_that_is_flagged_again_goes_back_to_where_it_was_last(
    project: Project, anna: Reviewer, ben: Reviewer, manager: User, add_labeled
) -> None:
    [text] = add_labeled(0.4)
    flag(anna, text)
    adjudication.return_to_queue(manager, text.pk)
    record(ben, text.pk, Decision(Action.APPROVE, text.current_label_id))
    flag_as_gold(anna, text)
    adjudication.return_to_queue(manager, text.pk)
    held = Text.objects.get(pk=text.pk)
    assert (held.status, held.current_label_id) == (TextStatus.REVIEWED, text.current_label_id)


def test_a_category_that_exists_is_not_added_again(
    project: Project, anna: Reviewer, manager: User, add_labeled
) -> None:
    flag(anna, add_labeled(0.4)[0], "sports")
    with pytest.raises(categories.WrongCategory):
        adjudication.accept_proposal(manager, project, "sports")
    assert Text.objects.get().status == TextStatus.FLAGGED
