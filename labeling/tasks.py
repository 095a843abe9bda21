"""What the background worker is asked to do: ids in, one call each, safe to deliver twice."""

import logging
import time

from django.core.management import call_command

from labeling import (
    execution,
    idempotency,
    merging,
    notifying,
    provider_check,
    relearning,
    runs,
    scheduling,
    throttling,
    uploads,
    workers,
)
from labeling.models import CategoryMerge, LabelingRun, Project
from labeling.providers.base import ProviderError

logger = logging.getLogger(__name__)

# Far below the broker's timeout, so that no task is killed and delivered again because a run is long, and so short that
# a person who labels two texts does not wait for long behind a hundred thousand.
TASK_SECONDS = 30
PATIENCE_SECONDS = 10  # for other processes to finish what this one cannot help with


@workers.at_work()
def carry_out(run_id: int) -> None:
    """Work on a run for a while, then queue the rest of it."""
    run = LabelingRun.objects.get(pk=run_id)
    deadline = time.monotonic() + TASK_SECONDS
    try:
        if not execution.execute(
            run, is_over=lambda: time.monotonic() > deadline or workers.is_stopping(), patience=PATIENCE_SECONDS
        ):
            runs.queue(run, processes=1)
    except runs.RunStopped as reason:
        logger.info("Run %s is left alone: %s", run_id, reason)
    except ProviderError as error:
        logger.warning("Run %s failed: %s", run_id, error)


@workers.at_work()
def import_upload(import_id: int) -> None:
    """Import an uploaded file for a while, then queue the rest of it."""
    uploads.carry_on(import_id)


@workers.at_work()
def keep_up() -> int:
    """Learn from new reviews where there are enough; returns in how many projects."""
    return relearning.keep_up()


@workers.at_work()
def learn(project_id: int) -> bool:
    """Learn from a project's reviews now, because somebody asked for it."""
    return relearning.learn(Project.objects.get(pk=project_id))


@workers.at_work()
def label_anew(project_id: int) -> None:
    """Label a project's undecided texts again, because its categories changed."""
    relearning.label_anew(Project.objects.get(pk=project_id))


@workers.at_work()
def merge_categories(merge_id: int) -> None:
    """Let the labels of a merged category follow for a while, then queue the rest of it."""
    merge = CategoryMerge.objects.get(pk=merge_id)
    deadline = time.monotonic() + TASK_SECONDS
    if not merging.carry_on(merge, is_over=lambda: time.monotonic() > deadline or workers.is_stopping()):
        merging.queue(merge)


@workers.at_work()
def label_new() -> int:
    """Label new texts in the projects that want it by now; returns in how many."""
    return len(scheduling.start_due())


@workers.at_work()
def tell(run_id: int) -> bool:
    """Tell who started a run that it has ended."""
    return notifying.tell(LabelingRun.objects.get(pk=run_id))


@workers.at_work()
def check_model(project_id: int, user_id: int) -> bool:
    """Tell somebody whether a project's model works; whether it does."""
    project = Project.objects.get(pk=project_id)
    found = provider_check.check(project.provider_alias)
    notifying.note(project, "\n".join(found.lines), user_id=user_id)
    return found.works


@workers.at_work()
def tidy() -> None:
    """Forget what nobody asks for any more: expired sessions, answers to requests, counts of requests, and
    uploads that nobody started. End imports whose process is gone."""
    call_command("clearsessions")
    idempotency.forget_old()
    throttling.forget_old()
    uploads.forget_abandoned()
    uploads.end_silent()
