from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import ProtectedError

from labeling.append_only import AppendOnlyError
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Category, Label, LabelingRun, Project, Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(project: Project, add_texts) -> Text:
    return add_texts(project, "Rain is expected.")[0]


def label(text: Text, **values: Any) -> Label:
    given = {"version": 1, "category": text.project.categories.first(), "origin": LabelOrigin.MODEL, "confidence": 0.5}
    return Label.objects.create(text=text, **{**given, **values})


def test_a_default_project_exists() -> None:
    assert Project.objects.filter(name="Default").exists()


def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_project_names_are_unique_in_any_case(project: Project) -> None:
    with pytest.raises(IntegrityError):
        Project.objects.create(name="NEWS")


def test_category_names_are_unique_within_a_project(project: Project) -> None:
    with pytest.raises(IntegrityError):
        Category.objects.create(project=project, name="sports")


def test_two_projects_may_have_a_category_of_the_same_name(project: Project) -> None:
    Category.objects.create(project=Project.objects.create(name="Other"), name="Sports")


def test_a_text_is_unique_within_a_project(text: Text, add_texts) -> None:
    with pytest.raises(IntegrityError):
        add_texts(text.project, text.content)


def test_two_projects_may_have_the_same_text(text: Text, add_texts) -> None:
    add_texts(Project.objects.create(name="Other"), text.content)


def test_a_version_number_is_given_once(text: Text) -> None:
    label(text)
    with pytest.raises(IntegrityError):
        label(text)


def test_a_run_labels_a_text_once(text: Text) -> None:
    run = LabelingRun.objects.create(project=text.project, provider="x", threshold=0.8, audit_share=0)
    label(text, run=run)
    with pytest.raises(IntegrityError):
        label(text, version=2, run=run)


@pytest.mark.parametrize("confidence", [-0.01, 1.01])
def test_confidence_is_within_0_and_1(text: Text, confidence: float) -> None:
    with pytest.raises(IntegrityError):
        label(text, confidence=confidence)


def test_a_model_label_has_a_confidence(text: Text) -> None:
    with pytest.raises(IntegrityError):
        label(text, confidence=None)


def test_a_model_label_never_carries_a_person(text: Text, manager: User) -> None:
    with pytest.raises(IntegrityError):
        label(text, annotator=manager)


def test_a_human_label_needs_no_confidence(text: Text, manager: User) -> None:
    assert label(text, origin=LabelOrigin.HUMAN, confidence=None, annotator=manager).pk


def test_a_labeled_text_has_a_current_label(text: Text) -> None:
    with pytest.raises(IntegrityError):
        Text.objects.filter(pk=text.pk).update(status=TextStatus.ACCEPTED)


def test_a_project_has_one_unfinished_run(project: Project) -> None:
    LabelingRun.objects.create(project=project, provider="x", threshold=0.8, audit_share=0)
    with pytest.raises(IntegrityError):
        LabelingRun.objects.create(project=project, provider="x", threshold=0.8, audit_share=0)


def test_a_label_cannot_be_saved_again(text: Text) -> None:
    made = label(text)
    made.confidence = 0.9
    with pytest.raises(AppendOnlyError):
        made.save()


def test_a_label_cannot_be_deleted(text: Text) -> None:
    with pytest.raises(AppendOnlyError):
        label(text).delete()


def test_labels_cannot_be_changed_in_bulk(text: Text) -> None:
    made = label(text)
    with pytest.raises(AppendOnlyError):
        Label.objects.update(confidence=1)
    with pytest.raises(AppendOnlyError):
        Label.objects.bulk_update([made], ["confidence"])
    with pytest.raises(AppendOnlyError):
        Label.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        text.labels.all().delete()


def test_a_text_with_labels_cannot_be_deleted(text: Text) -> None:
    label(text)
    with pytest.raises(ProtectedError):
        text.delete()


def test_a_category_that_labels_name_cannot_be_deleted(text: Text) -> None:
    category = label(text).category
    with pytest.raises(ProtectedError):
        category.delete()
