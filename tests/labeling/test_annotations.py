from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from labeling import annotations, categories, merging
from labeling.annotations import ForeignCategory, Maker, NoLongerActive, Prediction
from labeling.choices import LabelOrigin, RunStatus, TextStatus
from labeling.models import Category, Label, LabelingRun, Project, Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project: Project) -> LabelingRun:
    return LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0)


@pytest.fixture
def maker(run: LabelingRun) -> Maker:
    return Maker(run.project_id, "keyword", "words", threshold=0.8)


@pytest.fixture
def text(project: Project, add_texts) -> Text:
    return add_texts(project, "The striker scored twice.")[0]


def prediction(text: Text, category: Category, *, confidence: float = 0.9, is_audit: bool = False) -> Prediction:
    return Prediction(
        text_id=text.pk,
        category_id=category.pk,
        confidence=confidence,
        raw_score=0.3,
        margin=confidence - 0.05,
        scores=[(category.pk, confidence)],
        explanation=f"{category} {confidence:.2f}",
        evidence=[(4, 11, 1.0)],
        is_truncated=False,
        is_audit=is_audit,
    )


def sports(project: Project) -> Category:
    return project.categories.get(name="Sports")


def test_a_confident_label_makes_the_text_accepted(run: LabelingRun, text: Text) -> None:
    assert annotations.record_predictions(run, [prediction(text, sports(run.project), confidence=0.8)]) == 1
    text.refresh_from_db()
    assert text.status == TextStatus.ACCEPTED
    assert text.current_label == Label.objects.get()


def test_an_unsure_label_sends_the_text_to_review(run: LabelingRun, text: Text) -> None:
    annotations.record_predictions(run, [prediction(text, sports(run.project), confidence=0.79)])
    text.refresh_from_db()
    assert text.status == TextStatus.NEEDS_REVIEW


def test_a_second_delivery_changes_nothing(run: LabelingRun, text: Text) -> None:
    annotations.record_predictions(run, [prediction(text, sports(run.project), confidence=0.9)])
    assert annotations.record_predictions(run, [prediction(text, sports(run.project), confidence=0.1)]) == 0
    text.refresh_from_db()
    assert (Label.objects.count(), text.status) == (1, TextStatus.ACCEPTED)


def test_a_second_run_adds_a_version(run: LabelingRun, text: Text) -> None:
    annotations.record_predictions(run, [prediction(text, sports(run.project))])
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
    second = LabelingRun.objects.create(project=run.project, provider="keyword", threshold=0.8, audit_share=0.0)
    annotations.record_predictions(second, [prediction(text, sports(run.project), confidence=0.5)])
    text.refresh_from_db()
    assert list(text.labels.values_list("version", "run")) == [(1, run.pk), (2, second.pk)]
    assert text.current_label.version == 2


@pytest.mark.parametrize("status", [TextStatus.REVIEWED, TextStatus.FLAGGED])
def test_what_a_person_decided_is_never_overwritten(
    run: LabelingRun, text: Text, manager: User, status: TextStatus
) -> None:
    decided = Label.objects.create(
        text=text, version=1, category=sports(run.project), origin=LabelOrigin.HUMAN, annotator=manager
    )
    Text.objects.filter(pk=text.pk).update(status=status, current_label=decided)
    assert annotations.record_predictions(run, [prediction(text, sports(run.project))]) == 0
    text.refresh_from_db()
    assert (text.status, text.current_label, Label.objects.count()) == (status, decided, 1)


def test_a_category_of_another_project_is_refused(run: LabelingRun, text: Text) -> None:
    other = Category.objects.create(project=Project.objects.create(name="Other"), name="Sports")
    with pytest.raises(ForeignCategory):
        annotations.record_predictions(run, [prediction(text, other)])
    assert not Label.objects.exists()


def test_what_a_run_says_of_a_merged_category_holds_for_the_other_one(run: LabelingRun, text: Text) -> None:
    weather = run.project.categories.get(name="Weather")
    said = replace(prediction(text, sports(run.project), confidence=0.5), scores=[(sports(run.project).pk, 0.5)])
    said.scores.append((weather.pk, 0.4))
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
    merging.start(sports(run.project), weather)
    annotations.record_predictions(run, [said])
    label = Label.objects.get()
    assert (label.category, label.scores, label.confidence) == (weather, [[weather.pk, 0.9]], 0.9)
    text.refresh_from_db()
    assert (text.current_label, text.status) == (label, TextStatus.ACCEPTED)


def test_a_run_goes_on_with_a_category_that_was_retired_meanwhile(run: LabelingRun, text: Text) -> None:
    categories.retire(sports(run.project))
    assert annotations.record_predictions(run, [prediction(text, sports(run.project))]) == 1


def test_an_answer_in_a_category_that_was_retired_meanwhile_is_refused(maker: Maker, text: Text) -> None:
    said = prediction(text, categories.retire(sports(text.project)))
    with pytest.raises(NoLongerActive, match=r"'Sports'.*Ask again"):
        annotations.record_answers(maker, [said])
    assert not Label.objects.exists()


def test_an_answer_in_a_category_that_was_merged_meanwhile_is_refused(
    run: LabelingRun, maker: Maker, text: Text
) -> None:
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
    merging.start(sports(text.project), text.project.categories.get(name="Weather"))
    with pytest.raises(NoLongerActive):
        annotations.record_answers(maker, [prediction(text, sports(text.project))])


def test_a_text_of_another_project_is_left_alone(run: LabelingRun, add_texts) -> None:
    (foreign,) = add_texts(Project.objects.create(name="Other"), "The striker scored twice.")
    assert annotations.record_predictions(run, [prediction(foreign, sports(run.project))]) == 0
    assert not Label.objects.exists()


def test_the_audit_mark_is_kept_with_the_label(run: LabelingRun, text: Text) -> None:
    annotations.record_predictions(run, [prediction(text, sports(run.project), is_audit=True)])
    text.refresh_from_db()
    assert (text.is_audit, text.status) == (True, TextStatus.ACCEPTED)


def test_a_failure_keeps_its_reason(run: LabelingRun, text: Text) -> None:
    assert annotations.record_failures(run, [text.pk], "The server does not answer.") == 1
    text.refresh_from_db()
    assert (text.status, text.error) == (TextStatus.FAILED, "The server does not answer.")


def test_a_later_label_clears_the_failure(run: LabelingRun, text: Text) -> None:
    annotations.record_failures(run, [text.pk], "The server does not answer.")
    annotations.record_predictions(run, [prediction(text, sports(run.project))])
    text.refresh_from_db()
    assert (text.status, text.error) == (TextStatus.ACCEPTED, "")


def test_a_failure_does_not_take_a_label_away(run: LabelingRun, text: Text) -> None:
    annotations.record_predictions(run, [prediction(text, sports(run.project))])
    assert annotations.record_failures(run, [text.pk], "The server does not answer.") == 0
    text.refresh_from_db()
    assert text.status == TextStatus.ACCEPTED


def test_one_query_count_serves_any_number_of_texts(run: LabelingRun, add_texts, django_assert_max_num_queries) -> None:
    texts = add_texts(run.project, *(f"Match number {n}" for n in range(200)))
    category = sports(run.project)
    with django_assert_max_num_queries(10):
        annotations.record_predictions(run, [prediction(text, category) for text in texts])
