"""Texts that are stored now and labeled in the background."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from labeling import importing, runs
from labeling.choices import UNDONE, LabelWhen, RunStatus
from labeling.drafts import Draft
from labeling.models import ImportRecord, LabelingRun, Project
from labeling.readers import Readable

SEARCHED_AT_ONCE = 1_000
ALL_DONE = "All of these texts have a label already, or a person has decided them."
NONE_GOOD = "None of these texts can be stored. See errors."


@dataclass(frozen=True)
class Backlog:
    """What becomes of texts that were sent: `waiting` of them have no label yet. `run`: the one that labels them, or
    has to end before they can be."""

    added: int
    waiting: int
    run: LabelingRun | None
    note: str


def label_later(
    project: Project, drafts: Sequence[Draft], *, provider: str = "", user: AbstractBaseUser | None = None
) -> Backlog:
    """Store the texts that are new and label, in the background, all of these that have no label.

    Raises Archived and NoActiveCategories before anything is stored. Sent again, it stores nothing twice and labels
    what is left.
    """
    _require_readiness(project)
    added = importing.add(project, drafts)
    text_ids = _without_label(project, [draft.content_hash for draft in drafts])
    if not text_ids:
        return Backlog(added, 0, None, ALL_DONE if drafts else NONE_GOOD)
    try:
        run, note = start_or_join(project, text_ids=text_ids, provider=provider, user=user)
    except runs.NothingToLabel:  # they got their labels just now
        return Backlog(added, 0, None, ALL_DONE)
    return Backlog(added, len(text_ids), run, note)


def label_many(
    project: Project,
    *,
    lines: Sequence[str] = (),
    file: Readable | None = None,
    file_name: str = "",
    provider: str = "",
    user: AbstractBaseUser | None = None,
) -> tuple[ImportRecord, LabelingRun | None, str]:
    """Import one text a line, or a file, and label in the background all texts of the project that have no label.

    Returns the record of the import, the run if there is one, and what becomes of the texts. Raises Archived and
    NoActiveCategories before anything is stored, and ImportFailed.
    """
    _require_readiness(project)
    if file is not None:
        record = importing.import_file(project, file, file_name=file_name, user=user)
    else:
        rows = ({"text": line} for line in lines)
        record = importing.import_rows(project, rows, file_name="Written on the page", user=user)
    try:
        run, note = start_or_join(project, text_ids=None, provider=provider, user=user)
    except runs.NothingToLabel:
        return record, None, "Every text of the project has a label already."
    return record, run, note


def _require_readiness(project: Project) -> None:
    runs.refuse_archived(project)
    if not project.active_categories():
        raise runs.NoActiveCategories(
            f"Project {project} has no active categories. Add some, then send the texts again."
        )


def start_or_join(
    project: Project, *, text_ids: list[int] | None, provider: str = "", user: AbstractBaseUser | None = None
) -> tuple[LabelingRun, str]:
    """A run in the background over these texts, or all that have no label; else what becomes of them, in words.

    Raises Archived, NoActiveCategories and NothingToLabel.
    """
    try:
        run = runs.start_in_background(project, text_ids=text_ids, provider=provider, user=user)
    except runs.RunInProgress:
        if (unfinished := runs.unfinished(project)) is None:  # it has ended just now
            return start_or_join(project, text_ids=text_ids, provider=provider, user=user)
        return unfinished, _with(unfinished, project, provider)
    return run, f"Run {run.pk} labels them in the background."


def _with(run: LabelingRun, project: Project, provider: str) -> str:
    """What becomes of new texts while this run is unfinished."""
    if run.provider == (provider or project.provider_alias) and runs.reach_newest(run):
        if run.status == RunStatus.PAUSED:
            return f"Run {run.pk} takes them in, but it is paused: resume it."
        return f"Run {run.pk} was labeling the project already and takes them in."
    kept = f"They are stored. Run {run.pk} is labeling the project and does not take them in: "
    if project.label_when == LabelWhen.ASKED:
        return f"{kept}start another run when it has ended."
    return f"{kept}the project's schedule labels them after it."


def _without_label(project: Project, hashes: Sequence[str]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(hashes), SEARCHED_AT_ONCE):
        texts = project.texts.filter(content_hash__in=hashes[start : start + SEARCHED_AT_ONCE], status__in=UNDONE)
        found += texts.order_by().values_list("pk", flat=True)
    return sorted(found)
