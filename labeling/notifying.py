"""Tells who started a run that it has ended: in the admin's history, and by e-mail where that is set up."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from labeling import run_progress
from labeling.models import LabelingRun

logger = logging.getLogger(__name__)


def tell(run: LabelingRun) -> bool:
    """Tell who started the run how it ended, once; whether this call did."""
    user = run.created_by
    if not run.is_finished or not isinstance(user, User) or not _claim(run, user):
        return False
    if settings.EMAIL_CONFIG and user.email:
        _send(run, user)
    return True


@transaction.atomic
def _claim(run: LabelingRun, user: User) -> bool:
    """Note that it is told now, unless it was, with the line in the admin's history of what the person did."""
    if not LabelingRun.objects.filter(pk=run.pk, told_at__isnull=True).update(told_at=timezone.now()):
        return False
    note(run, run_progress.of(run).sentence, user_id=user.pk)
    return True


def note(about: Model, words: str, *, user_id: int) -> None:
    """Tell somebody something about a row, in the admin's history on the start page."""
    LogEntry.objects.create(
        user_id=user_id,
        content_type=ContentType.objects.get_for_model(about),
        object_id=str(about.pk),
        object_repr=str(about)[:200],
        action_flag=CHANGE,
        change_message=words,
    )


def _send(run: LabelingRun, user: User) -> None:
    now = run_progress.of(run)
    lines = [now.sentence, *(f"{count} texts: {reason}" for reason, count in now.failures), *now.notes]
    try:
        send_mail(f"{run}: {now.status_name.lower()}", "\n".join(lines), None, [user.email])
    except (OSError, SMTPException) as error:  # the run has ended all the same
        logger.warning("Run %s: no e-mail could be sent: %s", run.pk, error)
