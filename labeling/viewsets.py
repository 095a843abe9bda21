"""What all viewsets of the API have in common: who may do what, with which rows, and what stands for an error."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from labeling.filtering import Filters
from labeling.guarding import Guarded
from labeling.lookups import only_visible
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import NewestFirst, refuse_unclear


class Resource(Guarded, GenericViewSet):
    """The base of every viewset.

    `may_read` is asked for by GET, `may_write` by all else, unless an `@action` names its own `permission_classes`.
    `project_path` leads from a row to its project, so that rows of projects which the caller may not see are not
    found; None where rows have no project and the viewset looks after that itself. `refusals` are exceptions that
    become problems: (status, code) with the exception's own words. `own_problems` are those of `openapi.PROBLEMS` that
    only some viewsets answer. `asks_by_address` are parameters that a change takes in its address; any other is refused
    there, because it would be ignored.
    """

    may_read: ClassVar[type[HasScope]]
    may_write: ClassVar[type[HasScope]]
    project_path: ClassVar[str | None] = "project"
    refusals: ClassVar[Mapping[type[Exception], tuple[HTTPStatus, str]]] = {}
    own_problems: ClassVar[tuple[str, ...]] = ()
    asks_by_address: ClassVar[frozenset[str]] = frozenset()
    pagination_class = NewestFirst
    filter_backends = [Filters]
    lookup_value_regex = "[0-9]{1,18}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action and request.method not in SAFE_METHODS:  # there is none where the method is not allowed
            refuse_unclear(request.query_params, {*self.asks_by_address, api_settings.URL_FORMAT_OVERRIDE})

    def get_permissions(self) -> list[BasePermission]:
        if "permission_classes" in vars(self):  # of an @action
            return list(super().get_permissions())
        return [self.may_read() if self.request.method in SAFE_METHODS else self.may_write()]

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        return rows if self.project_path is None else only_visible(self.request, rows, self.project_path)

    def get_object(self) -> Any:
        """The row of the address. Filters are for lists: here a wrong parameter would hide it."""
        row = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, row)
        return row

    def page(self) -> Response:
        """One page of the rows that the filters leave."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def handle_exception(self, exc: Exception) -> HttpResponseBase:
        return super().handle_exception(self.problem_of(exc))

    def problem_of(self, error: Exception) -> Exception:
        """The problem that tells a caller about this error; other errors as they are."""
        for kind, (status, code) in self.refusals.items():
            if isinstance(error, kind):
                return Problem(status, code, str(error))
        return error
