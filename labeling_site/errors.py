"""What is answered where no view answers: a page for people, problem details for programs."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from labeling import problems

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig) and not request.path.startswith(API):
        return render(request, "413.html", {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}, status=413)
    detail = "The request cannot be read. Look at its address, headers and size."
    return _answer(request, HTTPStatus.BAD_REQUEST, "bad_request", detail, defaults.bad_request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = str(exception) or "You may not do this."
    return _answer(request, HTTPStatus.FORBIDDEN, "permission_denied", detail, defaults.permission_denied, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = "There is nothing at this address. All addresses of the API are listed at /api/schema."
    return _answer(request, HTTPStatus.NOT_FOUND, "not_found", detail, defaults.page_not_found, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = "Something went wrong; the error is in the server's log. What was saved is not lost: send it once more."
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", detail, defaults.server_error)


def _answer(
    request: HttpRequest, status: HTTPStatus, code: str, detail: str, page: Callable[..., HttpResponse], *error: Any
) -> HttpResponse:
    return problems.document(status, code, detail) if request.path.startswith(API) else page(request, *error)
