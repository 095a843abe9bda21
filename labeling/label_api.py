"""The API that labels texts: one or a few while the caller waits, many in the background."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from labeling import answering, backlog, drafts, idempotency, keeping, label_problems, label_serializers
from labeling.api import MayLabel
from labeling.drafts import Draft, RowRejected
from labeling.keeping import Answered
from labeling.lookups import find_project
from labeling.models import Project, Text
from labeling.providers.base import ProviderError
from labeling.requests import checked
from labeling.viewsets import Resource

MESSAGES = ["My parcel has not arrived.", {"text": "Where is my refund?", "source": "mail", "external_id": "m-17"}]

Failed = dict[str, str]


class LabelingViewSet(Resource):
    """Texts that are labeled at once, or at least soon."""

    queryset = Text.objects.none()  # for the schema
    project_path = None
    may_read = may_write = MayLabel
    own_problems = ("BadGateway", "Unavailable")
    repeatable_after = answering.LONGEST + idempotency.QUICK

    def problem_of(self, error: Exception) -> Exception:
        return label_problems.of(error)

    @extend_schema(
        request=label_serializers.LabelBody,
        responses={200: label_serializers.AnswerSerializer},
        examples=[OpenApiExample("One text", {"text": MESSAGES[0], "project": "Demo"}, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Label one text. It is stored with its label, unless store is false."""
        wanted = checked(label_serializers.LabelBody, request.data)
        project = find_project(request, wanted["project"])
        [answer] = keeping.answer(project, [_draft(wanted)], store=wanted["store"])
        if isinstance(answer, ProviderError):
            raise answer
        return Response(label_serializers.document(answer))

    @extend_schema(
        request=label_serializers.BatchBody,
        responses={200: label_serializers.BatchAnswerSerializer, 202: label_serializers.BacklogSerializer},
        examples=[OpenApiExample("Two texts", {"texts": MESSAGES, "project": "Demo"}, request_only=True)],
    )
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Label several texts. Up to MAX_BATCH_SIZE are answered at once; more are stored and labeled by a run."""
        wanted = checked(label_serializers.BatchBody, request.data)
        project = find_project(request, wanted["project"])
        good, bad = _drafts(wanted["texts"])
        if len(wanted["texts"]) <= settings.MAX_BATCH_SIZE:
            return _answered(project, good, bad, store=wanted["store"])
        if not wanted["store"]:
            most = f"Without storing, at most {settings.MAX_BATCH_SIZE} texts are answered."
            raise ValidationError({"texts": [f"{most} Send fewer, or let store be true."]})
        return _queued(request, project, good, bad)


def _draft(wanted: dict[str, Any]) -> Draft:
    values = {name: wanted[name] for name in ("text", "source") if name in wanted}
    try:
        return drafts.of_request(0, values)
    except RowRejected as reason:
        raise ValidationError({"text": [reason.sentence]}) from None


def _drafts(values: list[Any]) -> tuple[dict[int, Draft], dict[int, Failed]]:
    """By place in the request: the texts, and what is wrong with the others."""
    good, bad = {}, {}
    for place, value in enumerate(values):
        try:
            good[place] = drafts.of_request(place, value)
        except RowRejected as reason:
            bad[place] = {"code": "invalid_text", "detail": reason.sentence}
    return good, bad


def _answered(project: Project, good: dict[int, Draft], bad: dict[int, Failed], *, store: bool) -> Response:
    said = keeping.answer(project, list(good.values()), store=store) if good else []
    found = dict(zip(good, said, strict=True))
    failed = bad | {place: _failed(one) for place, one in found.items() if isinstance(one, ProviderError)}
    answers = {place: label_serializers.document(one) for place, one in found.items() if isinstance(one, Answered)}
    places = sorted(failed.keys() | answers.keys())
    results = [{"index": n, "answer": answers.get(n), "error": failed.get(n)} for n in places]
    return Response({"answered": len(answers), "failed": len(failed), "results": results})


def _failed(error: ProviderError) -> Failed:
    return {"code": "provider_failed" if error.permanent else "provider_unavailable", "detail": str(error)}


def _queued(request: Request, project: Project, good: dict[int, Draft], bad: dict[int, Failed]) -> Response:
    found = backlog.label_later(project, list(good.values()), user=request.user)
    address = reverse("run-detail", args=[found.run.pk], request=request) if found.run else None
    body = {
        "added": found.added,
        "waiting": found.waiting,
        "run_id": found.run and found.run.pk,
        "run": address,
        "note": found.note,
        "errors": [{"index": place, "error": error} for place, error in sorted(bad.items())],
    }
    return Response(body, status=HTTPStatus.ACCEPTED, headers={"Location": address} if address else None)
