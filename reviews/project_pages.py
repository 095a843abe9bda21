"""What the pages of a project have in common: who is let in, and what stands at their top."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from labeling.access import projects_of
from labeling.models import Project
from labeling.pages import for_staff, render_page

ProjectView = Callable[..., HttpResponseBase]

CHANGE = "labeling.change_project"
SEE = "labeling.view_project"


def project_page(permission: str) -> Callable[[ProjectView], Callable[..., HttpResponseBase]]:
    """A page of one project, for staff who may see it and have the permission. What they may not see is not found."""

    def decorate(view: ProjectView) -> Callable[..., HttpResponseBase]:
        @for_staff
        @functools.wraps(view)
        def checked(request: HttpRequest, project_id: int, **found: Any) -> HttpResponseBase:
            require(request, permission)
            project = projects_of(request.user).filter(pk=project_id).first()
            if project is None:
                raise Http404("There is no such project, or you may not see it.")
            return view(request, project, **found)

        return checked

    return decorate


def require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied("This page is for managers. Ask one of them for the permission.")


def show(request: HttpRequest, template: str, project: Project, title: str, **context: Any) -> HttpResponse:
    """A page of the project, with the way to its others."""
    shared = {"title": f"{title}: {project.name}", "project": project, "tabs": _tabs(request, project)}
    status = context.pop("status", 200)
    return render_page(request, template, shared | context, status=status)


TABS = (
    ("Overview", "overview", SEE),
    ("Settings", "edit", CHANGE),
    ("Categories", "categories", "labeling.change_category"),
    ("Prompt", "prompt", "labeling.add_promptversion"),
    ("Members", "members", "reviews.change_reviewer"),
)


def _tabs(request: HttpRequest, project: Project) -> list[dict[str, Any]]:
    """Those that this person may open; pages below one belong to it."""
    found = []
    for name, page, permission in TABS:
        link = reverse(f"projects:{page}", args=[project.pk])
        is_here = request.path == link or (page != "overview" and request.path.startswith(link))
        if request.user.has_perm(permission):
            found.append({"name": name, "link": link, "is_here": is_here})
    return found


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # for_staff lets nobody else in
    return request.user
