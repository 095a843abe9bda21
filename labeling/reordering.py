"""The review queue follows what people decide, within a second or two. Labels are left to the runs.

A process of its own looks at the projects again and again, so that who decides waits for nothing, and many decisions
are taken in at once. It fits a head to all that is reviewed, with the choices of the last full training held, scores
what waits, and moves the texts that are most urgent now before all others. Nothing depends on it: without it, or with
two of it, the queue is in the order of the last run, or twice in the same one.
"""

import logging
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from labeling import annotations, classifiers, cold_start, lessons, priorities, prompts, training
from labeling.choices import UNFINISHED_RUNS, ClassifierKind, TextStatus
from labeling.classifiers import Inputs
from labeling.learning import learned
from labeling.learning.classifier import LinearHead
from labeling.learning.learned import Choices, Refit
from labeling.lessons import Lesson
from labeling.models import Category, Classifier, Project, Text
from labeling.open_texts import OpenTexts
from labeling.providers.base import Provider, ProviderError

logger = logging.getLogger(__name__)

FIRST = 500  # texts that are moved before all others: more than people decide until the next time
LOOKED_AT = 1_000  # texts of which it is asked at once whether they still wait
MOST_LOOKS = 10
NEWEST = 20  # decisions by whose times a change is noticed, also one that was taken back or was written late
MOST_REVIEWS = 5_000  # the newest are learned from here: half a second; the full training takes more
KEPT = 3  # projects whose vectors stay in memory
RECENT = timedelta(hours=1)  # a project where nobody decided lately is not read when the process starts


class Learner:
    """What one process keeps in memory of the projects where people decide."""

    def __init__(self) -> None:
        self._seen: dict[int, Hashable] = {}
        self._followers: OrderedDict[int, Follower] = OrderedDict()

    def look(self) -> int:
        """Put the queues in order in which something was decided since the last look; returns how many."""
        followed = 0
        for project in Project.objects.filter(is_archived=False).order_by("pk"):
            times = _newest_times(project)
            state = (project.sampling, times, _last_run(project))
            before = self._seen.get(project.pk)
            self._seen[project.pk] = state
            if times and state != before and (before or times[0] > timezone.now() - RECENT):
                followed += self._follow(project)
        return followed

    def _follow(self, project: Project) -> bool:
        try:
            follower = self._follower(project)
        except ProviderError as error:
            logger.warning("Project %s: the queue does not follow the decisions: %s", project.pk, error)
            return False
        return follower is not None and follower.follow(project)

    def _follower(self, project: Project) -> "Follower | None":
        """The one that is kept, unless the model or the categories have changed; None where there is no head yet."""
        provider, categories = prompts.provider_for(project), project.active_categories()
        prior = classifiers.newest_prior(project, provider, categories) if provider.can_embed else None
        if prior is None:
            return None
        kept = self._followers.pop(project.pk, None)
        if kept is None or kept.prior.pk != prior.pk:
            kept = Follower(project, provider, categories, prior)
        self._followers[project.pk] = kept
        while len(self._followers) > KEPT:
            self._followers.popitem(last=False)
        return kept


