"""What the pages of a project have in common: what stands at their top."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from labeling.models import Project
from labeling.pages import render_page

CHANGE = "labeling.change_project"
SEE = "labeling.view_project"


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
