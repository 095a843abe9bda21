"""The API of exports: a project's texts with their labels, as a file that is written while it is sent.

No export is made in the background, and there is none to list, to poll or to expire: in every format the first bytes
come at once and memory stays flat, so a download of a million texts cannot time out and needs no place to be kept.
"""

from http import HTTPStatus

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import certification, exporting, transfer_serializers
from labeling.export_forms import COLUMNS
from labeling.export_views import answer_with, texts_of_each
from labeling.lookups import find_project
from labeling.models import Text
from labeling.models.api_key import Scope
from labeling.negotiating import AnyAccept
from labeling.permissions import HasScope
from labeling.requests import checked
from labeling.viewsets import Resource

FILE = OpenApiResponse(OpenApiTypes.BINARY, "The file, in the chosen format.")


class MayExport(HasScope):
    scope = Scope.READ
    permission = "labeling.view_label"


class ExportViewSet(Resource):
    """Files of a project's texts with the labels that hold and where each came from."""

    queryset = Text.objects.none()  # for the schema
    project_path = None  # found by name or id among those that the caller may see
    serializer_class = transfer_serializers.ExportsSerializer
    pagination_class = None  # type: ignore[assignment]  # one answer, no list
    filter_backends = []
    may_read = may_write = MayExport
    refusals = {exporting.DoesNotFit: (HTTPStatus.CONFLICT, "does_not_fit")}

    @extend_schema(
        operation_id="exports_list",
        parameters=[transfer_serializers.ProjectQuery],
        responses=transfer_serializers.ExportsSerializer(many=False),
    )
    def list(self, request: Request) -> Response:
        """What there is to export of a project: how many texts, in which formats, and what is proven about them."""
        project = find_project(request, checked(transfer_serializers.ProjectQuery, request.query_params)["project"])
        statement = certification.statement(project)
        counts = texts_of_each(project)
        return Response(
            {
                "project": project.name,
                "choices": [{"only": only, "texts": texts} for only, texts in counts.items()],
                "formats": list(exporting.FORMATS),
                "columns": COLUMNS,
                "promise": statement["sentence"] if statement else None,
            }
        )

    @extend_schema(parameters=[transfer_serializers.ExportQuery], responses={(200, "application/octet-stream"): FILE})
    @action(detail=False, content_negotiation_class=AnyAccept)
    def download(self, request: Request) -> StreamingHttpResponse:
        """The file, sent while it is written."""
        wanted = checked(transfer_serializers.ExportQuery, request.query_params)
        file = exporting.download(
            find_project(request, wanted["project"]),
            file_format=wanted["format"],
            only=wanted["only"],
            columns=wanted["columns"],
            with_certificate=wanted["certificate"],
        )
        return answer_with(file)
