"""The API of the statistics: the same numbers as on the page."""

from http import HTTPStatus

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import choosing, keeping, statistics
from analytics.choosing import Names, UnknownChoice
from analytics.statistics_serializers import BeingCountedSerializer, StatisticsQuery, StatisticsSerializer
from labeling.lookups import find_project
from labeling.models import Project
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.requests import asked
from labeling.viewsets import Resource

BEING_COUNTED = (
    "This project has not been counted yet. A worker counts it in the background, within a minute; ask again. "
    "Without a worker: manage.py run_worker."
)
LATER = OpenApiResponse(
    BeingCountedSerializer,
    "The project is counted in the background for the first time: ask again in a minute.",
    [OpenApiExample("Being counted", {"detail": BEING_COUNTED})],
)


class MayReadFigures(HasScope):
    """Managers: the figures speak of persons, and of what the machine said of texts that are decided blind."""

    scope = Scope.READ
    permission = "reviews.change_reviewer"


class StatisticsViewSet(Resource):
    """What a project's labels, reviews, runs and certificates come to."""

    queryset = Project.objects.all()
    project_path = None  # found by name or id among those that the caller may see
    serializer_class = StatisticsSerializer
    pagination_class = None  # type: ignore[assignment]  # one answer, no list
    filter_backends = []
    may_read = MayReadFigures
    may_write = MayReadFigures

    @extend_schema(
        operation_id="statistics",
        parameters=[StatisticsQuery],
        responses={200: forced_singular_serializer(StatisticsSerializer), 202: LATER},
    )
    def list(self, request: Request) -> Response:
        """All statistics of a project, or of a part of it. Large projects are counted in the background."""
        wanted = asked(StatisticsQuery, request)
        project = find_project(request, wanted.pop("project", None))
        counted = keeping.of_project(project)
        if counted is None:
            return Response({"detail": BEING_COUNTED}, HTTPStatus.ACCEPTED, headers={"Retry-After": "60"})
        names = Names.of(project)
        wanted |= {"since": wanted.get("from"), "until": wanted.get("to")}
        try:
            filters = choosing.chosen(names, counted.tables.sources, wanted)
        except UnknownChoice as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(StatisticsSerializer(statistics.of_counted(project, counted, names, filters)).data)
