"""Looks at the audit: what they prove, what makes another one, and what a plan says before."""

from threading import Thread

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection

from labeling import annotations, audits, certification, planning
from labeling.append_only import AppendOnlyError
from labeling.certification import Promise
from labeling.choices import TextStatus
from labeling.models import Category, Certificate, Project, Text
from tests.labeling.certificates import TEXTS, add_machine_labeled, certify, decide, evenly, label_again

pytestmark = pytest.mark.django_db


# --- Certify ----------------------------------------------------------------------------------------------------------


def test_a_certificate_names_a_threshold_and_what_proves_it(
    project: Project, audited: list[Text], manager: User
) -> None:
    made = certify(project, user=manager)
    assert made.threshold is not None
    assert 0.4 < made.threshold < 0.5
    assert (made.population, made.labels, made.audited, made.look, made.level) == (TEXTS, TEXTS, 201, 1, 0.025)
    assert made.upper_bound <= 0.05
    assert made.steps[-1]["passed"] is False
    assert made.steps[-2]["threshold"] == made.threshold
    assert made.created_by == manager
    pool = audits.read_pool(project)
    assert made.left_for_people == int(np.sum(pool.is_open & (pool.confidence < made.threshold)))
    assert made.sentence.startswith("Of the 601 labels of this dataset, at most 5 % are wrong, with 95 % confidence")


def test_precision_speaks_of_the_labels_nobody_has_looked_at(project: Project, audited: list[Text]) -> None:
    made = certify(project, promise="precision", budget=0.1)
    pool = audits.read_pool(project)
    assert made.labels == int(np.sum(pool.is_open & (pool.confidence >= made.threshold)))
    assert "labels that nobody has looked at" in made.sentence


def test_too_few_audits_prove_nothing_and_say_how_many_more(project: Project, manager: User) -> None:
    texts = add_machine_labeled(project, evenly(TEXTS), audit_every=30)
    decide([text for text in texts if text.is_audit], manager)
    made = certify(project)
    assert made.threshold is None
    assert made.left_for_people == 580
    assert made.sentence.startswith("Not proven by 21 audited texts")
    more = certification.more_audits(made)
    assert more is not None
    assert 40 < more < 100


def test_without_model_labels_there_is_nothing_to_certify(project: Project, add_texts) -> None:
    add_texts(project, "Not labeled")
    with pytest.raises(certification.NothingToCertify, match="label_texts"):
        certify(project)


def test_a_lot_that_came_without_audits_is_found(project: Project, audited: list[Text]) -> None:
    add_machine_labeled(project, evenly(400))
    with pytest.raises(certification.UnevenAudit):
        certify(project)
    assert not Certificate.objects.exists()


def test_the_same_question_about_the_same_audit_is_no_new_look(project: Project, audited: list[Text]) -> None:
    assert certify(project) == certify(project)
    assert Certificate.objects.count() == 1


def test_every_other_look_spends_its_part_of_the_doubt(project: Project, audited: list[Text], manager: User) -> None:
    first = certify(project)
    assert certification.next_level(project) == (2, pytest.approx(0.05 / 6))
    decide([text for text in add_machine_labeled(project, evenly(TEXTS), audit_every=3) if text.is_audit], manager)
    second, third = certify(project), certify(project, promise=Promise.PRECISION, budget=0.1)
    assert [made.look for made in (first, second, third)] == [1, 2, 3]
    assert third.level == pytest.approx(0.05 / 12)


def test_a_skipped_audit_text_that_is_corrected_since_makes_a_new_look(
    project: Project, audited: list[Text], weather: Category, manager: User
) -> None:
    text = audited[0]
    annotations.restore(text, label_id=text.current_label_id, status="needs_review")
    Text.objects.filter(pk=text.pk).update(priority=-1.0)
    certify(project)
    decide([text], manager, category=weather)
    assert certify(project).look == 2


def test_a_text_that_is_flagged_since_makes_a_new_look(project: Project, audited: list[Text]) -> None:
    certify(project)
    Text.objects.filter(pk=audited[1].pk).update(status=TextStatus.FLAGGED)
    assert certify(project).look == 2


