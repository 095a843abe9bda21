"""Projects: new ones with their categories, and changes of what they are like."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from labeling import editing, runs
from labeling.categories import MAX_CATEGORIES, Taken, TooMany, WrongCategory, check, plain
from labeling.choices import LabelWhen
from labeling.models import Category, Project

DEFAULT = "Default"  # made by `migrate`, so that simple uses need not name a project
EDITABLE = (
    "name",
    "instructions",
    "provider",
    "threshold",
    "audit_share",
    "reviews_per_text",
    "overlap_share",
    "gold_share",
    "sampling",
    "label_when",
    "label_at",
    "prompt_price",
    "completion_price",
    "spending_cap",
    "is_archived",
)
CATEGORY_KEYS = ("name", "description", "examples", "color", "shortcut")


class ProjectExists(ValueError):
    """A project has this name already, in some case of letters."""


class WrongProject(ValueError):
    """The project's own values cannot be used. The message names them; `errors` are the messages of each field."""

    def __init__(self, message: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class WrongCategories(ValueError):
    """The categories cannot be used. The message names the category and what to change."""


@transaction.atomic
def create(
    name: str,
    *,
    categories: Iterable[Mapping[str, Any]] = (),
    instructions: str = "",
    threshold: float | None = None,
    user: AbstractBaseUser | None = None,
    **more: Any,
) -> Project:
    """A new project with its categories, in their order; all of it or nothing.

    Each category has a "name" and may have "description", "examples", "color" and "shortcut". `more` are other
    fields of EDITABLE. Raises ProjectExists, WrongProject or WrongCategories.
    """
    project = Project(name=plain(name), instructions=instructions, created_by_id=user.pk if user else None, **more)
    if threshold is not None:
        project.threshold = threshold
    _refuse_wrong_values(project, "created", EDITABLE)
    _refuse_taken_name(project)
    project.save()
    _add_categories(project, list(categories))
    return project


@transaction.atomic
def edit(
    project: Project, changes: Mapping[str, Any], *, revision: str | None = None, user: AbstractBaseUser | None = None
) -> tuple[Project, frozenset[str]]:
    """The project with these values, and the names of those that are new. Who changed what stays in its history.

    `revision` is that of the project as it was shown. Raises ChangedMeanwhile, ProjectExists or WrongProject; and
    RunInProgress where a project is archived that a run is labeling.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    editing.refuse_stale(revision, revision_of(project), f"project {project}")
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise WrongProject(f"A project has no '{unknown[0]}' that can be changed.")
    before = editing.put(project, changes)
    project.name = plain(project.name)
    _refuse_wrong_values(project, "changed", editing.changed(project, before))
    _refuse_taken_name(project)
    changed = editing.changed(project, before)
    if "is_archived" in changed and project.is_archived and (run := runs.unfinished(project)):
        raise runs.RunInProgress(f"Run {run.pk} is labeling this project. Wait until it is finished, or cancel it.")
    if changed:
        project.save(update_fields=list(changed))
        editing.note(project, editing.in_words(changed), user)
    project.refresh_from_db()
    return project, frozenset(changed)


def to_begin_with(projects: QuerySet[Project]) -> Project | None:
    """Of these the one that a page is about while nobody has named one: Default if it is in use, else the newest.

    A new installation has a Default without categories beside the demo: it would be a page on which nothing works.
    """
    open_ones = projects.filter(is_archived=False)
    categories = Category.objects.filter(project=OuterRef("pk"), is_active=True)
    in_use = open_ones.filter(Exists(categories)).order_by("-pk")
    return in_use.filter(name=DEFAULT).first() or in_use.first() or open_ones.order_by("pk").first()


def revision_of(project: Project) -> str:
    """Changes with every edit, whoever makes it. The project is as the database gave it."""
    return editing.revision(project, EDITABLE)


def read_categories(path: Path) -> list[Any]:
    """The list in a JSON file of categories. Raises WrongCategories; `create` looks at what is in the list."""
    try:
        categories = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise WrongCategories(f"There is no file {path}. Check the path.") from None
    except OSError as error:
        raise WrongCategories(f"{path} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        raise WrongCategories(f"{path}, line {error.lineno}, is not JSON: {error.msg}. Correct it.") from None
    except (ValueError, RecursionError) as error:
        raise WrongCategories(f"{path} is not JSON in UTF-8: {error}. Save it as UTF-8.") from None
    if not isinstance(categories, list):
        raise WrongCategories(f'{path} is not a list. Write [{{"name": "...", "description": "..."}}, ...].')
    return categories


def _refuse_wrong_values(project: Project, verb: str, names: Collection[str]) -> None:
    """Looks at what is new alone: a model that was set up once and is no more does not keep a project from being put
    away. Raises WrongProject."""
    if "provider" in names and project.provider and project.provider not in settings.LABELING_PROVIDERS:
        known = ", ".join(settings.LABELING_PROVIDERS)
        message = f"There is no provider '{project.provider}'. Providers: {known}."
        raise WrongProject(f"The project cannot be {verb}: {message}", {"provider": [message]})
    is_of_times = not {"label_when", "label_at"}.isdisjoint(names)
    if is_of_times and project.label_when == LabelWhen.DAILY and project.label_at is None:
        message = "Say at which time of the day new texts are labeled."
        raise WrongProject(f"The project cannot be {verb}: {message}", {"label_at": [message]})
    try:
        project.clean_fields(exclude=set(EDITABLE).difference(names))
    except ValidationError as error:
        raise WrongProject(f"The project cannot be {verb}: {_said(error)}", error.message_dict) from None


def _refuse_taken_name(project: Project) -> None:
    if Project.objects.filter(name__iexact=project.name).exclude(pk=project.pk).exists():
        raise ProjectExists(f"There is a project '{project.name}' already. Choose another name.")


def _add_categories(project: Project, entries: list[Any]) -> None:
    categories: list[Category] = []
    for number, entry in enumerate(entries, start=1):
        category = _category(project, entry, number)
        _check(category, categories)
        categories.append(category)
    for category in categories:
        category.save()


def _check(category: Category, before: list[Category]) -> None:
    """By the rules of all categories, in the words of a list. Raises WrongCategories."""
    number = category.position + 1
    try:
        check(category, before)
    except TooMany:
        raise WrongCategories(f"A project has at most {MAX_CATEGORIES:,} categories. Leave some out.") from None
    except Taken as taken:
        first, name = taken.other, category.name
        if taken.field == "name":
            message = f"Categories {first.position + 1} and {number} are both named '{name}'. Rename one."
        else:
            message = f"'{first}' and '{name}' have the same shortcut '{category.shortcut}'."
        raise WrongCategories(message) from None
    except WrongCategory as error:
        raise WrongCategories(f"Category {number}: {error}") from None


def _category(project: Project, entry: Any, number: int) -> Category:
    """One category of the list, whose values are of the right kinds."""
    if not isinstance(entry, Mapping):
        raise WrongCategories(f'Category {number} is not an object. Write {{"name": "...", "description": "..."}}.')
    if unknown := [key for key in entry if key not in CATEGORY_KEYS]:
        raise WrongCategories(f"Category {number} has an unknown key '{unknown[0]}'. Use: {', '.join(CATEGORY_KEYS)}.")
    texts = {key: entry.get(key) or "" for key in CATEGORY_KEYS if key != "examples"}
    if wrong := [key for key, value in texts.items() if not isinstance(value, str)]:
        raise WrongCategories(f"Category {number}: '{wrong[0]}' is not a text. Put it in quotes.")
    if not texts["name"].strip():
        raise WrongCategories(f"Category {number} has no name. Add one.")
    examples = entry.get("examples") or []
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        raise WrongCategories(f'Category {number}: "examples" is not a list of texts.')
    return Category(project=project, position=number - 1, examples=examples, **texts)


def _said(error: ValidationError) -> str:
    """Django's own words with the field they are about."""
    return " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
