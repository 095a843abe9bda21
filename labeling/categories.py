"""The categories of a project: added, worded anew, moved, retired and brought back. Labels keep theirs through all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from labeling import bulk, editing
from labeling.models import Category, Project

EDITABLE = ("name", "description", "examples", "color", "shortcut", "parent")
MAX_CATEGORIES = 1000
MOST_EXAMPLES = 50
LONGEST_EXAMPLE = 2_000  # characters; models read all of them with each question


class WrongCategory(ValueError):
    """The category cannot be so. The message says why; `errors` are the messages of each field."""

    def __init__(self, message: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class Taken(WrongCategory):
    """Another category of the project has this name or key; otherwise it could be so."""

    def __init__(self, message: str, field: str, other: Category) -> None:
        super().__init__(message, {field: [message]})
        self.field, self.other = field, other


class TooMany(WrongCategory):
    """The project has as many categories as it can."""


class WasMerged(ValueError):
    """The category became part of another one."""


# --- One --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def add(project: Project, name: str, *, user: AbstractBaseUser | None = None, **values: Any) -> Category:
    """A category after those that the project has. `values` are others of EDITABLE.

    A new category ends the project's certificates. Raises WrongCategory, or Taken.
    """
    _lock(project)
    last = project.categories.aggregate(last=Max("position"))["last"]
    category = Category(project=project, name=name, position=0 if last is None else last + 1, **values)
    _check(category)
    category.save()
    editing.note(project, f"Category '{category}' added.", user)
    return category


@transaction.atomic
def edit(
    category: Category, changes: Mapping[str, Any], *, revision: str | None = None, user: AbstractBaseUser | None = None
) -> Category:
    """The category with these values; its labels stay. Another name, description or example ends certificates.

    `revision` is that of the category as it was shown. Raises ChangedMeanwhile, WrongCategory or Taken.
    """
    category = _locked(category)
    editing.refuse_stale(revision, revision_of(category), f"category {category}")
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise WrongCategory(f"A category has no '{unknown[0]}' that can be changed here.")
    name = category.name
    before = editing.put(category, changes)
    _check(category)
    if changed := editing.changed(category, before):
        category.save(update_fields=list(changed))
        editing.note(category.project, f"Category '{name}': {editing.in_words(changed)}", user)
    return category


@transaction.atomic
def retire(category: Category, *, user: AbstractBaseUser | None = None) -> Category:
    """Nobody is offered it any more, and no new answer may name it; labels that do stay. It ends certificates.

    A run that has begun labels with the categories of its start to its end.
    """
    category = _locked(category)
    if category.is_active:
        category.is_active = False
        category.save(update_fields=["is_active"])
        editing.note(category.project, f"Category '{category}' retired.", user)
    return category


@transaction.atomic
def bring_back(category: Category, *, user: AbstractBaseUser | None = None) -> Category:
    """Let new labels name a retired category again. Raises WasMerged, or Taken where another one has its key."""
    category = _locked(category)
    if category.merged_into:
        raise WasMerged(
            f"'{category}' was merged into '{category.merged_into}', and its texts went with it. To use the name "
            "again, rename this one, then add a new category."
        )
    if not category.is_active:
        category.is_active = True
        _check(category)
        category.save(update_fields=["is_active"])
        editing.note(category.project, f"Category '{category}' brought back.", user)
    return category


def revision_of(category: Category) -> str:
    """Changes with every edit, whoever makes it."""
    return editing.revision(category, (*EDITABLE, "is_active"))


def differ_from_last_run(project: Project) -> bool:
    """Whether labels were made with other categories than the project has now."""
    newest = project.runs.filter(text_ids__isnull=True).order_by("-pk").values_list("categories", flat=True).first()
    return newest is not None and sorted(newest, key=_key) != sorted(project.category_snapshot(), key=_key)


def _key(entry: Mapping[str, Any]) -> int:
    return int(entry["id"])


# --- Their order ------------------------------------------------------------------------------------------------------


@transaction.atomic
def reorder(project: Project, ids: Sequence[int], *, revision: str | None = None) -> list[Category]:
    """The active categories in this order. Models are told of them in another one, so that nothing ends by it.

    Raises ChangedMeanwhile, also when `ids` are not exactly those of the active categories.
    """
    _lock(project)
    shown = project.shown_categories()
    editing.refuse_stale(revision, order_revision(shown), f"the order of the categories of project {project}")
    by_id = {category.pk: category for category in shown}
    if sorted(ids) != sorted(by_id):
        raise editing.stale(f"the categories of project {project}")
    return _place(project, [by_id[pk] for pk in ids])


@transaction.atomic
def move(category: Category, *, by: int) -> list[Category]:
    """The active categories with this one moved down by so many places, or up; at the ends it stays."""
    category = _locked(category)
    shown = category.project.shown_categories()
    if category not in shown:
        raise WrongCategory(f"'{category}' is retired. Bring it back first.")
    place = shown.index(category)
    shown.insert(max(0, place + by), shown.pop(place))
    return _place(category.project, shown)


def order_revision(shown: Sequence[Category]) -> str:
    """Changes with the order of the active categories."""
    return editing.revision_of([category.pk for category in shown])


def _place(project: Project, shown: list[Category]) -> list[Category]:
    """Retired ones come after all others."""
    rest = project.categories.filter(is_active=False)
    rows = [(place, category.pk) for place, category in enumerate([*shown, *rest])]
    bulk.update(Category, ("position",), rows)
    return project.shown_categories()


# --- Checks -----------------------------------------------------------------------------------------------------------


def _lock(project: Project) -> None:
    """One change of the categories at a time; labels and texts can be written meanwhile."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _locked(category: Category) -> Category:
    _lock(category.project)
    return Category.objects.select_related("project", "parent", "merged_into").get(pk=category.pk)


