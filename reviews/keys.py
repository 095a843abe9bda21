"""Which key does what at the review desk, and how a person changes it. The page gets the table from here."""

from collections import Counter
from collections.abc import Mapping

from django.db import transaction

from labeling.models import Project
from reviews.models import Reviewer

# action -> its key, and what it does
DESK_ACTIONS = {
    "approve": ("a", "Approve the suggested category"),
    "reject": ("x", "Reject: search the right category"),
    "propose": ("n", "None of these: propose a category"),
    "modify": ("m", "Modify: category and confidence"),
    "skip": ("s", "Skip"),
    "flag": ("f", "Flag for a manager"),
    "comment": ("c", "Write a comment"),
    "undo": ("u", "Undo the last decision"),
    "guidelines": ("g", "Guidelines"),
    "search": ("/", "Search the categories"),
    "unfold": ("e", "Show all of a long text"),
    "help": ("?", "This help"),
}


class WrongKeys(ValueError):
    """The keys cannot be used so. The message says which and why."""


def keys_of(reviewer: Reviewer) -> dict[str, str]:
    """The keys that this person changed, without what is not a key."""
    changed = reviewer.keys if isinstance(reviewer.keys, dict) else {}
    return {str(name): key.lower() for name, key in changed.items() if isinstance(key, str) and len(key) == 1}


@transaction.atomic
def change_keys(reviewer: Reviewer, project: Project, wanted: Mapping[str, str]) -> dict[str, str]:
    """Give the reviewer these keys, action -> key, for all projects; returns those that differ from the defaults.

    Raises WrongKeys when two actions would have one key, or a key would take one from the project's categories.
    """
    changed = {name: key for name, key in wanted.items() if key != DESK_ACTIONS[name][0]}
    problems = _shared(wanted) + _taken_from_categories(project, changed)
    if problems:
        raise WrongKeys(" ".join(problems))
    Reviewer.objects.filter(pk=reviewer.pk).update(keys=changed)
    reviewer.keys = changed
    return changed


def _shared(wanted: Mapping[str, str]) -> list[str]:
    counted = Counter(wanted.values())
    names = {key: [_name(name) for name in wanted if wanted[name] == key] for key in counted if counted[key] > 1}
    return [f"{key.upper()} is given to {' and '.join(actions)}." for key, actions in names.items()]


def _taken_from_categories(project: Project, changed: Mapping[str, str]) -> list[str]:
    shortcuts = {one.shortcut.lower(): one.name for one in project.active_categories() if one.shortcut.strip()}
    problems = []
    for name, key in changed.items():
        if key.isdigit():
            problems.append(f"{key} cannot be the key of {_name(name)}: digits choose categories.")
        elif key in shortcuts:
            problems.append(f"{key.upper()} cannot be the key of {_name(name)}: it chooses {shortcuts[key]}.")
    return problems


def _name(action: str) -> str:
    return f"“{DESK_ACTIONS[action][1]}”"
