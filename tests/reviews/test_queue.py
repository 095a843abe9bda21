from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import counting
from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import desk, pending, queue
from reviews.decisions import Decision, record
from reviews.filters import NO_FILTERS, Filters
from reviews.models import Action, Assignment, QueueReason, Reviewer
from reviews.queue import Nothing

pytestmark = pytest.mark.django_db


def claimed(answer: Assignment | Nothing) -> Text:
    assert isinstance(answer, Assignment), answer
    return answer.text


def approve(reviewer: Reviewer, text: Text) -> None:
    record(reviewer, text.pk, Decision(Action.APPROVE, label_id=text.current_label_id))


def test_the_least_sure_text_comes_first(project: Project, anna: Reviewer, add_labeled) -> None:
    _, unsure, _ = add_labeled(0.7, 0.4, 0.6)
    assert claimed(queue.claim_next(anna, project)) == unsure


def test_accepted_texts_are_not_asked_for(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.9)
    assert queue.claim_next(anna, project) == Nothing("finished", 0)


def test_two_people_never_get_one_text(project: Project, anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    add_labeled(0.4, 0.5)
    assert claimed(queue.claim_next(anna, project)) != claimed(queue.claim_next(ben, project))


def test_the_text_on_my_desk_comes_back_when_i_reload(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.4, 0.5)
    assert queue.claim_next(anna, project) == queue.claim_next(anna, project)


def test_the_text_after_the_one_shown_can_be_fetched_ahead(project: Project, anna: Reviewer, add_labeled) -> None:
    first, second = add_labeled(0.4, 0.5)
    queue.claim_next(anna, project)
    assert claimed(queue.claim_next(anna, project, besides=[first.pk])) == second


def test_a_claim_expires(project: Project, anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    (text,) = add_labeled(0.4)
    queue.claim_next(anna, project)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claimed(queue.claim_next(ben, project)) == text
    assert Assignment.objects.get().reviewer == ben


def test_a_claim_is_extended_while_the_page_is_open(project: Project, anna: Reviewer, add_labeled) -> None:
    (text,) = add_labeled(0.4)
    soon = timezone.now() + timedelta(seconds=5)
    queue.claim_next(anna, project)
    Assignment.objects.update(expires_at=soon)
    assert queue.extend(anna, [text.pk]) == 1
    assert Assignment.objects.get().expires_at > soon + timedelta(minutes=10)


def test_leaving_gives_the_text_back(project: Project, anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    (text,) = add_labeled(0.4)
    queue.claim_next(anna, project)
    assert queue.release(anna) == 1
    assert claimed(queue.claim_next(ben, project)) == text


def test_an_empty_queue_says_that_others_have_the_rest(
    project: Project, anna: Reviewer, ben: Reviewer, add_labeled
) -> None:
    add_labeled(0.4)
    queue.claim_next(anna, project)
    answer = queue.claim_next(ben, project)
    assert answer == Nothing("on_other_desks", 1)
    assert str(answer) == "1 text is on another desk. It will come back if nobody decides it."
    assert "come back" in str(answer)


def test_an_empty_queue_says_that_filters_hide_the_rest(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.4)
    assert queue.claim_next(anna, project, filters=Filters(source="nowhere")) == Nothing("filtered_out", 1)


def test_a_reviewer_gets_texts_in_languages_they_read(project: Project, anna: Reviewer, add_labeled) -> None:
    german, _ = add_labeled(0.4, 0.3)
    Text.objects.filter(project=project).update(language="en")
    Text.objects.filter(pk=german.pk).update(language="de")
    anna.languages = ["de"]
    assert claimed(queue.claim_next(anna, project)) == german


def test_confidence_can_be_filtered(project: Project, anna: Reviewer, add_labeled) -> None:
    _, wanted = add_labeled(0.3, 0.6)
    assert claimed(queue.claim_next(anna, project, filters=Filters(min_confidence=0.5))) == wanted


def test_the_audit_is_mixed_in(project: Project, anna: Reviewer, add_labeled, monkeypatch: pytest.MonkeyPatch) -> None:
    add_labeled(0.4)
    (audit,) = add_labeled(0.95, audit=True)
    monkeypatch.setattr(queue, "AUDIT_MIX", 1.0)
    answer = queue.claim_next(anna, project)
    assert claimed(answer) == audit
    assert (answer.reason, answer.selection_probability) == (QueueReason.AUDIT, 0.0)


def test_who_wants_only_the_audit_gets_nothing_else(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.4)
    audits = add_labeled(0.2, 0.95, audit=True)
    got = []
    while isinstance(found := queue.claim_next(anna, project, filters=Filters(only_audit=True)), Assignment):
        got.append(found.text)
        category = found.text.current_label.category_id
        record(anna, found.text.pk, Decision(Action.DECIDE, category_id=category))
    assert set(got) == set(audits)
    assert found.reason == "filtered_out"


def test_an_audit_text_is_never_in_the_routine_queue(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.2, audit=True)
    anna.does_blind_audit = False
    assert queue.claim_next(anna, project) == Nothing("only_audit", 1)


def test_who_does_no_blind_audit_is_told_that_only_it_is_left(project: Project, anna: Reviewer, add_labeled) -> None:
    unsure, accepted = add_labeled(0.2, 0.95, audit=True)
    anna.does_blind_audit = False
    found = queue.claim_next(anna, project)
    assert found == Nothing("only_audit", 2)
    assert str(found) == "2 texts are left, all of the blind audit, which only others do."
    Text.objects.filter(pk=unsure.pk).update(status=TextStatus.REVIEWED)
    assert queue.claim_next(anna, project) == Nothing("only_audit", 1)
    Text.objects.filter(pk=accepted.pk).update(status=TextStatus.REVIEWED)
    assert queue.claim_next(anna, project) == Nothing("finished", 0)


def test_the_blind_audit_is_no_text_that_filters_or_desks_keep_from_who_does_none(
    project: Project, anna: Reviewer, ben: Reviewer, add_labeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AUDIT_MIX", 0.0)
    add_labeled(0.2, audit=True)
    [routine] = add_labeled(0.4)
    anna.does_blind_audit = False
    assert queue.claim_next(anna, project, filters=Filters(source="nowhere")) == Nothing("filtered_out", 1)
    assert claimed(queue.claim_next(ben, project)) == routine
    assert queue.claim_next(anna, project) == Nothing("on_other_desks", 1)


def test_a_failed_text_of_the_audit_comes_to_who_does_no_blind_audit(
    project: Project, anna: Reviewer, add_labeled
) -> None:
    [text] = add_labeled(0.2, audit=True)
    Text.objects.update(status=TextStatus.FAILED)
    anna.does_blind_audit = False
    assert queue.claim_next(anna, project, filters=Filters(source="nowhere")) == Nothing("filtered_out", 1)
    assert claimed(queue.claim_next(anna, project)) == text


def test_filters_on_the_label_leave_the_audit_out(project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.2, audit=True)
    assert isinstance(queue.claim_next(anna, project, filters=Filters(max_confidence=0.5)), Nothing)


def test_a_skipped_text_comes_last(project: Project, anna: Reviewer, add_labeled) -> None:
    first, second = add_labeled(0.3, 0.7)
    record(anna, first.pk, Decision(Action.SKIP))
    assert claimed(queue.claim_next(anna, project)) == second
    approve(anna, second)
    assert claimed(queue.claim_next(anna, project)) == first


def test_a_skipped_audit_comes_after_the_others(
    project: Project, anna: Reviewer, add_labeled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AUDIT_MIX", 1.0)
    add_labeled(0.9, 0.9, audit=True)
    first = claimed(queue.claim_next(anna, project))
    record(anna, first.pk, Decision(Action.SKIP))
    assert claimed(queue.claim_next(anna, project)) != first


def test_a_text_that_no_model_could_label_comes_after_all_others(project: Project, anna: Reviewer, add_labeled) -> None:
    failed, unsure = add_labeled(0.4, 0.5)
    Text.objects.filter(pk=failed.pk).update(status=TextStatus.FAILED, current_label=None, error="Refused.")
    assert claimed(queue.claim_next(anna, project)) == unsure
    approve(anna, unsure)
    assert claimed(queue.claim_next(anna, project)) == failed
    assert desk.text_of(Assignment.objects.get()).reason_text == "No model could label it"


def test_texts_that_no_model_has_labeled_yet_are_not_called_decided(
    anna: Reviewer, project: Project, add_texts
) -> None:
    add_texts(project, "Rain is expected.", "Shares fell.")
    answer = queue.claim_next(anna, project)
    assert answer == Nothing("unlabeled", 2)
    assert str(answer).startswith("2 texts have no label yet.")


def test_the_queue_is_not_finished_while_somebody_has_a_text_that_no_model_could_label(
    project: Project, anna: Reviewer, ben: Reviewer, add_texts
) -> None:
    add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    queue.claim_next(anna, project)
    assert queue.claim_next(ben, project) == Nothing("on_other_desks", 1)


def test_a_text_that_no_model_could_label_waits_for_people(project: Project, anna: Reviewer, add_texts) -> None:
    (failed,) = add_texts(project, "Out of reach")
    Text.objects.update(status=TextStatus.FAILED)
    assert counting.waiting_for_people([project.pk]) == {project.pk: 1}
    assert desk.waiting_in(project) == 1
    assert [row.text for row in pending.look(anna, project, filters=NO_FILTERS, limit=5)] == [failed]


def test_a_decided_text_never_comes_back(project: Project, anna: Reviewer, ben: Reviewer, add_labeled) -> None:
    (text,) = add_labeled(0.4)
    approve(anna, text)
    assert queue.claim_next(ben, project) == Nothing("finished", 0)


def test_with_two_reviews_asked_for_two_people_get_the_text(
    project: Project, anna: Reviewer, ben: Reviewer, add_reviewer, add_labeled
) -> None:
    project.reviews_per_text = 2
    project.save()
    (text,) = add_labeled(0.4)
    assert claimed(queue.claim_next(anna, project)) == claimed(queue.claim_next(ben, project)) == text
    assert isinstance(queue.claim_next(add_reviewer("carl"), project), Nothing)


def test_nobody_gets_a_text_twice(project: Project, anna: Reviewer, add_labeled) -> None:
    project.reviews_per_text = 2
    project.save()
    (text,) = add_labeled(0.4)
    approve(anna, text)
    assert isinstance(queue.claim_next(anna, project), Nothing)


def test_claiming_needs_the_same_queries_for_any_number_of_texts(
    project: Project, anna: Reviewer, add_labeled, django_assert_max_num_queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AUDIT_MIX", 0.0)  # the empty audit queue, asked first by chance, is three more
    add_labeled(*[0.5] * 300)
    with django_assert_max_num_queries(12):
        queue.claim_next(anna, project)


def test_a_text_that_is_shown_does_not_come_again_when_its_claim_has_ended(
    project: Project, anna: Reviewer, add_labeled
) -> None:
    [shown] = add_labeled(0.4)
    queue.claim_next(anna, project)
    Assignment.objects.update(expires_at=timezone.now())
    assert isinstance(queue.claim_next(anna, project, besides=[shown.pk]), Nothing)
