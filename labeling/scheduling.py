"""Labels new texts without anybody asking for it, where a project says so: when they arrive, or every day at a time."""

import logging
from datetime import datetime, time, timedelta

from django.db.models import Max
from django.utils import timezone

from labeling import runs
from labeling.choices import LabelWhen, RunOrigin, TextStatus
from labeling.models import LabelingRun, Project
from labeling.querysets import TextQuerySet

logger = logging.getLogger(__name__)


def start_due(now: datetime | None = None) -> list[LabelingRun]:
    """Start a run in every project where one is due; returns those runs. Called twice, it starts none twice."""
    moment = timezone.localtime(now)
    due = [project for project in Project.objects.filter(is_archived=False) if is_due(project, moment)]
    return [run for project in due if (run := _start(project)) is not None]


def is_due(project: Project, now: datetime) -> bool:
    """Whether new texts wait and their time has come. `now` is in the time zone of the settings."""
    if project.label_when == LabelWhen.ASKED:
        return False
    texts = _new_texts(project)
    if project.label_when == LabelWhen.DAILY and project.label_at is not None:
        texts = texts.filter(created_at__lte=_last(project.label_at, now))
    return texts.exists()


def _new_texts(project: Project) -> TextQuerySet:
    """Those that came after the last run over the project began: what that one left would be left again."""
    whole = project.runs.filter(text_ids__isnull=True, limit__isnull=True).exclude(origin=RunOrigin.RETRY)
    reached = whole.aggregate(last=Max("last_text_id"))["last"] or 0
    return project.texts.filter(status=TextStatus.UNLABELED, pk__gt=reached)


def _last(time_of_day: time, now: datetime) -> datetime:
    """When it was this time of the day the last time."""
    today = now.replace(hour=time_of_day.hour, minute=time_of_day.minute, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def _start(project: Project) -> LabelingRun | None:
    try:
        return runs.start_in_background(project, origin=RunOrigin.SCHEDULE)
    except runs.CannotStart as reason:
        logger.info("Project %s: new texts are not labeled yet: %s", project.pk, reason)
        return None
