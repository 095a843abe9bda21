"""What all pages have in common: who is let in, and the frame that they share with the admin."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

View = Callable[..., HttpResponseBase]

FRAME = "labeling/frame.html"  # chosen by templates/admin/base_site.html


def for_staff(view: View) -> View:
    """For staff only: the anonymous are sent to sign in, others are refused."""

    @never_cache
    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not request.user.is_staff:
            raise PermissionDenied("This page is for staff. Ask a manager for the permission.")
        return view(request, *args, **kwargs)

    return checked


def staff_page(view: View) -> View:
    """A page to read, by GET and for staff."""
    return for_staff(require_GET(view))


def refusal(status: HTTPStatus, code: str, message: str, **more: Any) -> JsonResponse:
    """Why a page's script gets nothing: as JSON, so that it can tell this from a lost line."""
    return JsonResponse({"code": code, "message": message, **more}, status=status)


def signed_out() -> JsonResponse:
    return refusal(HTTPStatus.UNAUTHORIZED, "signed_out", "You are signed out. Sign in again.")


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page in the program's frame, with the menu that the admin has as well."""
    shared = {**admin.site.each_context(request), "frame": FRAME}
    return render(request, template, {**shared, **context}, status=status)
