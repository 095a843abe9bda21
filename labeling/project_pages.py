"""Who is let into the pages of one project."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from labeling.access import projects_of
from labeling.pages import for_staff, refusal, signed_out

View = Callable[..., HttpResponseBase]


def for_project(permission: str) -> Callable[[View], View]:
    """For staff with the permission, and only for projects that they may see; the view is given the project."""

    def decorate(view: View) -> View:
        @for_staff
        @functools.wraps(view)
        def checked(request: HttpRequest, project_id: int, **found: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied(f"You lack the permission '{permission}'. Ask a manager for it.")
            project = get_object_or_404(projects_of(request.user), pk=project_id)
            return view(request, project, **found)

        return checked

    return decorate


def live_numbers(permission: str) -> Callable[[View], View]:
    """The same for what a page asks every few seconds: refusals are JSON as well."""

    def decorate(view: View) -> View:
        @never_cache
        @functools.wraps(view)
        def checked(request: HttpRequest, project_id: int, **found: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return signed_out()
            if not (request.user.is_staff and request.user.has_perm(permission)):
                return refusal(HTTPStatus.FORBIDDEN, "not_allowed", f"You lack the permission '{permission}'.")
            return view(request, get_object_or_404(projects_of(request.user), pk=project_id), **found)

        return checked

    return decorate
