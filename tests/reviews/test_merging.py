"""Two categories become one: labels follow, what was said stays, and what people do meanwhile is not lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ

from analytics import quality, statistics
from labeling import audits, categories, classifiers, merging, queueing, runs, supervising, tasks
from labeling.choices import LabelOrigin, RunStatus, TextStatus
from labeling.models import Category, CategoryMerge, Label, LabelingRun, Project, Text
from reviews import decisions, settling, undoing
from reviews.decisions import Decision
from reviews.models import Action, Review, Reviewer

pytestmark = pytest.mark.django_db

Named = Callable[[str], Category]


@pytest.fixture
def named(project: Project) -> Named:
    return lambda name: project.categories.get(name=name)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "LAST_LOOK_AFTER", merging.LAST_LOOK_AFTER * 0)


@pytest.fixture
def add_labeled(add_labeled: Callable[..., list[Text]]) -> Callable[..., list[Text]]:
    """By a run that is finished: categories are merged between runs."""

    def add(*confidences: float, **options: bool) -> list[Text]:
        texts = add_labeled(*confidences, **options)
        LabelingRun.objects.update(status=RunStatus.SUCCEEDED)
        return texts

    return add


def merge(source: Category, target: Category, **options: object) -> CategoryMerge:
    made = merging.start(source, target, **options)  # type: ignore[arg-type]
    tasks.merge_categories(made.pk)
    made.refresh_from_db()
    return made


def now(text: Text) -> Text:
    return Text.objects.select_related("current_label__category").get(pk=text.pk)


# --- What follows -----------------------------------------------------------------------------------------------------


def test_a_models_label_follows_as_the_models_and_the_old_one_stays(add_labeled, named: Named, manager: User) -> None:
    [text] = add_labeled(0.6)
    before = text.current_label
    made = merge(named("Sports"), named("Business"), user=manager)
    label = now(text).current_label
    assert (label.category.name, label.origin, label.version) == ("Business", LabelOrigin.MODEL, 2)
    assert (label.confidence, label.evidence, label.run_id, label.merge) == (0.6, before.evidence, None, made)
    assert label.explanation == "'Sports' was merged into 'Business'. Sports 0.60"
    assert Label.objects.get(pk=before.pk).category.name == "Sports"
    assert (made.moved, made.created_by, made.finished_at is not None) == (1, manager, True)
    assert now(text).status == text.status


def test_a_model_that_was_torn_between_the_two_is_sure_of_both(add_labeled, named: Named, project: Project) -> None:
    [text] = add_labeled(0.6)
    sports, business, weather = (named(name).pk for name in ("Sports", "Business", "Weather"))
    Label.objects.create(
        text=text,
        version=2,
        category_id=sports,
        origin=LabelOrigin.MODEL,
        confidence=0.5,
        scores=[[sports, 0.5], [business, 0.375], [weather, 0.125]],
    )
    Text.objects.update(current_label=Label.objects.get(version=2))
    merge(named("Sports"), named("Business"))
    label = now(text).current_label
    assert (label.confidence, label.margin) == (0.875, 0.75)
    assert label.scores == [[business, 0.875], [weather, 0.125]]


def test_a_persons_decision_follows_as_that_persons(add_labeled, anna: Reviewer, named: Named) -> None:
    [text] = add_labeled(0.6)
    decide(anna, text, Action.REJECT, category=named("Weather"))
    decided = now(text)
    merge(named("Weather"), named("Business"))
    held = now(text)
    assert (held.current_label.category.name, held.current_label.annotator) == ("Business", anna.user)
    assert (held.status, held.reviewed_by, held.reviewed_at) == (TextStatus.REVIEWED, anna.user, decided.reviewed_at)
    review = Review.objects.get()
    assert review.category_after.name == "Weather"


def test_the_category_is_retired_and_cannot_come_back(named: Named, project: Project) -> None:
    merge(named("Sports"), named("Business"))
    assert [category.name for category in project.active_categories()] == ["Business", "Weather"]
    with pytest.raises(categories.WasMerged, match="'Sports' was merged into 'Business'"):
        categories.bring_back(named("Sports"))


def test_a_chain_of_merges_ends_at_the_last_category(add_labeled, named: Named) -> None:
    [text] = add_labeled(0.6)
    merge(named("Sports"), named("Business"))
    merge(named("Business"), named("Weather"))
    assert named("Sports").merged_into == named("Weather")
    assert now(text).current_label.category.name == "Weather"
    assert [label.category.name for label in text.labels.order_by("version")] == ["Sports", "Business", "Weather"]


def test_what_stood_below_stands_below_the_other(named: Named) -> None:
    sports, business, weather = named("Sports"), named("Business"), named("Weather")
    categories.edit(weather, {"parent": sports})
    categories.edit(business, {"parent": weather})
    merge(sports, business)
    assert (named("Business").parent, named("Weather").parent) == (named("Weather"), None)


def test_a_merge_is_another_question_for_models(named: Named, project: Project) -> None:
    before = classifiers.category_hash(project.active_categories())
    merge(named("Sports"), named("Business"))
    assert classifiers.category_hash(project.active_categories()) != before


# --- Large ones -------------------------------------------------------------------------------------------------------


def test_a_large_merge_goes_on_in_the_background_where_it_stopped(
    add_labeled, named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "AT_ONCE", 2)
    texts = add_labeled(*[0.6] * 7)
    made = merging.start(named("Sports"), named("Business"))
    assert (made.moved, made.finished_at) == (2, None)
    looks = iter([False, True])
    assert merging.carry_on(made, is_over=lambda: next(looks)) is False
    assert CategoryMerge.objects.get().moved == 4
    assert merging.carry_on(made) is True
    assert CategoryMerge.objects.get().moved == 7
    assert {now(text).current_label.category.name for text in texts} == {"Business"}
    assert Label.objects.filter(merge=made).count() == 7


def test_a_second_delivery_changes_nothing(add_labeled, named: Named) -> None:
    add_labeled(0.6, 0.7)
    made = merge(named("Sports"), named("Business"))
    tasks.merge_categories(made.pk)
    assert (Label.objects.count(), CategoryMerge.objects.get().moved) == (4, 2)


def test_the_rest_is_queued_for_a_worker(add_labeled, named: Named) -> None:
    merging.start(named("Sports"), named("Business"))
    assert OrmQ.objects.get().func() == "labeling.tasks.merge_categories"


@pytest.fixture
def lost(add_labeled, named: Named, monkeypatch: pytest.MonkeyPatch) -> CategoryMerge:
    """A merge whose task failed in its midst, a while ago."""
    monkeypatch.setattr(merging, "AT_ONCE", 1)
    add_labeled(0.6, 0.7)
    made = merging.start(named("Sports"), named("Business"))
    OrmQ.objects.all().delete()
    CategoryMerge.objects.update(moved_at=timezone.now() - timedelta(minutes=2))
    return made


def test_a_merge_whose_task_was_lost_is_queued_again_and_ends(lost: CategoryMerge) -> None:
    assert merging.requeue() == [lost]
    assert OrmQ.objects.get().task["args"] == (lost.pk,)
    assert merging.requeue() == []
    tasks.merge_categories(lost.pk)
    assert CategoryMerge.objects.get().moved == 2


def test_who_looks_after_the_workers_looks_after_merges(lost: CategoryMerge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "REQUEUE_SECONDS", -1.0)
    monkeypatch.setattr(supervising, "LOOK_SECONDS", 0.0)
    looks = iter([False, True])
    supervising.supervise({}, is_over=lambda: next(looks))
    assert OrmQ.objects.get().task["args"] == (lost.pk,)


def test_a_merge_whose_labels_follow_and_one_that_is_done_are_left_alone(lost: CategoryMerge) -> None:
    merging.carry_on(lost, is_over=lambda: CategoryMerge.objects.get().moved == 2)
    assert merging.requeue() == []
    CategoryMerge.objects.update(moved_at=timezone.now() - timedelta(minutes=2))
    merging.carry_on(lost)
    assert merging.requeue() == []


def test_while_tasks_wait_a_merge_is_given_longer(lost: CategoryMerge) -> None:
    queueing.queue("labeling.tasks.label_new", cluster="interactive")
    assert merging.requeue() == []
    CategoryMerge.objects.update(moved_at=timezone.now() - queueing.LONG_REST * 2)
    assert merging.requeue() == [lost]


# --- What people did before and do meanwhile --------------------------------------------------------------------------


def decide(reviewer: Reviewer, text: Text, action: Action, *, category: Category | None = None) -> Review:
    shown = None if action == Action.DECIDE else now(text).current_label_id
    sent = Decision(action, label_id=shown, category_id=category.pk if category else None)
    return decisions.record(reviewer, text.pk, sent)


def test_a_label_that_has_not_followed_yet_can_be_approved(
    add_labeled, anna: Reviewer, named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "AT_ONCE", 1)
    texts = add_labeled(0.6, 0.7)
    merging.start(named("Sports"), named("Business"))
    late = next(text for text in texts if now(text).current_label.category.name == "Sports")
    decide(anna, late, Action.APPROVE)
    assert now(late).current_label.category.name == "Business"
    assert now(late).reviewed_by == anna.user


def test_an_old_answer_and_a_new_one_agree(
    add_labeled, anna: Reviewer, ben: Reviewer, named: Named, project: Project
) -> None:
    Project.objects.update(reviews_per_text=2)
    [text] = add_labeled(0.6)
    decide(anna, text, Action.REJECT, category=named("Weather"))
    merge(named("Weather"), named("Business"))
    decide(ben, text, Action.REJECT, category=named("Business"))
    assert (now(text).status, now(text).current_label.category.name) == (TextStatus.REVIEWED, "Business")
    assert len(set(quality.answers_of(project).categories.tolist())) == 1


def test_an_old_answer_that_suffices_now_holds_as_the_other_category(
    add_labeled, anna: Reviewer, named: Named, project: Project
) -> None:
    Project.objects.update(reviews_per_text=2)
    [text] = add_labeled(0.6)
    decide(anna, text, Action.REJECT, category=named("Weather"))
    merge(named("Weather"), named("Business"))
    Project.objects.update(reviews_per_text=1)
    assert settling.settle_waiting(Project.objects.get(pk=project.pk)) == 1
    assert now(text).current_label.category.name == "Business"


def test_what_an_undo_puts_back_has_followed(add_labeled, anna: Reviewer, named: Named) -> None:
    [text] = add_labeled(0.6)
    decide(anna, text, Action.REJECT, category=named("Weather"))
    merge(named("Sports"), named("Business"))
    undoing.undo(anna)
    held = now(text)
    assert (held.current_label.category.name, held.status) == ("Business", TextStatus.NEEDS_REVIEW)


def test_the_audit_counts_a_merged_answer_as_right(add_labeled, anna: Reviewer, named: Named, project: Project) -> None:
    [text] = add_labeled(0.6, audit=True)
    decide(anna, text, Action.DECIDE, category=named("Weather"))
    assert audits.read_pool(project).is_wrong.tolist() == [True]
    merge(named("Sports"), named("Weather"))
    assert audits.read_pool(project).is_wrong.tolist() == [False]


def test_the_statistics_count_a_merged_answer_as_the_audit_does(
    add_labeled, anna: Reviewer, named: Named, project: Project
) -> None:
    [text] = add_labeled(0.6, audit=True)
    decide(anna, text, Action.DECIDE, category=named("Weather"))
    merge(named("Sports"), named("Weather"))
    told = statistics.of_project(project)
    assert (told.accuracy.audited, told.accuracy.right) == (1, 1)
    assert [row.category for row in told.accuracy_by_category] == ["Weather"]
    assert [(cell.machine, cell.human, cell.texts) for cell in told.confusion] == [("Weather", "Weather", 1)]
    assert {row.category: (row.machine, row.human, row.now) for row in told.categories} == {
        "Business": (0, 0, 0),
        "Weather": (1, 1, 1),
    }


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_a_merge_waits_until_a_run_is_finished(named: Named, project: Project, add_texts) -> None:
    add_texts(project, "A match.")
    runs.start(project)
    with pytest.raises(runs.RunInProgress):
        merging.start(named("Sports"), named("Business"))


def test_what_cannot_be_merged_is_explained(named: Named, project: Project) -> None:
    other = Project.objects.create(name="Mail").categories.create(name="Spam")
    for target, message in ((other, "two projects"), (named("Sports"), "Choose another category")):
        with pytest.raises(merging.CannotMerge, match=message):
            merging.start(named("Sports"), target)
    categories.retire(named("Weather"))
    with pytest.raises(merging.CannotMerge, match="'Weather' is retired"):
        merging.start(named("Sports"), named("Weather"))
    merge(named("Sports"), named("Business"))
    with pytest.raises(merging.CannotMerge, match="was merged into 'Business' already"):
        merging.start(named("Sports"), named("Business"))


def test_the_preview_says_what_would_move(add_labeled, anna: Reviewer, named: Named) -> None:
    texts = add_labeled(0.6, 0.7, 0.9)
    decide(anna, texts[0], Action.APPROVE)
    assert merging.preview(named("Sports")) == merging.Preview(texts=3, decided=1, is_capped=False)
    assert merging.preview(named("Weather")).texts == 0
