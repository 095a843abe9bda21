"""Who may review what."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet

from labeling.models import Project
from reviews.models import Reviewer


class NotYourProject(PermissionError):
    """The person is not an active reviewer of this project."""


class Archived(NotYourProject):
    """The person reviews for this project, but it is put away."""


class NoReviewer(NotYourProject):
    """The person has no desk at all. No project is named."""


def desk_of(user: AbstractBaseUser | AnonymousUser, project_id: int) -> tuple[Reviewer, Project] | None:
    """The user's reviewer profile and the project; None unless the profile is active and has the project.

    One query, because every decision asks for it.
    """
    if not (isinstance(user, User) and user.has_perm("reviews.add_review")):
        return None
    memberships = Reviewer.projects.through.objects.filter(
        project_id=project_id, project__is_archived=False, reviewer__user_id=user.pk, reviewer__is_active=True
    )
    found = memberships.select_related("reviewer", "project").first()
    if found is None:
        return None
    found.reviewer.user = user  # in hand already
    return found.reviewer, found.project


def desks_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Project]:
    """The projects that have a desk for this person."""
    return Project.objects.filter(reviewers__user_id=user.pk or 0, reviewers__is_active=True, is_archived=False)


def reviewer_of(user: AbstractBaseUser | AnonymousUser, project: Project) -> Reviewer:
    """The user's reviewer profile. Raises NotYourProject unless it is active and has the project.

    To who has it, Archived says why there is no desk; a stranger need not learn it.
    """
    if found := desk_of(user, project.pk):
        return found[0]
    if project.is_archived and project.reviewers.filter(user_id=user.pk or 0, is_active=True).exists():
        raise Archived(f"The project {project} is archived. Bring it back on its page, then review.")
    way = 'Add yourself on its page "Members".' if may_manage(user) else "Ask a manager to add you."
    raise NotYourProject(f"You do not review for project {project}. {way}")


def may_manage(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Managers see all desks, decide disagreements and look after reviewers."""
    return isinstance(user, User) and user.is_active and user.has_perm("reviews.change_reviewer")
