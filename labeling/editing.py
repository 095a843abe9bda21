"""Changing a row that somebody else may be changing: nobody's edit is lost, and who changed what is kept."""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from labeling import notifying


class ChangedMeanwhile(RuntimeError):
    """The row is not as the person saw it who changes it."""


def revision(row: Model, fields: Sequence[str]) -> str:
    """Changes with any of these values, whoever changes them. The row is as the database gave it."""
    values = [str(row.serializable_value(name)) for name in fields]
    return revision_of(values)


def revision_of(values: Sequence[Any]) -> str:
    return blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()


def refuse_stale(expected: str | None, now: str, what: str) -> None:
    """Raises ChangedMeanwhile unless what was shown still holds. Who names no revision writes whatever holds."""
    if expected is not None and expected != now:
        raise stale(what)


def stale(what: str) -> ChangedMeanwhile:
    return ChangedMeanwhile(f"Somebody has changed {what} meanwhile. Look at it as it is now, then change it again.")


def put(row: Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row these values; returns those that it had."""
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    return before


def changed(row: Model, before: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Which of these values are others now: before and after, by field."""
    values = {name: (value, getattr(row, name)) for name, value in before.items()}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def note(about: Model, words: str, user: AbstractBaseUser | None) -> None:
    """Keep in the history of the row who changed it and how; a command has nobody to name."""
    if user is not None:
        notifying.note(about, words, user_id=user.pk)


def in_words(differences: Mapping[str, tuple[Any, Any]]) -> str:
    """What was changed, in one sentence. Long texts are named, not repeated."""
    return "; ".join(_change(name.replace("_", " "), *values) for name, values in differences.items()) + "."


def _change(name: str, before: Any, value: Any) -> str:
    shown = [json.dumps(str(one), ensure_ascii=False) if isinstance(one, str) else str(one) for one in (before, value)]
    if any(len(one) > 60 or "\n" in one for one in shown):
        return f"{name} changed"
    return f"{name}: {shown[0]} -> {shown[1]}"
