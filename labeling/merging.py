"""Two categories become one: what holds for the one follows to the other, by new labels. What was said stays."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Left
from django.utils import timezone
from numpy.typing import NDArray

from labeling import editing, following, queueing, runs, workers
from labeling.models import Category, CategoryMerge, Label, Project, Text

AT_ONCE = 500  # texts in one transaction, so that people who decide meanwhile hardly wait
MOST_LOOKED_AT = 10_000  # labels of a category, before somebody says yes
READ = 1_000  # characters of a text that is shown
# A decision that was begun before the categories were merged may name the old one when it is written.
LAST_LOOK_AFTER = timedelta(seconds=2)


class CannotMerge(ValueError):
    """These two cannot be merged. The message says why."""


@dataclass(frozen=True)
class Preview:
    """What a merge would move: texts that hold the category now, counted up to a bound."""

    texts: int
    decided: int
    is_capped: bool


def preview(source: Category) -> Preview:
    """What would follow if this category were merged into another."""
    found = list(_some_texts(source).values_list("reviewed_at", flat=True))
    decided = sum(when is not None for when in found)
    is_capped = Label.objects.filter(category=source).order_by()[MOST_LOOKED_AT : MOST_LOOKED_AT + 1].exists()
    return Preview(len(found), decided, is_capped)


def samples(source: Category, most: int) -> list[str]:
    """The beginnings of some texts that hold the category."""
    beginnings = _some_texts(source).annotate(beginning=Left("content", READ))
    return list(beginnings.values_list("beginning", flat=True)[:most])


def start(source: Category, target: Category, *, user: AbstractBaseUser | None = None) -> CategoryMerge:
    """Retire a category in favour of another, and let the labels of the first texts follow at once.

    The rest follows in the background. Certificates end, and heads that were fitted to both categories are out of use,
    until the project is labeled again. Raises CannotMerge, or RunInProgress while a run labels with both.
    """
    merge = _read(_start(source, target, user).pk)
    following.record(merge.source, list(_waiting(merge.source)[:AT_ONCE]))
    return _read(merge.pk)


@transaction.atomic
def _start(source: Category, target: Category, user: AbstractBaseUser | None) -> CategoryMerge:
    project = Project.objects.select_for_update(no_key=True).get(pk=source.project_id)
    if run := runs.unfinished(project):
        raise runs.RunInProgress(f"Run {run.pk} is labeling this project. Wait until it is finished, or cancel it.")
    source, target = (Category.objects.get(pk=one.pk) for one in (source, target))
    _refuse(source, target)
    _move_children(source, target)
    Category.objects.filter(merged_into=source).update(merged_into=target)
    Category.objects.filter(pk=source.pk).update(is_active=False, merged_into=target)
    merge = CategoryMerge.objects.create(
        project=project, source=source, target=target, created_by_id=user.pk if user else None
    )
    editing.note(project, f"Category '{source}' merged into '{target}'.", user)
    queue(merge)
    return merge


def carry_on(merge: CategoryMerge, *, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Let the labels follow, some at a time, until none is left; False where it is over before. May be called again."""
    time.sleep(max(0.0, (merge.created_at + LAST_LOOK_AFTER - timezone.now()).total_seconds()))
    merge = _read(merge.pk)
    while len(waiting := _keys(merge.source)):
        for keys in np.split(waiting, range(AT_ONCE, len(waiting), AT_ONCE)):
            if is_over():
                return False
            following.record(merge.source, list(Label.objects.filter(pk__in=keys.tolist()).order_by("text_id")))
    CategoryMerge.objects.filter(pk=merge.pk, finished_at__isnull=True).update(finished_at=timezone.now())
    return True


def requeue(*, rest: timedelta = queueing.REST) -> list[CategoryMerge]:
    """Queue the merges again whose labels have not followed for `rest`; returns them. The broker may have lost them."""
    before = queueing.lost_before(workers.INTERACTIVE, rest)
    merges = list(CategoryMerge.objects.filter(finished_at__isnull=True, moved_at__lt=before).order_by("pk"))
    for merge in merges:
        queue(merge)
    return merges


@transaction.atomic
def queue(merge: CategoryMerge) -> None:
    """Let the background go on with it."""
    CategoryMerge.objects.filter(pk=merge.pk).update(moved_at=timezone.now())
    queueing.queue("labeling.tasks.merge_categories", merge.pk, cluster=workers.INTERACTIVE)


def _keys(source: Category) -> NDArray[np.int64]:
    """Of all labels that have to follow now, in 8 bytes each. Found anew for each batch, PostgreSQL sorts them all."""
    keys = _waiting(source).order_by().values_list("pk", flat=True)
    return np.sort(np.fromiter(keys.iterator(chunk_size=10_000), dtype=np.int64))


def unfinished(project: Project) -> QuerySet[CategoryMerge]:
    return project.merges.filter(finished_at__isnull=True).select_related("source", "target")


def _waiting(source: Category) -> QuerySet[Label]:
    """The labels of this category that hold now. By the category's index: texts have none by their label."""
    return Label.objects.filter(category=source, text__current_label=F("pk")).order_by("pk")


def _some_texts(source: Category) -> QuerySet[Text]:
    """Texts that hold this category, by 10,000 of its labels, whichever: in an order, PostgreSQL would sort all."""
    some = Label.objects.filter(category=source).order_by().values("text")[:MOST_LOOKED_AT]
    return Text.objects.filter(pk__in=some, current_label__category=source).order_by()


def _read(pk: int) -> CategoryMerge:
    return CategoryMerge.objects.select_related("source__merged_into", "source__merge", "target").get(pk=pk)


def _refuse(source: Category, target: Category) -> None:
    if source.project_id != target.project_id:
        raise CannotMerge("The categories are of two projects. Choose two of one project.")
    if source.pk == target.pk:
        raise CannotMerge(f"Choose another category than '{source}' itself.")
    if source.merged_into_id:
        raise CannotMerge(f"'{source}' was merged into '{source.merged_into}' already.")
    if not target.is_active:
        raise CannotMerge(f"'{target}' is retired. Bring it back first, or choose an active category.")


def _move_children(source: Category, target: Category) -> None:
    """What stands below the one stands below the other, which moves up where it stood below the one itself."""
    above = target
    while above.parent is not None:
        if above.parent_id == source.pk:
            Category.objects.filter(pk=above.pk).update(parent=source.parent)
            break
        above = above.parent
    Category.objects.filter(parent=source).exclude(pk=target.pk).update(parent=target)