def test_a_review_outside_of_the_audit_makes_no_new_look(project: Project, audited: list[Text], manager: User) -> None:
    made = certify(project)
    decide(audited[1:2], manager)
    assert certify(project) == made


def test_looks_begin_again_with_labels_made_for_changed_categories(
    project: Project, audited: list[Text], weather: Category
) -> None:
    certify(project)
    Category.objects.filter(pk=weather.pk).update(description="Rain, sun and wind")
    label_again([(audited[1], 0.9)])
    assert certify(project).look == 1


def test_an_edited_category_alone_begins_no_new_looks(project: Project, audited: list[Text], weather: Category) -> None:
    certify(project)
    Category.objects.filter(pk=weather.pk).update(description="Rain, sun and wind")
    assert certification.next_level(project) == (2, pytest.approx(0.05 / 6))
    assert certify(project).look == 2


def test_looks_at_edited_categories_go_on_with_labels_made_for_them(
    project: Project, audited: list[Text], weather: Category
) -> None:
    certify(project)
    Category.objects.filter(pk=weather.pk).update(description="Rain, sun and wind")
    certify(project)
    label_again([(audited[1], 0.9)])
    assert certify(project).look == 3


def test_a_certificate_is_never_changed(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    made.budget = 0.5
    with pytest.raises(AppendOnlyError):
        made.save()


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_one_moment_are_counted_as_two(project: Project, audited: list[Text]) -> None:
    def look(budget: float) -> None:
        certify(project, budget=budget)
        connection.close()

    threads = [Thread(target=look, args=(budget,)) for budget in (0.05, 0.1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Certificate.objects.values_list("look", flat=True)) == [1, 2]


def test_a_look_that_was_expected_to_be_another_is_refused(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    with pytest.raises(certification.LookTaken, match="look 2 now"):
        certify(project, budget=0.1, expected_look=1)
    assert certify(project, expected_look=1) == made  # the same question is no new look
    assert certify(project, budget=0.1, expected_look=2).look == 2


# --- The plan ---------------------------------------------------------------------------------------------------------


def test_the_plan_says_what_each_budget_costs(project: Project, audited: list[Text]) -> None:
    plan = certification.plan(project, seconds_per_text=5.0)
    costs = [row.to_review for row in plan.rows]
    assert costs == sorted(costs, reverse=True)
    assert all(row.low <= row.to_review <= row.high <= plan.open_texts for row in plan.rows)
    assert [row.seconds for row in plan.rows] == [cost * 5.0 for cost in costs]
    assert (plan.texts, plan.open_texts, plan.audits, plan.look) == (601, 400, 201, 1)


def test_the_plan_does_not_look_at_the_answers_of_the_audit(
    project: Project, audited: list[Text], weather: Category, manager: User
) -> None:
    before = certification.plan(project)
    decide([text for text in audited if text.is_audit], manager, category=weather)
    assert certification.plan(project) == before


def test_without_audits_the_plan_promises_nothing(project: Project) -> None:
    add_machine_labeled(project, [0.99] * 300)
    plan = certification.plan(project, (0.05,))
    [row] = plan.rows
    assert "No audit text has been drawn" in plan.note
    assert row.to_review == row.high == 300
    assert row.more_audits is not None
    assert f"at least {row.more_audits} more" in row.note


def test_the_plan_of_a_project_without_labels_is_empty(project: Project) -> None:
    plan = certification.plan(project)
    assert (plan.rows, plan.note) == ((), "No text has a model's label yet.")


def test_of_many_texts_the_plan_reads_a_sample(
    project: Project, audited: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = certification.plan(project)
    monkeypatch.setattr(planning, "MOST_READ", 300)
    sampled = certification.plan(project)
    assert (whole.is_sampled, sampled.is_sampled) == (False, True)
    assert (sampled.audits, sampled.waiting) == (whole.audits, whole.waiting)
    assert abs(sampled.texts - whole.texts) < 3
    for one, other in zip(sampled.rows, whole.rows, strict=True):
        assert abs(one.to_review - other.to_review) <= 0.15 * whole.texts
