"""Who may review what."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from labeling.models import Project
from reviews.models import Reviewer


class NotYourProject(PermissionError):
    """The person is not an active reviewer of this project."""


def reviewer_of(user: AbstractBaseUser | AnonymousUser, project: Project) -> Reviewer:
    """The user's reviewer profile. Raises NotYourProject unless it is active and has the project."""
    if isinstance(user, User) and user.has_perm("reviews.add_review"):
        reviewer = Reviewer.objects.filter(
            user=user, is_active=True, projects=project, projects__is_archived=False
        ).first()
        if reviewer is not None:
            reviewer.user = user  # in hand already
            return reviewer
    raise NotYourProject(f"You do not review for project {project}. Ask a manager to add you.")


def may_manage(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Managers see all desks, decide disagreements and look after reviewers."""
    return isinstance(user, User) and user.is_active and user.has_perm("reviews.change_reviewer")
