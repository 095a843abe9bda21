"""The API of labeling runs: start one, see how far it is, and say what is to become of it."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from labeling import runs, serializers
from labeling.lookups import find_project
from labeling.models import LabelingRun
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import NewestFirst, checked

CODES: dict[type[Exception], str] = {
    runs.NoActiveCategories: "no_active_categories",
    runs.NothingToLabel: "nothing_to_label",
    runs.RunInProgress: "run_in_progress",
}


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_labelingrun"


class MayLabel(HasScope):
    scope = Scope.LABEL
    permission = "labeling.change_labelingrun"


class RunViewSet(ReadOnlyModelViewSet[LabelingRun]):
    """Labeling runs, newest first. They are worked on in the background."""

    queryset = LabelingRun.objects.select_related("project", "created_by")
    serializer_class = serializers.RunSerializer
    pagination_class = NewestFirst
    lookup_value_regex = "[0-9]{1,18}"

    def get_permissions(self) -> list[BasePermission]:
        return [MayRead() if self.action in ("list", "retrieve") else MayLabel()]

    def handle_exception(self, exc: Exception) -> Response:
        code = CODES.get(type(exc))
        return super().handle_exception(Problem(HTTPStatus.CONFLICT, code, str(exc)) if code else exc)

    @extend_schema(parameters=[serializers.RunQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All runs, or those of a project or in a status."""
        wanted = checked(serializers.RunQuery, request.query_params)
        if "project" in wanted:
            wanted["project"] = find_project(request, wanted["project"])
        rows = self.paginate_queryset(self.get_queryset().filter(**wanted))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(responses=serializers.WholeRunSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One run, and how far it is."""
        return _whole(self.get_object())

    @extend_schema(request=serializers.StartBody, responses={202: serializers.WholeRunSerializer})
    def create(self, request: Request) -> Response:
        """Start a run over the project's texts. It is refused while another run of the project is unfinished."""
        wanted = checked(serializers.StartBody, request.data)
        project = find_project(request, wanted.pop("project"))
        return _whole(runs.start_in_background(project, user=request.user, **wanted), HTTPStatus.ACCEPTED)

    @extend_schema(request=None, responses=serializers.WholeRunSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Let it rest. Nothing happens to a run that has ended."""
        run = self.get_object()
        runs.pause(run)
        return _whole(run)

    @extend_schema(request=None, responses=serializers.WholeRunSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it was paused."""
        run = self.get_object()
        runs.resume(run)
        return _whole(run)

    @extend_schema(request=None, responses=serializers.WholeRunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End it. The labels that it made stay."""
        run = self.get_object()
        runs.cancel(run)
        return _whole(run)

    @extend_schema(request=None, responses={202: serializers.WholeRunSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """A new run over the texts that could not be labeled, and those only."""
        return _whole(runs.retry_failed(self.get_object(), user=request.user), HTTPStatus.ACCEPTED)


def _whole(run: LabelingRun, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(serializers.WholeRunSerializer(run).data, status=status)
