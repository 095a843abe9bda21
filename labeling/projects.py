"""New projects with their categories."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from labeling.models import Category, Project

DEFAULT = "Default"  # made by `migrate`, so that simple uses need not name a project
CATEGORY_KEYS = ("name", "description", "examples", "color", "shortcut")


class ProjectExists(ValueError):
    """A project has this name already, in some case of letters."""


class WrongProject(ValueError):
    """The project's own values cannot be used. The message names the value."""


class WrongCategories(ValueError):
    """The categories cannot be used. The message names the category and what to change."""


class WrongCategory(ValueError):
    """The category cannot be added to its project. The message says why."""


@transaction.atomic
def create(
    name: str,
    *,
    categories: Iterable[Mapping[str, Any]] = (),
    instructions: str = "",
    threshold: float | None = None,
    user: AbstractBaseUser | None = None,
) -> Project:
    """A new project with its categories, in their order; all of it or nothing.

    Each category has a "name" and may have "description", "examples", "color" and "shortcut". Raises ProjectExists,
    WrongProject or WrongCategories.
    """
    project = Project(name=name.strip(), instructions=instructions, created_by_id=user.pk if user else None)
    if threshold is not None:
        project.threshold = threshold
    try:
        project.clean_fields()
    except ValidationError as error:
        raise WrongProject(f"The project cannot be created: {_said(error)}") from None
    if Project.objects.filter(name__iexact=project.name).exists():
        raise ProjectExists(f"There is a project '{project.name}' already. Choose another name.")
    project.save()
    _add_categories(project, list(categories))
    return project


@transaction.atomic
def add_category(project: Project, name: str, *, description: str = "", examples: Sequence[str] = ()) -> Category:
    """A category after those that the project has. Raises WrongCategory, also when there is one of this name."""
    last = project.categories.aggregate(last=Max("position"))["last"] or 0
    category = Category(
        project=project,
        name=name.strip(),
        description=description.strip(),
        examples=list(examples),
        position=int(last) + 1,
    )
    try:
        category.full_clean()
    except ValidationError as error:
        raise WrongCategory(" ".join(error.messages)) from None
    category.save()
    return category


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


def _add_categories(project: Project, entries: list[Any]) -> None:
    names: dict[str, int] = {}
    shortcuts: dict[str, str] = {}
    for number, entry in enumerate(entries, start=1):
        category = _category(project, entry, number)
        if (first := names.setdefault(category.name.casefold(), number)) != number:
            raise WrongCategories(f"Categories {first} and {number} are both named '{category.name}'. Rename one.")
        if category.shortcut and (other := shortcuts.setdefault(category.shortcut, category.name)) != category.name:
            raise WrongCategories(f"'{other}' and '{category.name}' have the same shortcut '{category.shortcut}'.")
        category.save()


def _category(project: Project, entry: Any, number: int) -> Category:
    """One category of the list, checked."""
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
    category = Category(project=project, position=number - 1, examples=examples, **texts)
    category.name = category.name.strip()
    try:
        category.clean_fields(exclude=["project"])
    except ValidationError as error:
        raise WrongCategories(f"Category {number}: {_said(error)}") from None
    return category


def _said(error: ValidationError) -> str:
    """Django's own words with the field they are about."""
    return " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
