import numpy as np
import pytest

from labeling import annotations, execution, lessons, runs
from labeling.classifiers import Inputs
from labeling.models import Embedding, Project, Text
from labeling.providers import get_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def decided(project: Project, add_texts, manager) -> list[Text]:
    """Four labeled texts, of which people gave the first three the category Weather."""
    project.provider = "keyword"
    project.save()
    texts = add_texts(project, "rain today", "goal today", "snow today", "market today")
    execution.execute(runs.start(project))
    weather = project.categories.get(name="Weather")
    for text in texts[:3]:
        label = annotations.record_human_label(text, weather, annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    return texts


@pytest.fixture
def inputs(db: None) -> Inputs:
    return Inputs(get_provider("keyword").fingerprint)


def read(project: Project, inputs: Inputs, **options) -> lessons.Lesson:
    return lessons.read(project, inputs, project.active_categories(), **options)


def test_what_people_decided_is_read_newest_first(project: Project, decided: list[Text], inputs: Inputs) -> None:
    lesson = read(project, inputs, most=2)
    assert lesson.labels.tolist() == [2, 2]
    assert len(lesson.vectors) == 2
    assert lesson.reviewed_at == sorted(lesson.reviewed_at, reverse=True)


def test_texts_of_the_blind_audit_are_left_out(project: Project, decided: list[Text], inputs: Inputs) -> None:
    Text.objects.filter(pk=decided[0].pk).update(is_audit=True)
    assert len(read(project, inputs).labels) == 2


def test_decisions_for_a_retired_category_are_left_out(project: Project, decided: list[Text], inputs: Inputs) -> None:
    project.categories.filter(name="Weather").update(is_active=False)
    assert len(read(project, inputs).labels) == 0


def test_a_text_without_a_vector_is_counted(project: Project, decided: list[Text], inputs: Inputs) -> None:
    Embedding.objects.filter(content_hash=decided[0].content_hash).delete()
    lesson = read(project, inputs)
    assert (len(lesson.labels), lesson.left_out) == (2, 1)


def test_vectors_that_are_kept_are_not_read_again(project: Project, decided: list[Text], inputs: Inputs) -> None:
    kept: dict[str, np.ndarray] = {}
    first = read(project, inputs, kept=kept)
    Embedding.objects.all().delete()
    np.testing.assert_array_equal(read(project, inputs, kept=kept).vectors, first.vectors)


def test_the_pool_is_all_texts_where_they_are_few(project: Project, decided: list[Text], inputs: Inputs) -> None:
    assert len(lessons.read_pool(project, inputs)) == 4