def plain(name: str) -> str:
    """A name as it is kept: in one line, with single spaces."""
    return " ".join(name.split())


def put_right(category: Category) -> None:
    """Its own values, in their plain form. Raises WrongCategory."""
    category.name = plain(category.name)
    category.description = category.description.strip()
    category.examples = _examples(category.examples)
    category.shortcut = category.shortcut.strip()
    try:
        category.clean_fields(exclude=["project", "parent", "merged_into"])
    except ValidationError as error:
        said = " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
        raise WrongCategory(said, error.message_dict) from None


def check(category: Category, others: Iterable[Category]) -> None:
    """With its values in their plain form, among the others of its project. Raises WrongCategory, TooMany or Taken."""
    put_right(category)
    others = list(others)
    if category.pk is None and len(others) >= MAX_CATEGORIES:
        raise TooMany(f"A project has at most {MAX_CATEGORIES:,} categories. Merge some that are alike.")
    name, key = category.name.casefold(), category.shortcut.casefold() if category.is_active else ""
    for other in others:
        if other.name.casefold() == name:
            state = "" if other.is_active else ", which is retired. Bring it back, or rename it first"
            raise Taken(f"This project has a category '{other}' already{state}.", "name", other)
        if key and other.is_active and other.shortcut.casefold() == key:
            raise Taken(f"'{category.shortcut}' is the key of '{other}' already.", "shortcut", other)


def _check(category: Category) -> None:
    check(category, category.project.categories.exclude(pk=category.pk))
    _check_parent(category)


def _examples(examples: Any) -> list[str]:
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        _refuse("examples", "Give the examples as a list of texts.")
    found = [example.strip() for example in examples if example.strip()]
    if len(found) > MOST_EXAMPLES:
        _refuse("examples", f"Give at most {MOST_EXAMPLES} examples: models read all of them with each question.")
    if any(len(example) > LONGEST_EXAMPLE for example in found):
        _refuse("examples", f"Shorten the examples to {LONGEST_EXAMPLE:,} characters each.")
    return found


def _check_parent(category: Category) -> None:
    above, seen = Category.objects.filter(pk=category.parent_id or 0).first(), {category.pk}
    if above is not None and above.project_id != category.project_id:
        _refuse("parent", "The category above is of another project.")
    while above is not None:
        if above.pk in seen:
            _refuse("parent", f"'{above}' cannot stand above '{category}', because it stands below it.")
        seen.add(above.pk)
        above = above.parent


def _refuse(field: str, message: str) -> None:
    raise WrongCategory(message, {field: [message]})
