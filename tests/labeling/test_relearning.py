from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from labeling import annotations, certification, classifiers, execution, relearning, runs, standing, tasks, training
from labeling.choices import RunOrigin, RunStatus
from labeling.models import Certificate, Classifier, LabelingRun, Project, Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

WORDS = ["sports apple", "business pear", "weather plum"]


@pytest.fixture
def labeled(project: Project, add_texts) -> Project:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, *(f"{WORDS[n % 3]} {n}" for n in range(90)))
    execution.execute(runs.start(project))
    return project


def learn_and_label() -> None:
    relearning.keep_up()
    tasks.carry_out(LabelingRun.objects.latest("pk").pk)


def decide(project: Project, manager, count: int) -> None:
    """People decide so many of the open texts, rightly."""
    for text in project.texts.exclude(status="reviewed").order_by("pk")[:count]:
        name = text.content.split()[0].capitalize()
        label = annotations.record_human_label(text, project.categories.get(name=name), annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)


def test_it_is_due_after_twenty_five_reviews(labeled: Project, manager) -> None:
    decide(labeled, manager, 24)
    assert not relearning.is_due(labeled)
    decide(labeled, manager, 1)
    assert relearning.is_due(labeled)


def test_it_learns_and_labels_what_is_left(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    assert tasks.keep_up() == 1
    tasks.carry_out(LabelingRun.objects.latest("pk").pk)
    run = LabelingRun.objects.latest("pk")
    assert (run.relabel, run.status, run.classifier.kind) == (True, RunStatus.SUCCEEDED, "learned")
    assert run.origin == RunOrigin.RELABEL
    assert tasks.keep_up() == 0


def test_it_learns_about_a_model_that_only_answers_too(labeled: Project, manager) -> None:
    Project.objects.filter(pk=labeled.pk).update(provider="scores")
    labeled.refresh_from_db()
    execution.execute(runs.start(labeled, relabel=True))
    decide(labeled, manager, 25)
    learn_and_label()
    run = LabelingRun.objects.latest("pk")
    assert (run.provider, run.status, run.classifier.kind) == ("scores", RunStatus.SUCCEEDED, "learned")
    assert run.classifier.answers_fingerprint


def test_it_is_due_again_after_as_many_new_reviews(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    learn_and_label()
    decide(labeled, manager, 24)
    assert not relearning.is_due(labeled)
    decide(labeled, manager, 1)
    assert relearning.is_due(labeled)


def test_one_review_is_enough_after_a_while(labeled: Project, manager, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(labeled, manager, 25)
    learn_and_label()
    LabelingRun.objects.filter(relabel=True).update(started_at=F("finished_at"))
    decide(labeled, manager, 1)
    assert not relearning.is_due(labeled)
    monkeypatch.setattr(relearning, "WHILE", timedelta(0))
    assert relearning.is_due(labeled)


def test_nothing_new_is_not_worth_it_however_long_ago(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(labeled, manager, 25)
    learn_and_label()
    monkeypatch.setattr(relearning, "WHILE", timedelta(0))
    assert not relearning.is_due(labeled)


def test_after_a_long_relabeling_the_machine_rests(labeled: Project, manager, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(labeled, manager, 25)
    learn_and_label()
    decide(labeled, manager, 1)
    monkeypatch.setattr(relearning, "WHILE", timedelta(0))
    now = timezone.now()
    LabelingRun.objects.filter(relabel=True).update(started_at=now - timedelta(minutes=9), finished_at=now)
    assert not relearning.is_due(labeled)


def test_a_labeling_run_goes_first(labeled: Project, manager, add_texts) -> None:
    decide(labeled, manager, 25)
    add_texts(labeled, "sports again")
    runs.start(labeled)
    assert relearning.keep_up() == 0
    assert relearning.newest(labeled) is None


def test_trouble_in_one_project_stays_its_own(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    other = Project.objects.create(name="Other", provider="scores")
    category = other.categories.create(name="Any")
    for n in range(25):
        text = Text.objects.create(project=other, content=f"{n}", content_hash=f"{n:032}")
        label = annotations.record_human_label(text, category, annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    assert relearning.keep_up() == 1
    assert Classifier.objects.filter(project=other).count() == 0


def test_the_time_of_a_decision_is_kept_and_taken_back(labeled: Project, manager) -> None:
    decide(labeled, manager, 1)
    text = labeled.texts.get(status="reviewed")
    assert text.reviewed_at and timezone.now() - text.reviewed_at < timedelta(minutes=1)
    annotations.restore(text, label_id=text.current_label_id, status="needs_review")
    assert Text.objects.get(pk=text.pk).reviewed_at is None


def test_it_does_not_end_a_certificate_that_is_in_force(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(labeled, manager, 25)
    monkeypatch.setattr(certification, "in_force", lambda project: object())
    assert relearning.keep_up() == 0


def granted(project: Project, *, ago: timedelta = timedelta(0), **facts) -> Certificate:
    """A certificate that nobody has put to use yet."""
    return Certificate.objects.create(
        **{"project": project, "promise": "dataset", "budget": 0.05, "delta": 0.05, "look": 1, "level": 0.025}
        | {"threshold": 0.9, "labels": 90, "population": 90, "audited": 90, "wrong": 0, "upper_bound": 0.04}
        | {"coverage": 0.5, "left_for_people": 0, "pool_size": 90, "audit_hash": "a"}
        | {"category_hash": classifiers.category_hash(project.active_categories())}
        | {"newest_label_id": standing.newest_label_id(project), "created_at": timezone.now() - ago}
        | facts
    )


def test_it_does_not_end_a_certificate_that_was_granted_a_moment_ago(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    granted(labeled)
    assert relearning.keep_up() == 0
    assert relearning.newest(labeled) is None


@pytest.mark.parametrize("facts", [{"ago": timedelta(hours=1)}, {"threshold": None}, {"newest_label_id": 0}])
def test_it_waits_for_no_certificate_that_is_old_or_ended_or_granted_nothing(labeled: Project, manager, facts) -> None:
    decide(labeled, manager, 25)
    granted(labeled, **facts)
    assert relearning.keep_up() == 1
    assert labeled.runs.filter(relabel=True).exists()


def test_it_does_not_end_a_certificate_that_was_granted_while_it_learned(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(labeled, manager, 25)
    train = training.train
    monkeypatch.setattr(training, "train", lambda project: (granted(project), train(project))[1])
    assert relearning.keep_up() == 1
    assert not labeled.runs.filter(relabel=True).exists()


def test_it_does_not_end_a_certificate_that_was_put_to_use_while_it_learned(
    labeled: Project, manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(labeled, manager, 25)
    made, train = granted(labeled, ago=timedelta(hours=2)), training.train
    monkeypatch.setattr(training, "train", lambda project: (certification.apply(made), train(project))[1])
    assert relearning.keep_up() == 1
    assert not labeled.runs.filter(relabel=True).exists()


def test_somebody_who_asks_for_it_is_not_kept_waiting_by_a_certificate(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    granted(labeled)
    assert tasks.learn(labeled.pk)
    assert labeled.runs.filter(relabel=True).exists()


def test_changed_categories_are_labeled_anew_by_what_was_learned(labeled: Project, manager) -> None:
    decide(labeled, manager, 25)
    labeled.categories.create(name="Fruit", position=9)
    tasks.label_anew(labeled.pk)
    run = LabelingRun.objects.latest("pk")
    assert (run.relabel, run.status) == (True, RunStatus.QUEUED)
    tasks.carry_out(run.pk)
    run.refresh_from_db()
    assert run.classifier is not None and run.classifier.kind == "learned"


def test_changed_categories_are_labeled_anew_also_where_nothing_can_be_learned(labeled: Project) -> None:
    labeled.categories.create(name="Fruit", position=9)
    tasks.label_anew(labeled.pk)
    tasks.label_anew(labeled.pk)
    assert [run.relabel for run in LabelingRun.objects.order_by("pk")] == [False, True]
