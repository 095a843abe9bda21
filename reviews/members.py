"""Who works on a project: people who are added to it, new accounts for them, and people who leave."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from labeling import editing
from labeling.models import Project
from reviews import reviewers
from reviews.models import Assignment, Review, Reviewer

MANAGERS = "Managers"


class Role(models.TextChoices):
    """What a member may do."""

    REVIEWER = "reviewer", "Reviewer: decides texts of this project"
    MANAGER = "manager", "Manager: also changes projects, people and models, of all projects"


class WrongMember(ValueError):
    """Nobody can be added so. The message says why."""


class NoSuchUser(LookupError):
    """Nobody has this name, and no account was asked for."""


class MayNotInvite(PermissionError):
    """This manager makes no accounts."""


class NoLink(ValueError):
    """This person signs in already, and nobody else gets a link to their account."""


def of_project(project: Project) -> QuerySet[Reviewer]:
    """The reviewers of a project by name, with what `role_of` and `last_active` go by."""
    decided = Review.objects.filter(reviewer=OuterRef("pk")).order_by("-pk").values("created_at")[:1]
    members = Reviewer.objects.filter(projects=project).select_related("user").prefetch_related("user__groups")
    return members.annotate(last_review_at=Subquery(decided)).order_by("user__username", "pk")


def managers() -> QuerySet[User]:
    """Who sees every project without being its member."""
    everywhere = Q(is_superuser=True) | Q(groups__name=MANAGERS)
    return User.objects.filter(everywhere, is_active=True).distinct().order_by("username")


def role_of(user: User) -> Role:
    """By the rights that the person has."""
    is_manager = user.is_superuser or any(group.name == MANAGERS for group in user.groups.all())
    return Role.MANAGER if is_manager else Role.REVIEWER


def last_active(reviewer: Reviewer) -> datetime | None:
    """When a member, as `of_project` gives it, last decided something or signed in."""
    moments = (getattr(reviewer, "last_review_at", None), reviewer.user.last_login)
    return max((when for when in moments if when is not None), default=None)


def add_or_invite(
    project: Project, username: str, *, is_new: bool, email: str = "", role: Role = Role.REVIEWER, by: User
) -> Reviewer:
    """Add who has an account, or with `is_new` make one. Raises NoSuchUser, MayNotInvite and WrongMember."""
    if is_new:
        if not by.has_perm("auth.add_user"):
            raise MayNotInvite("You may not make accounts. Ask a manager to do it.")
        return invite(project, username, email=email, role=role, by=by)
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NoSuchUser(f"There is no user '{username}'.")
    return add(project, user, role=role, by=by)


@transaction.atomic
def add(project: Project, user: User, *, role: Role = Role.REVIEWER, by: User | None = None) -> Reviewer:
    """Let somebody with an account work on the project. Raises WrongMember for an account that is switched off."""
    if not user.is_active:
        raise WrongMember(f"The account of {user} is switched off. Activate it in the admin first.")
    reviewers.let_review(user)
    if role == Role.MANAGER:
        user.groups.add(Group.objects.get(name=MANAGERS))
    reviewer, _ = Reviewer.objects.get_or_create(user=user)
    if not reviewer.is_active:
        Reviewer.objects.filter(pk=reviewer.pk).update(is_active=True)
        reviewer.is_active = True
    _join(project, reviewer, role=role, by=by)
    return reviewer


@transaction.atomic
def invite(
    project: Project, username: str, *, email: str = "", role: Role = Role.REVIEWER, by: User | None = None
) -> Reviewer:
    """A new account that works on the project. Its owner chooses the password by `link_for`. Raises WrongMember."""
    name = User.normalize_username(username.strip())
    if User.objects.filter(username__iexact=name).exists():
        raise WrongMember(f"There is a user '{name}' already. Add them as an existing user, or take another name.")
    user = User(username=name, email=email.strip())
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise WrongMember(" ".join(error.messages)) from None
    user.save()
    return add(project, user, role=role, by=by)


def link_for(user: User) -> str:
    """The address at which a new person chooses their password, once and within some days.

    Raises NoLink for everybody who has a password: the link would hand their account over.
    """
    if user.has_usable_password() or user.last_login is not None:
        raise NoLink(f"{user} has a password already. A new one is set in the admin.")
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    return reverse("welcome", args=[uid, token])


@transaction.atomic
def remove(project: Project, reviewer: Reviewer, *, by: User | None = None) -> bool:
    """Take somebody off the project, and its texts off their desk; whether they were on it. Decisions stay."""
    was_member = reviewer.projects.filter(pk=project.pk).exists()
    if was_member:
        reviewer.projects.remove(project)
        Assignment.objects.filter(reviewer=reviewer, text__project=project).delete()
        editing.note(project, f"{reviewer} removed.", by)
    return was_member


@transaction.atomic
def set_projects(reviewer: Reviewer, projects: Iterable[Project], *, by: User | None = None) -> None:
    """Let a reviewer work on these projects and no others. Whether they are active stays as it is."""
    wanted, held = set(projects), set(reviewer.projects.all())
    for project in held - wanted:
        remove(project, reviewer, by=by)
    for project in wanted - held:
        _join(project, reviewer, role=Role.REVIEWER, by=by)


def _join(project: Project, reviewer: Reviewer, *, role: Role, by: User | None) -> None:
    reviewer.projects.add(project)
    editing.note(project, f"{reviewer} added as {role.value}.", by)
