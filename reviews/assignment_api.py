"""The API of assignments: which texts lie on whose desk, and taking one off it."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.viewsets import Resource
from reviews import queue, serializers
from reviews.access import may_manage
from reviews.api import MayReview
from reviews.models import Assignment
from reviews.review_filters import AssignmentFilters


class MayRead(HasScope):
    scope = Scope.READ
    permission = "reviews.view_assignment"


class AssignmentViewSet(Resource):
    """Claims that stand: texts on desks, newest first. Managers see all desks, others their own."""

    queryset = Assignment.objects.select_related("reviewer__user", "text__project").defer("text__content")
    serializer_class = serializers.AssignmentSerializer
    filterset_class = AssignmentFilters
    project_path = "text__project"
    may_read = MayRead
    may_write = MayReview

    def get_queryset(self) -> QuerySet[Assignment]:
        standing = super().get_queryset().filter(expires_at__gt=timezone.now())
        return standing if may_manage(self.request.user) else standing.filter(reviewer__user_id=self.request.user.pk)

    def list(self, request: Request) -> Response:
        """What lies on your desk, or as a manager on all desks."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One claim that stands."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=serializers.CountAnswer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Take the text off the desk, so that others get it. Managers clear the desks of others as well."""
        claim = self.get_object()
        return Response({"count": queue.release(claim.reviewer, [claim.text_id])})
