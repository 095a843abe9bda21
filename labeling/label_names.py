"""The names that imported labels carry, and the categories they mean."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling.models import Category, Project
from labeling.readers import ImportFailed

MAX_CATEGORIES = 1000
MAX_NAME = 200  # as the column of the table


class TooManyCategories(ImportFailed):
    """The label column has so many values that it cannot be one of labels."""


@dataclass
class Names:
    """What each name means: its category, or why there is none."""

    categories: dict[str, Category] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def resolve(project: Project, names: Iterable[str], *, create: bool) -> Names:
    """Find the active category of each name, in any case of letters; missing ones are made if `create` is true.

    The name of a category that was merged means the other one.
    """
    result = Names()
    if not (wanted := sorted(names)):
        return result
    categories = project.categories.select_related("merged_into")
    known = {category.name.casefold(): category.merged_into or category for category in categories}
    for name in wanted:
        category = known.get(name.casefold())
        if category is None and create and len(name) <= MAX_NAME:
            category = known[name.casefold()] = _create(project, name, position=len(known))
        if category is None or not category.is_active:
            result.refused[name] = _reason(name, category, create)
        else:
            result.categories[name] = category
    return result


def _create(project: Project, name: str, *, position: int) -> Category:
    if position >= MAX_CATEGORIES:
        raise TooManyCategories(f"The labels name more than {MAX_CATEGORIES} categories. Check --label-column.")
    return project.categories.create(name=name, position=position)


def _reason(name: str, category: Category | None, create: bool) -> str:
    if category is not None:
        return f"category '{category.name}' is retired: make it active again, or change the label"
    if create:
        return f"the label has {len(name)} characters, a category's name at most {MAX_NAME}"
    return f"the project has no category '{name[:MAX_NAME]}': add it, or use --create-categories"
