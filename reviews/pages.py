"""What pages to read have in common: who is let in, and who is sent where."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labeling.models import Project
from reviews.access import desk_of, may_manage
from reviews.models import Reviewer

View = Callable[..., HttpResponseBase]


def staff_page(view: View) -> View:
    """A page to read, by GET and for staff. The anonymous are sent to sign in, others are refused."""

    @never_cache
    @require_GET
    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not request.user.is_staff:
            raise PermissionDenied("This page is for staff. Ask a manager for the permission.")
        return view(request, *args, **kwargs)

    return checked


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
