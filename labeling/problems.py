"""Errors of the API as problem details [RFC 9457]: type, title, status, detail, and a code that programs can tell."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
INVALID = "Some fields are wrong. See errors."
NOTHING_HERE = "There is nothing at this address that you may see. Look at the id."
TOO_LARGE = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes. Send it in several requests."
# What to do, where the framework's own words say only what is wrong.
NEXT_STEPS: dict[type[APIException], str] = {
    exceptions.ParseError: "Send a body that can be read as what Content-Type says.",
    exceptions.UnsupportedMediaType: "Send application/json, or what the documentation names for this address.",
    exceptions.MethodNotAllowed: "The header Allow lists the methods of this address.",
    exceptions.NotAcceptable: "Accept application/json.",
    exceptions.NotAuthenticated: "Sign in, or send an API key: Authorization: Bearer KEY.",
}


class Problem(APIException):
    """An error with a code of its own, and whatever else helps the caller to go on."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail, code)
        self.status_code = status.value
        self.more = more


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: its own choice of status and headers, with a body that is the same for all errors."""
    if isinstance(error, RequestDataTooBig):
        error = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", TOO_LARGE)
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = _body(HTTPStatus(response.status_code), _said(error))
    response.content_type = CONTENT_TYPE
    return response


def document(status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    """The problem as an answer by itself, for where no view of the API answers."""
    return JsonResponse(_body(status, {"detail": detail, "code": code}), status=status, content_type=CONTENT_TYPE)


def _body(status: HTTPStatus, said: dict[str, Any]) -> dict[str, Any]:
    return {"type": "about:blank", "title": status.phrase, "status": status.value, **said}


def _said(error: Exception) -> dict[str, Any]:
    if isinstance(error, Problem):
        return {"detail": str(error.detail), "code": error.detail.code, **error.more}
    if isinstance(error, ValidationError):
        return _of_fields(error.detail)
    if isinstance(error, APIException) and isinstance(error.detail, ErrorDetail):
        return {"detail": " ".join([str(error.detail), *_next_step(error)]), "code": error.detail.code}
    if isinstance(error, Http404):
        return {"detail": NOTHING_HERE, "code": "not_found"}
    if isinstance(error, PermissionDenied):
        return {"detail": str(error) or "You may not do this.", "code": "permission_denied"}
    return {"detail": str(error), "code": "error"}


def _next_step(error: APIException) -> list[str]:
    return [step for kind, step in NEXT_STEPS.items() if isinstance(error, kind)]


def _of_fields(detail: Any) -> dict[str, Any]:
    if isinstance(detail, Mapping):
        return {"detail": INVALID, "code": "invalid", "errors": detail}
    if any(isinstance(row, Mapping) for row in detail):  # of a list: by the place in it
        wrong = {str(place): row for place, row in enumerate(detail) if row}
        return {"detail": INVALID, "code": "invalid", "errors": wrong}
    return {"detail": " ".join(map(str, detail)), "code": "invalid"}
