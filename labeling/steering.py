"""What people can do to a run, and what its page shows of it: the same in the admin and on the page of its own."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse

from labeling import run_progress, runs
from labeling.choices import RunStatus
from labeling.models import LabelingRun

PERMISSION = "labeling.change_labelingrun"
POLL_SECONDS = 2
WORDS = {"pause": "Pause", "resume": "Resume", "cancel": "Cancel", "retry": "Try the failed texts once more"}
POSSIBLE = {
    RunStatus.QUEUED: ["pause", "cancel"],
    RunStatus.RUNNING: ["pause", "cancel"],
    RunStatus.PAUSED: ["resume", "cancel"],
}


class UnknownVerb(LookupError):
    """Nothing of this name can be done to a run."""


def do(verb: str, run: LabelingRun, user: AbstractBaseUser) -> LabelingRun:
    """Do it; returns the run, or the new one. Raises UnknownVerb, and CannotStart as `runs.start` does."""
    if verb not in _VERBS:
        raise UnknownVerb(verb)
    return _VERBS[verb](run, user)


def progress(run: LabelingRun) -> dict[str, Any]:
    """How far it is, with what can be done to it now."""
    found = run_progress.of(run)
    is_retried = found.is_finished and runs.failed_texts(run).exists()
    return found.as_dict() | {"verbs": ["retry"] if is_retried else POSSIBLE.get(RunStatus(run.status), [])}


def shown(
    run: LabelingRun, user: AbstractBaseUser | AnonymousUser, *, progress_url: str, verb_url: Callable[[str], str]
) -> dict[str, Any]:
    """What the template `labeling/run_progress.html` shows, at the addresses of the page that it is part of."""
    may_change = getattr(user, "has_perm", lambda permission: False)(PERMISSION)
    buttons = [{"verb": verb, "words": words, "url": verb_url(verb)} for verb, words in WORDS.items()]
    return {
        "progress": progress(run),
        "run_buttons": buttons if may_change else [],
        "live": {"url": progress_url, "login": reverse("admin:login"), "poll_seconds": POLL_SECONDS},
    }


def _pause(run: LabelingRun, user: AbstractBaseUser) -> LabelingRun:
    runs.pause(run)
    return run


def _resume(run: LabelingRun, user: AbstractBaseUser) -> LabelingRun:
    runs.resume(run)
    return run


def _cancel(run: LabelingRun, user: AbstractBaseUser) -> LabelingRun:
    runs.cancel(run)
    return run


def _retry(run: LabelingRun, user: AbstractBaseUser) -> LabelingRun:
    return runs.retry_failed(run, user=user)


_VERBS: dict[str, Callable[[LabelingRun, AbstractBaseUser], LabelingRun]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
}
