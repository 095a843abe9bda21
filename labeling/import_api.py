"""The API of imports: send a file, see how far it is, and get back what was rejected."""

from http import HTTPStatus

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from labeling import transfer_serializers, uploading, uploads
from labeling.choices import ImportStatus
from labeling.filtering import ChoiceFilter, FilterSet, ProjectFilter, since, until
from labeling.import_words import in_api
from labeling.importing import ImportFailed
from labeling.lookups import find_project
from labeling.models import ImportRecord
from labeling.models.api_key import Scope
from labeling.negotiating import AnyAccept
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import checked
from labeling.sending import rejected_file
from labeling.viewsets import Resource

Whole = transfer_serializers.WholeImportSerializer
SENT = OpenApiExample(
    "A table of two columns",
    {"file": "(the file)", "project": "News", "text_column": "headline", "id_column": "number"},
    request_only=True,
)


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_importrecord"


class MayImport(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.add_importrecord"


class ImportFilters(FilterSet):
    project = ProjectFilter()
    status = ChoiceFilter(choices=ImportStatus.choices)
    created_after = since()
    created_before = until()


class ImportViewSet(Resource):
    """Files on their way into a project, newest first. They are imported in the background."""

    queryset = ImportRecord.objects.select_related("project", "created_by")
    serializer_class = transfer_serializers.ImportSerializer
    filterset_class = ImportFilters
    parser_classes = [MultiPartParser]
    may_read = MayRead
    may_write = MayImport
    refusals = {uploads.NothingToCancel: (HTTPStatus.CONFLICT, "nothing_to_cancel")}

    def problem_of(self, error: Exception) -> Exception:
        if isinstance(error, ImportFailed):
            return Problem(HTTPStatus.BAD_REQUEST, "unreadable_file", in_api(str(error)))
        return super().problem_of(error)

    def list(self, request: Request) -> Response:
        """Imports of all projects that you may see."""
        return self.page()

    @extend_schema(responses=Whole)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One import, and how far it is."""
        return Response(Whole(self.get_object()).data)

    @extend_schema(
        request={"multipart/form-data": transfer_serializers.ImportBody}, responses={202: Whole}, examples=[SENT]
    )
    def create(self, request: Request) -> Response:
        """Import a file. What its columns mean is told by their names, or by you; duplicates are never added."""
        body = request.data  # reading it tells whether it is too large
        if uploading.is_too_large(request._request):
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file_too_large", uploading.too_large())
        wanted = checked(transfer_serializers.ImportBody, body)
        record = uploads.take_and_start(
            find_project(request, wanted["project"]),
            wanted["file"],
            file_format=wanted["format"],
            encoding=wanted["encoding"],
            options=transfer_serializers.options_of(wanted),
            user=request.user,
        )
        headers = {"Location": reverse("import-detail", args=[record.pk], request=request)}
        return Response(Whole(record).data, status=HTTPStatus.ACCEPTED, headers=headers)

    @extend_schema(request=None, responses=Whole)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it. The texts that it added stay."""
        record = self.get_object()
        uploads.cancel(record)
        return Response(Whole(record).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, "The rows with their reasons.")})
    @action(detail=True, content_negotiation_class=AnyAccept)
    def rejected(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The rejected rows as CSV: put right, the file can be imported."""
        return rejected_file(self.get_object(), in_api)
