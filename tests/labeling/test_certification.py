from threading import Thread

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection

from labeling import annotations, audits, certification, execution, planning, runs, training
from labeling.append_only import AppendOnlyError
from labeling.certification import Promise
from labeling.choices import TextStatus
from labeling.models import Category, Certificate, Embedding, Label, LabelingRun, Project, Text
from tests.labeling.certificates import add_machine_labeled, decide, evenly, label_again

pytestmark = pytest.mark.django_db

TEXTS = 601


@pytest.fixture
def weather(project: Project) -> Category:
    return project.categories.get(name="Weather")


@pytest.fixture
def audited(project: Project, manager: User, weather: Category) -> list[Text]:
    """601 texts, every third audited: below 0.5 the machine is wrong, above it is right."""
    texts = add_machine_labeled(project, evenly(TEXTS), audit_every=3)
    audit = [text for text in texts if text.is_audit]
    decide([text for text in audit if text.current_label.confidence >= 0.5], manager)
    decide([text for text in audit if text.current_label.confidence < 0.5], manager, category=weather)
    return texts


def certify(project: Project, **options) -> Certificate:
    return certification.certify(project, **{"promise": Promise.DATASET, "budget": 0.05} | options)


def in_the_order_of_the_desk(texts: list[Text]) -> list[Text]:
    return sorted(texts, key=lambda text: text.content_hash)


# --- What is read -----------------------------------------------------------------------------------------------------


def test_the_pool_is_every_text_that_a_model_labeled(project: Project, audited: list[Text], add_texts) -> None:
    add_texts(project, "Nobody has read this yet")
    [imported] = add_texts(project, "A label came with this")
    annotations.record_imported_labels([(imported, project.categories.get(name="Weather"))], source="old system")
    pool = audits.read_pool(project)
    assert pool.ids.tolist() == [text.pk for text in audited]
    assert (pool.is_audited.sum(), pool.delivered, pool.waiting) == (201, TEXTS, 0)


def test_an_audited_label_is_wrong_where_a_person_held_another_category(project: Project, audited: list[Text]) -> None:
    pool = audits.read_pool(project)
    assert pool.is_wrong.tolist() == (pool.is_audited & (pool.confidence < 0.5)).tolist()


def test_confidence_is_the_machines_also_where_a_person_corrected_it(project: Project, audited: list[Text]) -> None:
    assert sorted(audits.read_pool(project).confidence) == sorted(evenly(TEXTS))


def test_texts_decided_outside_of_the_audit_are_settled(project: Project, audited: list[Text], manager: User) -> None:
    decide(audited[1:2], manager)
    pool = audits.read_pool(project)
    assert pool.ids[pool.is_settled].tolist() == [audited[1].pk]


def test_an_audit_text_that_was_skipped_or_flagged_counts_as_wrong(project: Project) -> None:
    texts = add_machine_labeled(project, [0.9, 0.9, 0.9], audit_every=1)
    skipped, flagged, waiting = in_the_order_of_the_desk(texts)
    Text.objects.filter(pk=skipped.pk).update(priority=-1.0)
    Text.objects.filter(pk=flagged.pk).update(status=TextStatus.FLAGGED)
    pool = audits.read_pool(project)
    assert pool.is_audited.tolist() == pool.is_wrong.tolist() == (pool.ids != waiting.pk).tolist()
    assert pool.delivered == 2


def test_an_audit_text_that_was_passed_over_counts_as_wrong(project: Project, manager: User) -> None:
    first, second, third = in_the_order_of_the_desk(add_machine_labeled(project, [0.9, 0.9, 0.9], audit_every=1))
    decide([second], manager)
    pool = audits.read_pool(project)
    assert pool.ids[pool.is_passed_over].tolist() == [first.pk]
    assert sorted(pool.ids[pool.is_audited]) == sorted([first.pk, second.pk])
    assert pool.ids[pool.is_wrong].tolist() == [first.pk]
    assert not pool.is_audited[pool.ids == third.pk].any()


def test_a_part_of_the_audit_that_leaves_a_language_out_proves_nothing(project: Project, manager: User) -> None:
    """German texts are mostly wrong, and the reviewers read English only: what they decide is all right."""
    texts = add_machine_labeled(project, [0.9] * 400, audit_every=2)
    Text.objects.filter(pk__in=[text.pk for text in texts[::10]]).update(language="de")
    english = [text for text in texts if text.is_audit and text not in texts[::10]]
    decide(english, manager)
    with pytest.raises(certification.UnevenAudit, match="Only the blind audit"):
        certify(project)
    assert not Certificate.objects.exists()


def test_the_few_that_lie_on_desks_forbid_no_look(project: Project, audited: list[Text], manager: User) -> None:
    first = in_the_order_of_the_desk([text for text in audited if text.is_audit])[0]
    Text.objects.filter(pk=first.pk).update(status=TextStatus.NEEDS_REVIEW, reviewed_at=None)
    assert certify(project).audited