class Follower:
    """Lets the queue of one project follow its decisions, for one model and one set of categories."""

    def __init__(self, project: Project, provider: Provider, categories: Sequence[Category], prior: Classifier) -> None:
        self.provider = provider
        self.categories = categories
        self.prior = prior
        self._inputs = Inputs(provider.fingerprint)
        self._head = classifiers.load_head(prior.pk)
        self._pool = np.zeros((0, self._head.dim), dtype=np.float32)
        self._texts = OpenTexts(project, fingerprint=provider.fingerprint, dim=self._head.dim)
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._choices: Choices | None = None
        self._refit: Refit | None = None
        self._run: int | None = -1  # that has ended before all that is kept here was read

    def follow(self, project: Project) -> bool:
        """Put the queue in the order of a head fitted to what is decided now; whether there was enough for one."""
        if len(self._vectors) > 2 * MOST_REVIEWS:  # half of them are of decisions too old to be learned from
            self._vectors.clear()
        lesson = lessons.read(project, self._inputs, self.categories, most=MOST_REVIEWS, kept=self._vectors)
        if len(lesson.labels) < training.FEWEST_REVIEWS:
            return False
        run = _last_run(project)
        if run != self._run:  # it may have read and labeled many texts
            self._pool = lessons.read_pool(project, self._inputs)
        self._texts.keep_up(now=run != self._run)
        self._run = run
        head = self._fit(project, lesson)
        ids, urgency = self._texts.urgency(head, project.sampling)
        moved = put_first(project, ids, urgency, reviews=len(lesson.labels))
        logger.info("Project %s: the queue follows %s decisions, %s texts moved", project.pk, len(lesson.labels), moved)
        return True

    def _fit(self, project: Project, lesson: Lesson) -> LinearHead:
        weights = training.weights_for(self._head, lesson, self._pool)
        choices = self._newest_choices(project) or self._choices
        if choices is None:
            fit = learned.fit(lesson.vectors, lesson.labels, self._head, weights=weights, pool=self._pool)
            self._choices = fit.choices
            return fit.head
        self._refit = learned.refit(
            lesson.vectors, lesson.labels, self._head, choices, weights=weights, pool=self._pool, before=self._refit
        )
        return self._refit.head

    def _newest_choices(self, project: Project) -> Choices | None:
        """What the last full training for these categories chose."""
        made = classifiers.fitted_for(project, self.provider, self.categories).filter(kind=ClassifierKind.LEARNED)
        quality = made.order_by("-version").values_list("quality", flat=True).first() or {}
        return Choices.from_dict(quality["choices"]) if quality.get("choices") else None


def put_first(project: Project, ids: NDArray[np.int64], urgency: NDArray[np.float32], *, reviews: int) -> int:
    """Move the FIRST most urgent of these texts before all others, most urgent first; returns how many texts moved.

    Those that were moved there before and are not among them take the place that is theirs. The texts of the cold start
    keep theirs until as many reviews are made. Skipped and decided texts and the blind audit stay as they are.
    """
    first = _most_urgent(ids, urgency)
    most = priorities.FOLLOWED if reviews < cold_start.COUNT else None
    moved_before = project.texts.filter(status=TextStatus.NEEDS_REVIEW, priority__gt=priorities.MOST)
    if most is not None:
        moved_before = moved_before.filter(priority__lte=most)
    held = dict(moved_before.values_list("pk", "priority"))
    rows = [(priority, pk) for pk, priority in first.items() if held.get(pk) != priority]
    back = [pk for pk in held if pk not in first]
    known = np.isin(ids, back)
    own = dict(zip(ids[known].tolist(), urgency[known].tolist(), strict=True))
    rows += [(own.get(pk, min(held[pk] - priorities.MOST, priorities.MOST)), pk) for pk in back]
    return annotations.place_in_queue(rows, most=most)


def _most_urgent(ids: NDArray[np.int64], urgency: NDArray[np.float32]) -> dict[int, float]:
    """The new priorities of the most urgent texts that wait for review now."""
    order = np.lexsort((ids, -urgency))
    first: dict[int, float] = {}
    for start in range(0, min(len(order), LOOKED_AT * MOST_LOOKS), LOOKED_AT):
        rows = order[start : start + LOOKED_AT]
        texts = Text.objects.filter(pk__in=ids[rows].tolist()).values_list("pk", "status", "is_audit", "priority")
        waiting = {
            pk
            for pk, status, is_audit, priority in texts
            if status == TextStatus.NEEDS_REVIEW and not is_audit and priority >= priorities.LEAST
        }
        for pk, urgent in zip(ids[rows].tolist(), urgency[rows].tolist(), strict=True):
            if pk in waiting and len(first) < FIRST:
                first[pk] = priorities.MOST + urgent
        if len(first) >= FIRST:
            break
    return first


def _newest_times(project: Project) -> tuple[datetime, ...]:
    """Of the newest decisions, newest first. One look into an index."""
    decided = project.texts.filter(reviewed_at__isnull=False).order_by("-reviewed_at")
    return tuple(when for when in decided.values_list("reviewed_at", flat=True)[:NEWEST] if when is not None)


def _last_run(project: Project) -> int | None:
    """The last run that ended: it may have given all texts new labels and new places."""
    ended = project.runs.exclude(status__in=UNFINISHED_RUNS).order_by("-pk")
    return ended.values_list("pk", flat=True).first()
