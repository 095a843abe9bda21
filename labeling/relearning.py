"""Learning by itself: when people have decided enough anew, a new classifier is fitted and labels what is left."""

import logging
from datetime import timedelta

from django.utils import timezone

from labeling import runs
from labeling.choices import ClassifierKind, RunOrigin, TextStatus
from labeling.models import Classifier, Project
from labeling.providers.base import ProviderError

logger = logging.getLogger(__name__)

REVIEWS = 25  # new ones after which it is worth it at once
WHILE = timedelta(minutes=1)  # after which it is worth it for any new one: the queue has followed them already

# Somebody who was just promised a threshold reads it, asks others, and then puts it to use. A longer wait would keep
# from the labels what people decide, for a certificate that nobody may want.
TO_BE_APPLIED = timedelta(hours=1)


def is_due(project: Project) -> bool:
    """Whether people have decided enough since the last training."""
    last = newest(project)
    decided = project.texts.filter(status=TextStatus.REVIEWED, is_audit=False, reviewed_at__isnull=False)
    if last is None:
        return decided.order_by()[:REVIEWS].count() == REVIEWS
    new = decided.filter(reviewed_at__gt=last.created_at).order_by()[:REVIEWS].count()
    return new == REVIEWS or (new > 0 and last.created_at < timezone.now() - WHILE and _has_rested(project))


def _has_rested(project: Project) -> bool:
    """Whether the last relabeling ended as long ago as it took: a large project leaves the machine to others."""
    run = project.runs.filter(origin=RunOrigin.RELABEL, finished_at__isnull=False).order_by("-pk").first()
    if run is None or run.finished_at is None or run.started_at is None:
        return True
    return timezone.now() - run.finished_at >= run.finished_at - run.started_at


def newest(project: Project) -> Classifier | None:
    """The last classifier that was learned from reviews, whether it is in use or not."""
    return project.classifiers.filter(kind=ClassifierKind.LEARNED).order_by("-version").first()


def keep_up() -> int:
    """Learn in every project where it is due; returns in how many. The trouble of one project stays its own.

    Not where a certificate holds that is in use or may soon be: new labels would end it, and its look at the audit be
    lost, and that is for a person to decide.
    """
    due = [project for project in Project.objects.filter(is_archived=False) if is_due(project)]
    return sum(learn(project, spare_certificates=True) for project in due if not _is_certified(project))


def _is_certified(project: Project) -> bool:
    """Whether a certificate holds that is in use, or that was granted so lately that it may soon be."""
    from labeling import certification  # here, for the same reason as in `learn`

    now = Project.objects.get(pk=project.pk)  # one may have been put to use since, while a model was fitted
    lately = timezone.now() - TO_BE_APPLIED
    granted = now.certificates.filter(threshold__isnull=False, created_at__gt=lately)
    return certification.in_force(now) is not None or None in certification.ended_reasons(now, granted).values()


def learn(project: Project, *, spare_certificates: bool = False) -> bool:
    """Train, and label again if the new classifier is no worse; whether it came to a new classifier.

    With `spare_certificates` nothing is labeled again where that would end one, also one granted during the training.
    """
    from labeling import training  # here, because scipy is large and a worker at rest does not need it

    if runs.unfinished(project):  # it goes first, and the reviews are not lost
        return False
    try:
        made = training.train(project)
        logger.info("Project %s: classifier %s, active: %s", project.pk, made.version, made.is_active)
        if made.is_active and not (spare_certificates and _is_certified(project)):
            runs.start_in_background(project, relabel=True, origin=RunOrigin.RELABEL)
    except (training.CannotTrain, ProviderError, runs.CannotStart) as reason:
        logger.info("Project %s does not learn: %s", project.pk, reason)
        return False
    return True


def label_anew(project: Project) -> None:
    """Label again because the categories changed: by a classifier that learned them, else without what people said."""
    learn(project)
    if runs.unfinished(project) is None:
        try:
            runs.start_in_background(project, relabel=True)
        except runs.CannotStart as reason:
            logger.info("Project %s is not labeled again: %s", project.pk, reason)