def test_a_run_in_progress_forbids_a_look(project: Project, audited: list[Text]) -> None:
    runs.start(project, relabel=True)
    with pytest.raises(certification.StillLabeling, match="Wait until it has ended"):
        certify(project)


def test_reading_the_pool_asks_few_queries(
    project: Project, audited: list[Text], django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(6):
        audits.read_pool(project)


@pytest.mark.usefixtures("fake_providers")
def test_an_audited_text_gets_the_label_that_the_later_machine_would_give(
    project: Project, add_texts, manager: User
) -> None:
    add_texts(project, "sports news today", "business report", "weather for business")
    execution.execute(runs.start(project, provider="keyword"))
    Text.objects.update(is_audit=True)
    decide(Text.objects.all()[:2], manager)
    before = audits.read_pool(project)
    Category.objects.filter(name="Sports").update(name="Report")
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    after = audits.read_pool(project)
    assert not before.is_wrong.any()
    assert after.is_wrong.tolist() == [False, True, False]  # "business report" would be Report now


@pytest.mark.usefixtures("fake_providers")
def test_an_audited_text_that_cannot_be_labeled_again_is_no_evidence(
    project: Project, add_texts, manager: User
) -> None:
    add_texts(project, "sports news today", "business report")
    execution.execute(runs.start(project, provider="keyword"))
    Text.objects.update(is_audit=True)
    decide(Text.objects.all()[:1], manager)
    Embedding.objects.all().delete()
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    pool = audits.read_pool(project)
    assert not pool.is_audited.any()
    assert pool.is_settled.tolist() == [True, False]


@pytest.mark.usefixtures("fake_providers")
def test_an_audited_text_gets_the_label_that_a_head_on_answers_and_vectors_would_give(
    project: Project, add_texts, manager: User
) -> None:
    Project.objects.filter(pk=project.pk).update(provider="scores")
    project.refresh_from_db()
    names = ["Sports", "Business", "Weather"]
    texts = add_texts(project, *(f"{word} {n}" for n in range(10) for word in ("goal", "market", "storm")), "storm now")
    execution.execute(runs.start(project))
    Text.objects.filter(pk=texts[-1].pk).update(is_audit=True)
    for place, text in enumerate(texts):
        category = project.categories.get(name=names[place % 3] if text != texts[-1] else "Weather")
        label = annotations.record_human_label(text, category, annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    before = audits.read_pool(project)
    training.train(project)
    add_texts(project, "goal again")
    execution.execute(runs.start(project))
    execution.execute(runs.start(project, relabel=True))
    after = audits.read_pool(project)
    assert before.is_wrong.sum() == 1  # the model alone took it for the first category
    assert (after.is_audited.sum(), after.is_wrong.sum()) == (1, 0)


@pytest.mark.usefixtures("fake_providers")
@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_that_came_to_some_texts_leaves_no_evidence_until_one_comes_to_all(
    project: Project, add_texts, manager: User, stopped: bool
) -> None:
    add_texts(project, "sports news today", "business report", "report of today", "report again")
    execution.execute(runs.start(project, provider="keyword"))
    Text.objects.update(is_audit=True)
    decide(Text.objects.order_by("pk")[:2], manager)
    Category.objects.filter(name="Sports").update(name="Report")
    part = runs.start(project, provider="keyword", relabel=True, limit=None if stopped else 1)
    execution.execute(part)
    if stopped:
        LabelingRun.objects.filter(pk=part.pk).update(status="cancelled")
    assert Label.objects.filter(run=part).exists()
    assert not audits.read_pool(project).is_audited.any()
    Category.objects.filter(name="Report").update(name="Sports")
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    pool = audits.read_pool(project)
    assert (pool.is_audited & ~pool.is_open).sum() == 2
    assert not (pool.is_wrong & ~pool.is_open).any()


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


# --- Whether it still holds -------------------------------------------------------------------------------------------


def test_a_certificate_holds_while_people_go_on_reviewing(project: Project, audited: list[Text], manager: User) -> None:
    made = certify(project)
    decide(audited[1:2], manager)
    decide(audited[2:3], manager, category=project.categories.get(name="Business"))
    assert certification.ended_reason(made) is None


def test_a_certificate_ends_with_new_texts(project: Project, audited: list[Text], add_texts) -> None:
    made = certify(project)
    add_texts(project, "A text without a label is no part of the dataset yet")
    assert certification.ended_reason(made) is None
    add_machine_labeled(project, [0.9])
    assert certification.ended_reason(made) == "Texts have been added since."


def test_a_certificate_ends_when_a_category_changes(project: Project, audited: list[Text], weather: Category) -> None:
    made = certify(project)
    Category.objects.filter(pk=weather.pk).update(is_active=False)
    assert certification.ended_reason(made) == "The categories have changed since."


def test_several_are_asked_about_with_the_queries_of_one(
    project: Project, audited: list[Text], django_assert_max_num_queries
) -> None:
    made = [certify(project), certify(project, budget=0.1), certify(project, budget=0.2)]
    add_machine_labeled(project, [0.9])
    with django_assert_max_num_queries(4):
        reasons = certification.ended_reasons(project, made)
    assert reasons == dict.fromkeys([one.pk for one in made], "Texts have been added since.")


def test_a_label_made_while_the_audit_is_looked_at_ends_the_certificate(
    project: Project, audited: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_pool = audits.read_pool

    def and_label(project: Project) -> audits.Pool:
        pool = read_pool(project)
        add_machine_labeled(project, [0.9])
        return pool

    monkeypatch.setattr(audits, "read_pool", and_label)
    assert certification.ended_reason(certify(project)) == "Texts have been added since."


@pytest.mark.usefixtures("fake_providers")
def test_a_certificate_ends_when_texts_are_labeled_again(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    execution.execute(runs.start(project, provider="scores", relabel=True))
    assert certification.ended_reason(made) == "Texts have been labeled again since."


# --- Use --------------------------------------------------------------------------------------------------------------


def standing(project: Project) -> list[tuple[int, str]]:
    return list(project.texts.order_by("pk").values_list("pk", "status"))


def test_applied_it_moves_the_machines_labels_to_their_side(
    project: Project, audited: list[Text], manager: User
) -> None:
    Text.objects.filter(pk=audited[1].pk).update(status=TextStatus.FLAGGED)
    made = certify(project)
    people = dict(project.texts.filter(status__in=["reviewed", "flagged"]).values_list("pk", "status"))
    certification.apply(made, user=manager)
    project.refresh_from_db()
    assert project.threshold == made.threshold
    texts = project.texts.exclude(pk__in=people)
    assert set(texts.filter(current_label__confidence__gte=made.threshold).values_list("status")) == {("accepted",)}
    assert set(texts.filter(current_label__confidence__lt=made.threshold).values_list("status")) == {("needs_review",)}
    assert dict(project.texts.filter(pk__in=people).values_list("pk", "status")) == people


def test_taken_back_everything_stands_as_before(project: Project, audited: list[Text]) -> None:
    before, threshold = standing(project), project.threshold
    made = certify(project)
    certification.apply(made)
    assert standing(project) != before
    certification.unapply(made)
    project.refresh_from_db()
    assert (standing(project), project.threshold) == (before, threshold)


def test_what_people_decided_meanwhile_is_not_taken_back(project: Project, audited: list[Text], manager: User) -> None:
    made = certify(project)
    use = certification.apply(made)
    [text] = Text.objects.filter(pk=use.accepted_ids[0])
    decide([text], manager)
    certification.unapply(made)
    assert Text.objects.get(pk=text.pk).status == TextStatus.REVIEWED


def test_what_was_labeled_again_since_goes_back_by_its_new_confidence(project: Project, audited: list[Text]) -> None:
    Project.objects.update(threshold=0.2)
    project.texts.filter(status="needs_review", current_label__confidence__gte=0.2).update(status="accepted")
    made = certify(project)
    unsure, exact = Text.objects.filter(pk__in=certification.apply(made).held_back_ids).order_by("pk")[:2]
    label_again([(unsure, 0.1), (exact, 0.2)])
    certification.unapply(made)
    statuses = [Text.objects.get(pk=text.pk).status for text in (unsure, exact)]
    assert statuses == [TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED]


def test_what_became_sure_enough_since_stays_accepted(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    exact, unsure = Text.objects.filter(pk__in=certification.apply(made).accepted_ids).order_by("pk")[:2]
    label_again([(exact, project.threshold), (unsure, project.threshold - 0.01)])
    certification.unapply(made)
    statuses = [Text.objects.get(pk=text.pk).status for text in (exact, unsure)]
    assert statuses == [TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW]


def test_a_certificate_that_ended_or_granted_nothing_cannot_be_applied(project: Project, audited: list[Text]) -> None:
    with pytest.raises(certification.CertificateEnded, match="no threshold"):
        certification.apply(certify(project, budget=0.001))
    made = certify(project)
    add_machine_labeled(project, [0.9])
    with pytest.raises(certification.CertificateEnded, match="added since"):
        certification.apply(made)


def test_a_certificate_is_applied_once_and_again_after_another_threshold(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    certification.apply(made)
    with pytest.raises(certification.InUseAlready):
        certification.apply(made)
    Project.objects.update(threshold=0.99)
    with pytest.raises(certification.NotInUse):
        certification.unapply(made)
    certification.apply(made)
    project.refresh_from_db()
    assert project.threshold == made.threshold


def test_one_that_was_never_applied_cannot_be_taken_back(project: Project, audited: list[Text]) -> None:
    with pytest.raises(certification.NotInUse):
        certification.unapply(certify(project))


def test_what_would_be_moved_is_what_is_moved(project: Project, audited: list[Text]) -> None:
    made = certify(project)
    expected = certification.would_move(made)
    use = certification.apply(made)
    assert (len(use.accepted_ids), len(use.held_back_ids)) == expected
    assert certification.would_move(made) == (0, 0)


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
