"""The API of texts and their labels. For those who may see what the model said: not for who decides blind."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Left
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import adding, idempotency, streams, text_serializers
from labeling.adding import Added
from labeling.lookups import find_project
from labeling.models import Project, Text
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.readers import ImportFailed
from labeling.requests import asked
from labeling.row_schema import ROW
from labeling.text_filters import LabelFilters, TextFilters, walk_of_labels, walk_of_texts, walked_labels
from labeling.transfer_serializers import ProjectQuery
from labeling.viewsets import Resource
from labeling.walking import Walk, Walked

ROWS = [
    {"text": "My parcel has not arrived.", "external_id": "m-17", "source": "mail"},
    {"text": "Where is my refund?", "external_id": "m-18", "metadata": {"customer": 4711}},
]


class MayReadTexts(HasScope):
    scope = Scope.READ
    permission = "labeling.view_text"


class MayAddTexts(HasScope):
    scope = Scope.LABEL
    permission = "labeling.change_text"


class MayReadLabels(HasScope):
    scope = Scope.READ
    permission = "labeling.view_label"


class WalkedResource(Resource):
    """A list of rows that may be a million: see `labeling.walking`."""

    pagination_class = Walked

    def wanted(self) -> dict[str, Any]:
        """The values of the filters, which have been checked."""
        filterset = self.filter_backends[0]().get_filterset(self.request, self.get_queryset(), self)
        filterset.form.is_valid()
        return dict(filterset.form.cleaned_data)


class TextViewSet(WalkedResource):
    """Texts with the labels that hold, newest first."""

    queryset = Text.objects.select_related("project", "current_label__category", "reviewed_by")
    serializer_class = text_serializers.TextSerializer
    filterset_class = TextFilters
    may_read = MayReadTexts
    may_write = MayAddTexts
    repeatable_after = idempotency.QUICK
    parser_classes = [streams.JsonRows, streams.NdjsonRows]
    asks_by_address = frozenset({"project"})  # the body is rows alone

    def walk(self) -> Walk:
        wanted, texts = self.wanted(), self.get_queryset()
        if wanted["project"]:
            texts = texts.filter(project=find_project(self.request, wanted["project"]))
        return walk_of_texts(texts, wanted)

    def filter_queryset(self, queryset: QuerySet[Text]) -> QuerySet[Text]:
        cut = Left("content", text_serializers.MOST_CHARACTERS + 1)
        return super().filter_queryset(queryset).defer("content", "metadata").annotate(beginning=cut)

    def list(self, request: Request) -> Response:
        """Texts of all projects that you may see. Follow `next` to the end: a page may be short before it."""
        return self.page()

    @extend_schema(responses=text_serializers.WholeTextSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One text, whole, with the label that holds."""
        return Response(text_serializers.WholeTextSerializer(self.get_object()).data)

    @extend_schema(
        request={"application/json": {"type": "array", "items": ROW}, "application/x-ndjson": ROW},
        responses={201: text_serializers.AddedSerializer},
        parameters=[ProjectQuery],
        examples=[OpenApiExample("Two texts", ROWS, request_only=True, media_type="application/json")],
    )
    def create(self, request: Request) -> Response:
        """Create texts, or update them by their external id: a JSON array, or a stream of one JSON object a line.

        Where the external id is known, source, language and metadata are updated. The words of a text never change.
        """
        project = find_project(request, asked(ProjectQuery, request)["project"])
        added = Added()
        try:
            with streams.table_of(request) as table:
                adding.add(project, table.rows, into=added)
        except ImportFailed as reason:
            before = _document(project, added)
            raise Problem(
                HTTPStatus.BAD_REQUEST, "unreadable_body", streams.in_request(str(reason)), before=before
            ) from None
        return Response(_document(project, added), status=HTTPStatus.CREATED)


def _document(project: Project, added: Added) -> dict[str, Any]:
    rows = [{"line": error.line, "reason": error.reason} for error in added.errors]
    return {"project": project.name, **asdict(added), "errors": rows}


class LabelViewSet(WalkedResource):
    """Labels, newest first: what models said and people decided, version by version. None is ever changed."""

    queryset = walked_labels().select_related("category", "classifier", "annotator")
    project_path = "walked_project"
    serializer_class = text_serializers.LabelSerializer
    filterset_class = LabelFilters
    may_read = may_write = MayReadLabels

    def walk(self) -> Walk:
        return walk_of_labels(self.get_queryset(), self.wanted())

    def list(self, request: Request) -> Response:
        """Labels of all projects that you may see; `text` gives one text's history."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One label."""
        return Response(self.get_serializer(self.get_object()).data)
