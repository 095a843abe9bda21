"""Who is let into the pages of reviewing."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from labeling.models import Project
from reviews.access import desk_of, may_manage
from reviews.models import Reviewer


def require_manager(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user looks after reviewers."""
    if not may_manage(request.user):
        raise PermissionDenied("This page is for managers. Ask one of them for the permission.")


def reviewer_and_project(request: HttpRequest, project_id: int) -> tuple[Reviewer, Project]:
    """Raises PermissionDenied unless the user may review for the project."""
    if not (request.user.is_active and getattr(request.user, "is_staff", False)):
        raise PermissionDenied("You may not review. Ask a manager for the permission.")
    if found := desk_of(request.user, project_id):
        return found
    project = get_object_or_404(Project, pk=project_id)
    raise PermissionDenied(f"You do not review for project {project}. Ask a manager to add you.")
