"""The names that imported labels carry, and the categories they mean."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling.categories import MAX_CATEGORIES, TooMany, check, plain
from labeling.models import Category, Project
from labeling.readers import ImportFailed

MAX_NAME = 200  # as the column of the table


class TooManyCategories(ImportFailed):
    """The label column has so many values that it cannot be one of labels."""


@dataclass
class Names:
    """What each name means: its category, or why there is none."""

    categories: dict[str, Category] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def resolve(project: Project, names: Iterable[str], *, create: bool) -> Names:
    """Find the active category of each name, as `folded` compares them; missing ones are made if `create` is true.

    The name of a category that was merged means the other one.
    """
    result = Names()
    if not (wanted := sorted(names)):
        return result
    present = list(project.categories.select_related("merged_into"))
    # Backwards, so that of two that differ in white space only, as imports once made them, the first is meant.
    known = {folded(category.name): category.merged_into or category for category in reversed(present)}
    for name in wanted:
        category = known.get(folded(name))
        if category is None and create and len(plain(name)) <= MAX_NAME:
            category = known[folded(name)] = _create(project, name, present)
        if category is None or not category.is_active:
            result.refused[name] = _reason(name, category, create)
        else:
            result.categories[name] = category
    return result


def folded(name: str) -> str:
    """What names that mean the same category have in common: they differ in white space and case of letters."""
    return plain(name).casefold()


def _create(project: Project, name: str, present: list[Category]) -> Category:
    """The category, which is then one of those present."""
    category = Category(project=project, name=name, position=len(present))
    try:
        check(category, present)
    except TooMany:
        message = f"The labels name more than {MAX_CATEGORIES} categories. Check --label-column."
        raise TooManyCategories(message) from None
    category.save()
    present.append(category)
    return category


def _reason(name: str, category: Category | None, create: bool) -> str:
    name = plain(name)
    if category is not None:
        return f"category '{category.name}' is retired: make it active again, or change the label"
    if create:
        return f"the label has {len(name)} characters, a category's name at most {MAX_NAME}"
    return f"the project has no category '{name[:MAX_NAME]}': add it, or use --create-categories"
