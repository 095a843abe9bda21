"""What a request of the API asks for, checked, and the pages of its lists."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as WrongValue
from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from labeling.json_types import misnamed, mistyped
from labeling.models import ApiKey

MOST_ROWS = 500
CHUNKED = "chunked"
CSRF_FIELD = "csrfmiddlewaretoken"  # of forms that are sent with a session


class NewestFirst(CursorPagination):
    """Pages by the place of their first row, so that each costs the same, and rows that come meanwhile move none."""

    ordering: Any = "-id"
    page_size = 50
    page_size_query_param = "limit"
    page_size_query_description = f"Rows on a page, from 1 to {MOST_ROWS}."
    max_page_size = MOST_ROWS
    cursor_query_description = "Where the page begins: take it from `next` or `previous` of the page before."

    def get_page_size(self, request: Request) -> int:
        """Refused where it is out of reach: a smaller page than was asked for would look like the end of the list."""
        wanted = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 and 1 <= int(wanted) <= MOST_ROWS):
            raise ValidationError({self.page_size_query_param: [f"Ask for 1 to {MOST_ROWS} rows."]})
        return int(wanted)

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        self.model = queryset.model
        return list(super().paginate_queryset(queryset, request, view=view) or [])

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            self._refuse_position(cursor.position)
        return cursor

    def _refuse_position(self, position: str) -> None:
        """A position comes from outside: what is no value of its column would make the database fail."""
        column = self.model._meta.get_field(self.ordering[0].lstrip("-"))
        try:
            column.run_validators(column.to_python(position))
        except WrongValue:
            raise NotFound(self.invalid_cursor_message) from None

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """With the limits that the OpenAPI document is to tell."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in found:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": MOST_ROWS, "default": self.page_size}
            else:
                parameter["schema"] |= {"minLength": 1}
        return found


def is_chunked(meta: Mapping[str, Any]) -> bool:
    """Whether the body is sent without its length, by a server that tells where it ends. Django takes it for empty."""
    return meta.get("HTTP_TRANSFER_ENCODING", "").lower() == CHUNKED and bool(meta.get("wsgi.input_terminated"))


def caller_of(request: Request) -> str:
    """Who sends it, for what is counted or kept for each caller: an API key, or the user of a session."""
    return f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"


def checked(body: type[Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """The values of a body; with `partial` only of fields that it has.

    Raises DRF's ValidationError, which names each wrong field, also one that is not known: it would be ignored.
    """
    wanted = body(data=data, partial=partial)
    if wrong := misnamed(wanted, _names(data)) if isinstance(data, QueryDict) else mistyped(wanted, data):
        raise ValidationError(wrong)
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)


def _names(form: QueryDict) -> set[str]:
    """The fields that a form fills in: DRF reads lists and objects from names like `scopes[0]` and `parent.child`."""
    return {re.split(r"[\[.]", name, maxsplit=1)[0] for name in form} - {CSRF_FIELD}


def asked(query: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The values of a query. A parameter that is not known, empty, or there twice is refused: it would be ignored."""
    given = request.query_params
    known = {*query().fields, api_settings.URL_FORMAT_OVERRIDE}
    refuse_unclear(given, known)
    wanted = query(data=given.dict())
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)


def refuse_unclear(given: QueryDict, known: set[str]) -> None:
    """Raises ValidationError for parameters that would be left out in silence."""
    wrong = {}
    for name, values in given.lists():
        if name not in known:
            names = ", ".join(sorted(known - {api_settings.URL_FORMAT_OVERRIDE}))
            hint = (
                f"Parameters: {names}."
                if names
                else "Leave it out, or put it into the body, where that has such a field."
            )
            wrong[name] = [f"There is no such parameter. {hint}"]
        elif values == [""]:
            wrong[name] = ["Give a value, or leave the parameter out."]
        elif len(values) > 1:
            wrong[name] = ["Give it once."]
    if wrong:
        raise ValidationError(wrong)
