"""The API of exports: a project's texts with their labels, as a file that is written while it is sent.

No export is made in the background, and there is none to poll or to expire: see `labeling.downloading`. The list tells
who took out what.
"""

from http import HTTPStatus

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import certification, downloading, exporting, transfer_serializers
from labeling.export_forms import COLUMNS
from labeling.filtering import FilterSet, ProjectFilter, since, until
from labeling.lookups import find_project
from labeling.models import ExportRecord
from labeling.models.api_key import Scope
from labeling.negotiating import AnyAccept
from labeling.permissions import HasScope
from labeling.requests import asked
from labeling.sending import answer_with
from labeling.viewsets import Resource

CONTENT_TYPES = sorted({one.content_type.partition(";")[0] for one in exporting.FORMATS.values()} | {downloading.ZIP})
FILE = OpenApiResponse({"title": "The file"}, "The file, in the chosen format; zipped where it is several.")


class MayExport(HasScope):
    scope = Scope.READ
    permission = "labeling.view_label"


class ExportFilters(FilterSet):
    project = ProjectFilter()
    created_after = since()
    created_before = until()


class ExportViewSet(Resource):
    """Files of a project's texts with the labels that hold and where each came from."""

    queryset = ExportRecord.objects.select_related("project", "created_by")
    serializer_class = transfer_serializers.ExportSerializer
    filterset_class = ExportFilters
    may_read = may_write = MayExport
    refusals = {exporting.DoesNotFit: (HTTPStatus.CONFLICT, "does_not_fit")}

    def list(self, request: Request) -> Response:
        """Exports of all projects that you may see: who took out what, and whether it came to its end."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One export that was asked for."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        parameters=[transfer_serializers.ProjectQuery], responses=transfer_serializers.ExportChoicesSerializer
    )
    @action(detail=False, pagination_class=None, filter_backends=[])
    def choices(self, request: Request) -> Response:
        """What there is to export of a project: how many texts, in which formats, and what is proven about them."""
        project = find_project(request, asked(transfer_serializers.ProjectQuery, request)["project"])
        statement = certification.statement(project)
        counts = exporting.texts_of_each(project)
        return Response(
            {
                "project": project.name,
                "selections": [{"only": only, "texts": texts} for only, texts in counts.items()],
                "formats": list(exporting.FORMATS),
                "columns": COLUMNS,
                "promise": statement["sentence"] if statement else None,
            }
        )

    @extend_schema(parameters=[transfer_serializers.ExportQuery], responses={(200, *CONTENT_TYPES): FILE})
    @action(detail=False, content_negotiation_class=AnyAccept, pagination_class=None, filter_backends=[])
    def download(self, request: Request) -> StreamingHttpResponse:
        """The file, sent while it is written."""
        wanted = asked(transfer_serializers.ExportQuery, request)
        file = downloading.download(
            find_project(request, wanted["project"]),
            file_format=wanted["format"],
            only=wanted["only"],
            columns=wanted["columns"],
            with_certificate=wanted["certificate"],
            user=request.user,
        )
        return answer_with(file)
