from dataclasses import replace

import pytest

from labeling import annotations, bulk, execution, rescoring, runs
from labeling.annotations import Prediction
from labeling.models import Label, LabelingRun, Project, Text
from tests.predictions import predicted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project) -> LabelingRun:
    return LabelingRun.objects.create(project=project, provider="keyword", threshold=0.8, audit_share=0.0)


@pytest.fixture
def said(project: Project, run: LabelingRun, add_texts) -> Prediction:
    """What holds: Sports with 0.6, to be reviewed."""
    [text] = add_texts(project, "the home team won")
    sports = project.categories.get(name="Sports").pk
    made = predicted(text.pk, sports, 0.6)
    annotations.record_predictions(run, [made])
    return made


def is_new(run: LabelingRun, prediction: Prediction) -> bool:
    news, same = rescoring.split(run, [prediction])
    assert len(news) + len(same) == 1
    return bool(news)


def test_the_same_again_is_nothing_new(run: LabelingRun, said: Prediction) -> None:
    assert not is_new(run, said)


def test_a_small_move_is_nothing_new(run: LabelingRun, said: Prediction) -> None:
    assert not is_new(run, replace(said, confidence=0.64))


def test_a_large_move_is_new(run: LabelingRun, said: Prediction) -> None:
    assert is_new(run, replace(said, confidence=0.66))


def test_another_category_is_new(run: LabelingRun, said: Prediction, project: Project) -> None:
    assert is_new(run, replace(said, category_id=project.categories.get(name="Weather").pk))


def test_another_route_is_new(run: LabelingRun, said: Prediction) -> None:
    run.threshold = 0.58
    assert is_new(run, said)


def test_what_stays_takes_its_new_place_in_the_queue(said: Prediction) -> None:
    assert rescoring.move_in_queue([replace(said, margin=0.1)]) == 1
    assert Text.objects.get().priority == pytest.approx(0.9)


def test_a_skipped_text_stays_at_the_end(said: Prediction) -> None:
    Text.objects.update(priority=-1.0)
    assert rescoring.move_in_queue([said]) == 0
    assert Text.objects.get().priority == -1.0


def test_a_relabeling_that_says_nothing_new_writes_nothing(project: Project, add_texts) -> None:
    add_texts(project, "sports news today", "business report")
    execution.execute(runs.start(project, provider="keyword"))
    execution.execute(runs.start(project, provider="keyword", relabel=True))
    assert Label.objects.count() == 2


def test_no_rows_are_no_update(db: None) -> None:
    assert bulk.update(Text, "priority", [], least=0.0) == 0
