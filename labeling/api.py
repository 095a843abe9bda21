"""The API of labeling runs: start one, see how far it is, and say what is to become of it."""

from http import HTTPStatus

from django_filters.rest_framework import CharFilter
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import runs, serializers
from labeling.choices import RunOrigin, RunStatus
from labeling.filtering import ChoiceFilter, FilterSet, ProjectFilter, since, until
from labeling.lookups import find_project
from labeling.models import LabelingRun
from labeling.models.api_key import Scope
from labeling.openapi import sent
from labeling.permissions import HasScope
from labeling.requests import checked
from labeling.viewsets import Resource


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_labelingrun"


class MayLabel(HasScope):
    scope = Scope.LABEL
    permission = "labeling.change_labelingrun"


class RunFilters(FilterSet):
    project = ProjectFilter()
    status = ChoiceFilter(choices=RunStatus.choices)
    origin = ChoiceFilter(choices=RunOrigin.choices)
    provider = CharFilter(max_length=40, help_text="Alias of a provider.")
    created_after = since()
    created_before = until()


class RunViewSet(Resource):
    """Labeling runs, newest first. They are worked on in the background."""

    queryset = LabelingRun.objects.select_related("project", "created_by")
    serializer_class = serializers.RunSerializer
    filterset_class = RunFilters
    may_read = MayRead
    may_write = MayLabel
    refusals = {
        runs.Archived: (HTTPStatus.CONFLICT, "project_archived"),
        runs.NoActiveCategories: (HTTPStatus.CONFLICT, "no_active_categories"),
        runs.NothingToLabel: (HTTPStatus.CONFLICT, "nothing_to_label"),
        runs.RunInProgress: (HTTPStatus.CONFLICT, "run_in_progress"),
    }

    def list(self, request: Request) -> Response:
        """Runs of all projects that you may see."""
        return self.page()

    @extend_schema(responses=serializers.WholeRunSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One run, and how far it is."""
        return _whole(self.get_object())

    @extend_schema(
        request=serializers.StartBody,
        responses={202: serializers.WholeRunSerializer},
        examples=[sent({"project": "Demo", "limit": 1000})],
    )
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
