"""What a look at the audit reads: labels of models, and which of them people found right or wrong."""

import pytest
from django.contrib.auth.models import User

from labeling import annotations, audits, certification, execution, runs, training
from labeling.choices import TextStatus
from labeling.models import Category, Certificate, Embedding, Label, LabelingRun, Project, Text
from tests.labeling.certificates import TEXTS, add_machine_labeled, certify, decide, evenly

pytestmark = pytest.mark.django_db


def in_the_order_of_the_desk(texts: list[Text]) -> list[Text]:
    return sorted(texts, key=lambda text: text.content_hash)


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
