from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from labeling import annotations, bulk, chunks, classifiers, execution, rescoring, runs
from labeling.annotations import Prediction
from labeling.choices import ClassifierKind
from labeling.embeddings import CachedEncoder
from labeling.labelers import HeadLabeler
from labeling.learning.classifier import LinearHead
from labeling.models import Label, LabelingRun, Project, Text
from labeling.providers import get_provider
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
    news, same = rescoring.split([prediction], run.threshold)
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
    assert bulk.update(Text, ("priority",), []) == 0


def test_an_update_stays_within_its_limits(said: Prediction) -> None:
    assert bulk.update(Text, ("priority",), [(0.9, said.text_id)], where=[("priority", "<=", 0.1)]) == 0
    limits = [("priority", ">=", 0.5), ("priority", "<=", 1.0)]
    assert bulk.update(Text, ("priority",), [(0.9, said.text_id)], where=limits) == 1


def test_an_update_of_several_columns_touches_only_rows_of_the_condition(said: Prediction) -> None:
    rows = [("flagged", 0.9, said.text_id)]
    assert bulk.update(Text, ("status", "priority"), rows, where=[("status", "IN", ["reviewed", "failed"])]) == 0
    assert bulk.update(Text, ("status", "priority"), rows, where=[("status", "IN", ["needs_review", "accepted"])]) == 1
    assert Text.objects.values_list("status", "priority").get() == ("flagged", 0.9)


def test_a_number_below_its_limit_is_kept(said: Prediction) -> None:
    Text.objects.update(priority=-1.0)
    bulk.update(Text, ("error", "priority"), [("why", 0.9, said.text_id)], keeps_below={"priority": 0.0})
    assert Text.objects.values_list("error", "priority").get() == ("why", -1.0)


# --- A whole project --------------------------------------------------------------------------------------------------


@pytest.fixture
def labeled(project: Project, add_texts) -> Project:
    """Ten texts, labeled, and another head that calls all of them something else."""
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, *(f"sports news number{n}" for n in range(10)))
    execution.execute(runs.start(project))
    keep_head(project, "Weather")
    return project


def keep_head(project: Project, name: str) -> None:
    """A learned head that calls everything so."""
    categories = project.active_categories()
    bias = [5.0 if category.name == name else 0.0 for category in categories]
    head = LinearHead(np.zeros((256, len(categories))), bias)
    made = classifiers.new(project, get_provider("keyword"), categories, head, ClassifierKind.LEARNED)
    made.fitted_on = {"pool": 10, "reviews": 10}
    classifiers.keep(made)


def relabel(project: Project) -> LabelingRun:
    run = runs.start(project, relabel=True)
    execution.execute(run)
    return run


def held(project: Project) -> set[tuple[str, str]]:
    return set(project.texts.values_list("current_label__category__name", "status"))


def test_all_that_changed_gets_a_new_version(labeled: Project) -> None:
    run = relabel(labeled)
    assert run.done == 10
    assert held(labeled) == {("Weather", "accepted")}
    label = Label.objects.filter(run=run).first()
    assert label is not None
    assert (label.version, label.classifier_id, label.scores[0][0]) == (2, run.classifier_id, label.category_id)
    assert label.explanation.startswith("Weather 0.9")


def test_it_comes_to_the_same_as_labeling_text_by_text(labeled: Project) -> None:
    by_text = runs.start(labeled, relabel=True, limit=10)
    execution.execute(by_text)
    columns = ("text_id", "category_id", "confidence", "raw_score", "margin", "scores", "explanation", "is_truncated")
    one_by_one = list(Label.objects.filter(run=by_text).order_by("text_id").values_list(*columns))
    places = list(labeled.texts.order_by("pk").values_list("priority", "status"))
    keep_head(labeled, "Business")
    relabel(labeled)
    keep_head(labeled, "Weather")
    run = relabel(labeled)
    assert list(Label.objects.filter(run=run).order_by("text_id").values_list(*columns)) == one_by_one
    assert list(labeled.texts.order_by("pk").values_list("priority", "status")) == places


def test_a_text_decided_while_it_was_scored_keeps_its_decision(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = labeled.texts.first()
    assert text is not None
    original = annotations.record_predictions

    def decided_first(run: LabelingRun, predictions: list[Prediction]) -> int:
        label = annotations.record_human_label(text, labeled.categories.get(name="Sports"), annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
        return original(run, predictions)

    monkeypatch.setattr(annotations, "record_predictions", decided_first)
    assert relabel(labeled).done == 9
    text.refresh_from_db()
    assert (text.status, text.current_label.category.name) == ("reviewed", "Sports")  # type: ignore[union-attr]


def test_texts_that_one_of_several_people_decided_stay_as_they_saw_them(labeled: Project) -> None:
    text = labeled.texts.first()
    assert text is not None
    annotations.note_review(text, timezone.now())
    assert relabel(labeled).done == 9


def test_a_second_delivery_of_a_batch_changes_nothing(labeled: Project) -> None:
    run = relabel(labeled)
    before = dict(labeled.texts.values_list("pk", "current_label"))
    labeler = HeadLabeler(
        CachedEncoder(get_provider("keyword"), explained=False),
        labeled.active_categories(),
        classifiers.load_head(run.classifier_id),  # type: ignore[arg-type]
    )
    batches = rescoring.batches(labeled.texts.all(), fingerprint="keyword-1")
    assert sum(rescoring.rescore(run, labeler, held) for held in batches) == 0
    assert dict(labeled.texts.values_list("pk", "current_label")) == before


def test_an_interrupted_relabeling_goes_on_where_it_stopped(labeled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 4)
    run = runs.start(labeled, relabel=True)
    assert not execution.execute(run, is_over=run.labels.exists)
    assert run.done == 4
    assert execution.execute(run)
    assert run.done == 10


def test_a_relabeling_that_is_resumed_still_counts_every_text_once(
    labeled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 4)
    run = runs.start(labeled, relabel=True)
    assert not execution.execute(run, is_over=run.labels.exists)
    runs.pause(run)
    resumed = runs.start_or_resume(labeled, relabel=True)
    assert resumed.total == labeled.texts.count()
    assert execution.execute(resumed)
    assert chunks.tally(resumed).texts == resumed.total


def test_texts_without_a_vector_go_through_the_model(labeled: Project, add_texts) -> None:
    add_texts(labeled, "a text that nobody has read")
    before = get_provider("keyword").texts_encoded  # type: ignore[attr-defined]
    run = relabel(labeled)
    assert (run.done, get_provider("keyword").texts_encoded - before) == (11, 1)  # type: ignore[attr-defined]
    assert held(labeled) == {("Weather", "accepted")}


def test_places_in_the_queue_move_only_noticeably(labeled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    relabel(labeled)
    moved: list[tuple[float, int]] = []
    monkeypatch.setattr(annotations, "place_in_queue", lambda rows, **_: moved.extend(rows))
    labeled.texts.filter(pk=labeled.texts.first().pk).update(priority=0.5)  # type: ignore[union-attr]
    assert relabel(labeled).done == 0
    assert [pk for _, pk in moved] == [labeled.texts.first().pk]  # type: ignore[union-attr]
