"""Errors of the API as problem details [RFC 9457]: type, title, status, detail, and a code that programs can tell."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
INVALID = "Some fields are wrong. See errors."


class Problem(APIException):
    """An error with a code of its own, and whatever else helps the caller to go on."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail, code)
        self.status_code = status.value
        self.more = more


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: its own choice of status and headers, with a body that is the same for all errors."""
    response = exception_handler(error, context)
    if response is None:
        return None
    status = HTTPStatus(response.status_code)
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, **_said(error)}
    response.data = body
    response.content_type = CONTENT_TYPE
    return response


def _said(error: Exception) -> dict[str, Any]:
    if isinstance(error, Problem):
        return {"detail": str(error.detail), "code": error.detail.code, **error.more}
    if isinstance(error, ValidationError):
        return _of_fields(error.detail)
    if isinstance(error, APIException) and isinstance(error.detail, ErrorDetail):
        return {"detail": str(error.detail), "code": error.detail.code}
    if isinstance(error, Http404):
        return {"detail": str(error) or "There is nothing at this address.", "code": "not_found"}
    if isinstance(error, PermissionDenied):
        return {"detail": str(error) or "You may not do this.", "code": "permission_denied"}
    return {"detail": str(error), "code": "error"}


def _of_fields(detail: Any) -> dict[str, Any]:
    if isinstance(detail, Mapping):
        return {"detail": INVALID, "code": "invalid", "errors": detail}
    return {"detail": " ".join(map(str, detail)), "code": "invalid"}
