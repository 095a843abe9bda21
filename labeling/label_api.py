"""The API that labels texts while the caller waits."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from labeling import drafts, keeping, label_problems, label_serializers
from labeling.api import MayLabel
from labeling.lookups import find_project
from labeling.providers.base import ProviderError
from labeling.requests import checked


class LabelingViewSet(ViewSet):
    """Texts that are labeled at once."""

    permission_classes = [MayLabel]

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(label_problems.of(exc))

    @extend_schema(
        request=label_serializers.LabelBody,
        responses=label_serializers.AnswerSerializer,
        examples=[
            OpenApiExample("One text", {"text": "My parcel has not arrived.", "project": "Demo"}, request_only=True)
        ],
    )
    def create(self, request: Request) -> Response:
        """Label one text. It is stored with its label, unless store is false."""
        wanted = checked(label_serializers.LabelBody, request.data)
        project = find_project(request, wanted.get("project"))
        [answer] = keeping.answer(project, [_draft(wanted)], store=wanted["store"])
        if isinstance(answer, ProviderError):
            raise answer
        return Response(label_serializers.document(answer))


def _draft(wanted: dict[str, Any]) -> drafts.Draft:
    try:
        return drafts.of_request({"text": wanted["text"], "source": wanted.get("source", "")})
    except drafts.RowRejected as reason:
        raise ValidationError({"text": [f"{str(reason)[:1].upper()}{str(reason)[1:]}."]}) from None
