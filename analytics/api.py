"""The API of the error budget: certificates, what a budget costs, and drawing more of the audit."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import budget, problems, serializers
from labeling import audits, certification, lookups
from labeling.filtering import ChoiceFilter, FilterSet, FlagFilter, ProjectFilter, since, until
from labeling.models import Certificate, CertificateUse, Project
from labeling.models.api_key import Scope
from labeling.models.certificate import PromiseChoice
from labeling.openapi import sent
from labeling.permissions import HasScope
from labeling.requests import checked
from labeling.viewsets import Resource

KNOWN = OpenApiResponse(serializers.WholeCertificateSerializer, "The same question about the same audit: no new look.")


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_certificate"


class MayManage(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.change_project"  # a threshold and an audit are the project's


class CertificateFilters(FilterSet):
    project = ProjectFilter()
    promise = ChoiceFilter(choices=PromiseChoice.choices)
    is_granted = FlagFilter(field_name="threshold", lookup_expr="isnull", exclude=True)
    created_after = since()
    created_before = until()


class CertificateViewSet(Resource):
    """What looks at the audit have proven, newest first."""

    queryset = Certificate.objects.select_related("project")
    serializer_class = serializers.CertificateSerializer
    filterset_class = CertificateFilters
    may_read = MayRead
    may_write = MayManage
    refusals = problems.REFUSALS

    def list(self, request: Request) -> Response:
        """Certificates of all projects that you may see, also those that ended or proved nothing."""
        rows = self.filter_queryset(self.get_queryset().defer("steps"))
        return self.get_paginated_response(_shown(self.paginate_queryset(rows)))

    @extend_schema(responses=serializers.WholeCertificateSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One certificate with every threshold that was tested."""
        return Response(_whole(self.get_object()))

    @extend_schema(
        request=serializers.CertifyBody,
        responses={201: serializers.WholeCertificateSerializer, 200: KNOWN},
        examples=[sent({"project": "Demo", "promise": "dataset", "budget": 0.05})],
    )
    def create(self, request: Request) -> Response:
        """Look at the audit. Each look spends part of the doubt; look when the audit is decided."""
        wanted = checked(serializers.CertifyBody, request.data)
        project = lookups.find_project(request, wanted.pop("project"))
        begun = timezone.now()
        look = wanted.pop("look", None)
        made = certification.certify(project, **wanted, expected_look=look, user=request.user)
        budget.forget(project)
        return Response(_whole(made), status=201 if made.created_at >= begun else 200)

    @extend_schema(request=None, responses=serializers.MovedSerializer)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str) -> Response:
        """Make its threshold the project's, and move the machine's labels to their side of it."""
        certificate = self.get_object()
        use = certification.apply(certificate, user=request.user)
        return _moved(use, certificate.threshold)

    @extend_schema(request=None, responses=serializers.MovedSerializer)
    @action(detail=True, methods=["post"])
    def unapply(self, request: Request, pk: str) -> Response:
        """Put back the threshold and the texts, except those that somebody has decided since."""
        use = certification.unapply(self.get_object())
        return _moved(use, use.previous_threshold)


class BudgetViewSet(Resource):
    """The error budget of one project, by its id."""

    queryset = Project.objects.all()
    project_path = "pk"
    may_read = MayRead
    may_write = MayManage
    refusals = problems.REFUSALS

    @extend_schema(responses=serializers.BudgetSerializer)
    @action(detail=True)
    def budget(self, request: Request, pk: str) -> Response:
        """What 1, 2, 5 and 10 % will cost. Costs no look: the answers of the audit are not looked at."""
        return Response(serializers.BudgetSerializer(budget.outlook(self.get_object())).data)

    @extend_schema(
        request=serializers.DrawBody, responses={201: serializers.DrawnSerializer}, examples=[sent({"size": 100})]
    )
    @action(detail=True, methods=["post"])
    def audit(self, request: Request, pk: str) -> Response:
        """Draw more texts at random for the blind audit."""
        size = checked(serializers.DrawBody, request.data)["size"]
        project = self.get_object()
        waiting = audits.draw(project, size)
        budget.forget(project)
        return Response({"drawn": size, "waiting": waiting}, status=201)


# --- In and out -------------------------------------------------------------------------------------------------------


def _shown(certificates: Iterable[Certificate]) -> list[dict[str, Any]]:
    rows = list(certificates)
    return list(serializers.CertificateSerializer(rows, many=True, context=_standings(rows)).data)


def _whole(certificate: Certificate) -> dict[str, Any]:
    return dict(serializers.WholeCertificateSerializer(certificate, context=_standings([certificate])).data)


def _standings(certificates: Sequence[Certificate]) -> dict[str, Any]:
    """What became of the certificates, asked once for each project."""
    ended: dict[int, str | None] = {}
    in_use = set()
    for project in {certificate.project for certificate in certificates}:
        ended |= certification.ended_reasons(project, [one for one in certificates if one.project_id == project.pk])
        if used := certification.in_force(project):
            in_use.add(used.pk)
    return {"ended": ended, "in_use": in_use}


def _moved(use: CertificateUse, threshold: float | None) -> Response:
    budget.forget(use.certificate.project)
    moved = {"threshold": threshold, "accepted": len(use.accepted_ids), "held_back": len(use.held_back_ids)}
    return Response(serializers.MovedSerializer(moved).data)
