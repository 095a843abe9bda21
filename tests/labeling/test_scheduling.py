from datetime import datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from labeling import runs, scheduling
from labeling.choices import LabelWhen, RunOrigin, TextStatus
from labeling.models import LabelingRun, Project

pytestmark = pytest.mark.django_db

NOON = timezone.make_aware(datetime(2026, 11, 25, 12, 0))


@pytest.fixture
def waiting(project: Project, add_texts) -> Project:
    """A project with a new text."""
    add_texts(project, "Rain is expected.")
    return project


def set_to(project: Project, when: LabelWhen, at: time | None = None) -> None:
    project.label_when, project.label_at = when, at
    project.save()


def started(now: datetime = NOON) -> list[LabelingRun]:
    return scheduling.start_due(now)


def test_unasked_nothing_is_labeled(waiting: Project) -> None:
    assert started() == []


def test_texts_are_labeled_when_they_arrive(waiting: Project) -> None:
    set_to(waiting, LabelWhen.ARRIVAL)
    [run] = started()
    assert (run.origin, run.total) == (RunOrigin.SCHEDULE, 1)
    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_a_second_look_starts_nothing_while_the_run_is_unfinished(waiting: Project) -> None:
    set_to(waiting, LabelWhen.ARRIVAL)
    started()
    assert started() == []
    assert LabelingRun.objects.count() == 1


def test_without_new_texts_nothing_is_started(project: Project) -> None:
    set_to(project, LabelWhen.ARRIVAL)
    assert started() == []


def test_what_failed_is_not_tried_every_minute(waiting: Project) -> None:
    set_to(waiting, LabelWhen.ARRIVAL)
    waiting.texts.update(status=TextStatus.FAILED)
    assert started() == []


def test_a_cancelled_run_is_not_started_again_until_more_texts_arrive(waiting: Project, add_texts) -> None:
    set_to(waiting, LabelWhen.ARRIVAL)
    [run] = started()
    runs.cancel(run)
    assert started() == []
    add_texts(waiting, "Shares fell.")
    assert len(started()) == 1


def test_an_archived_project_rests(waiting: Project) -> None:
    set_to(waiting, LabelWhen.ARRIVAL)
    Project.objects.update(is_archived=True)
    assert started() == []


def test_a_project_without_categories_does_not_stop_the_others(waiting: Project, add_texts) -> None:
    bare = Project.objects.create(name="Bare", label_when=LabelWhen.ARRIVAL)
    add_texts(bare, "Some text.")
    set_to(waiting, LabelWhen.ARRIVAL)
    assert [run.project for run in started()] == [waiting]


def test_every_day_takes_what_has_arrived_by_its_time(waiting: Project) -> None:
    set_to(waiting, LabelWhen.DAILY, time(12, 30))
    waiting.texts.update(created_at=NOON)
    assert started(NOON) == []
    assert started(NOON + timedelta(minutes=29)) == []
    [run] = started(NOON + timedelta(minutes=31))
    runs.cancel(run)
    assert started(NOON + timedelta(hours=3)) == []


def test_what_arrives_after_its_time_waits_for_the_next_day(waiting: Project) -> None:
    set_to(waiting, LabelWhen.DAILY, time(12, 30))
    waiting.texts.update(created_at=NOON + timedelta(hours=2))
    assert started(NOON + timedelta(hours=11)) == []
    assert len(started(NOON + timedelta(days=1, hours=1))) == 1


def test_a_time_that_was_missed_is_made_up_for(waiting: Project) -> None:
    set_to(waiting, LabelWhen.DAILY, time(23, 59))
    waiting.texts.update(created_at=NOON)
    assert len(started(NOON + timedelta(hours=13))) == 1


def test_every_day_needs_a_time(project: Project) -> None:
    project.label_when = LabelWhen.DAILY
    with pytest.raises(ValidationError, match="at which time"):
        project.full_clean()


def test_schedules_are_there_once() -> None:
    names = list(Schedule.objects.values_list("name", flat=True))
    assert {"Label new texts", "Forget expired sessions", "Release expired claims"} <= set(names)
    assert len(names) == len(set(names))
