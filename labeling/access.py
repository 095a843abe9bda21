"""Whose projects are whose: managers look after all, others see those that they are members of."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet

from labeling.models import ApiKey, Project

MANAGES = "labeling.change_project"


def may_manage_projects(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, User) and user.is_active and user.has_perm(MANAGES)


def sees_all(user: AbstractBaseUser | AnonymousUser, key: Any = None) -> bool:
    """Whether no project is hidden from this user and key."""
    return may_manage_projects(user) and not (isinstance(key, ApiKey) and key.is_bound)


def projects_of(user: AbstractBaseUser | AnonymousUser, key: Any = None) -> QuerySet[Project]:
    """The projects that the user may see: all for managers, else those with an active reviewer profile of theirs.

    `key` is what the request was authenticated by; an API key may be bound to some of its user's projects.
    """
    if not (isinstance(user, User) and user.is_active):
        return Project.objects.none()
    projects = Project.objects.all()
    if not may_manage_projects(user):
        projects = projects.filter(reviewers__user=user, reviewers__is_active=True)
    if isinstance(key, ApiKey) and key.is_bound:
        projects = projects.filter(pk__in=key.projects.values("pk"))
    return projects
