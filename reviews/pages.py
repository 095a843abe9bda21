"""Who is let into the pages of reviewing."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labeling.models import Project
from labeling.pages import View, refusal, signed_out
from reviews.access import NotYourProject, desk_of, may_manage, reviewer_of
from reviews.models import Reviewer

ReviewerView = Callable[[HttpRequest, Reviewer, Project], HttpResponse]


def require_manager(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user is staff and looks after reviewers."""
    if not _is_manager(request):
        raise PermissionDenied("This page is for managers. Ask one of them for the permission.")


def manager_numbers(view: View) -> View:
    """What a manager's page asks every few seconds, by GET. Refusals are JSON as well."""

    @never_cache
    @require_GET
    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **found: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return signed_out()
        if not _is_manager(request):
            return refusal(HTTPStatus.FORBIDDEN, "not_allowed", "This page is for managers.")
        return view(request, *args, **found)

    return checked


def _is_manager(request: HttpRequest) -> bool:
    return getattr(request.user, "is_staff", False) and may_manage(request.user)


def for_reviewers(view: ReviewerView) -> Callable[[HttpRequest, int], HttpResponseBase]:
    """Call the view with the reviewer and the project. The anonymous sign in first, others are refused."""

    @never_cache
    @functools.wraps(view)
    def checked(request: HttpRequest, project_id: int) -> HttpResponseBase:
        if not request.user.is_authenticated:
            page = request.get_full_path() if request.method == "GET" else reverse("reviews:list", args=[project_id])
            return redirect_to_login(page, reverse("admin:login"))
        return view(request, *reviewer_and_project(request, project_id))

    return checked


def reviewer_and_project(request: HttpRequest, project_id: int) -> tuple[Reviewer, Project]:
    """Raises PermissionDenied unless the user may review for the project."""
    if not (request.user.is_active and getattr(request.user, "is_staff", False)):
        raise PermissionDenied("You may not review. Ask a manager for the permission.")
    if found := desk_of(request.user, project_id):
        return found
    project = get_object_or_404(Project, pk=project_id)
    try:
        return reviewer_of(request.user, project), project
    except NotYourProject as reason:
        raise PermissionDenied(str(reason)) from reason
