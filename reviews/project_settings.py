"""Changes of a project, with what follows from them for its reviews."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from labeling import projects
from labeling.models import Project
from reviews import settling

RULES = frozenset({"reviews_per_text", "overlap_share"})  # how many people decide a text


@dataclass(frozen=True)
class Edited:
    """The project as it is now, which fields are new, and how many texts have all reviews that they need since."""

    project: Project
    changed: frozenset[str]
    settled: int


def edit(
    project: Project, changes: Mapping[str, Any], *, revision: str | None = None, user: AbstractBaseUser | None = None
) -> Edited:
    """As `projects.edit`, which says what it raises. Texts that need fewer reviews now are settled, one by one."""
    edited, changed = projects.edit(project, changes, revision=revision, user=user)
    return Edited(edited, changed, settling.settle_waiting(edited) if changed & RULES else 0)
