"""The API of projects and of who works on them."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import CharFilter
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import editing, lookups, projects, runs
from labeling.filtering import FilterSet, FlagFilter
from labeling.models import ApiKey, Project
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import checked
from labeling.viewsets import Resource
from reviews import members, project_serializers, project_settings
from reviews.models import Reviewer

Whole = project_serializers.ProjectSerializer
NEW = OpenApiExample(
    "A project",
    {
        "name": "News",
        "instructions": "Go by what the text is mostly about.",
        "threshold": 0.8,
        "categories": [{"name": "Sports", "description": "Matches and results."}, {"name": "Weather"}],
    },
    request_only=True,
)
CHANGE = OpenApiExample("A threshold", {"threshold": 0.9, "revision": "0f1e2d3c4b5a6978"}, request_only=True)
MEMBER = OpenApiExample("Somebody new", {"user": "maria", "is_new": True, "role": "reviewer"}, request_only=True)


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_project"


class MayChange(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.change_project"


class MayAdd(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.add_project"


class MaySeeMembers(HasScope):
    scope = Scope.READ
    permission = "reviews.view_reviewer"


class MayChangeMembers(HasScope):
    scope = Scope.MANAGE
    permission = "reviews.change_reviewer"


class ProjectFilters(FilterSet):
    archived = FlagFilter(field_name="is_archived", help_text="Only archived ones, or only others.")
    q = CharFilter(field_name="name", lookup_expr="icontains", max_length=120, help_text="Part of the name.")


class ProjectViewSet(Resource):
    """Labeling tasks: what is asked, by which model, and by which rules people review."""

    queryset = Project.objects.select_related("created_by")
    serializer_class = Whole
    filterset_class = ProjectFilters
    project_path = None
    may_read = MayRead
    may_write = MayChange
    refusals = {
        editing.ChangedMeanwhile: (HTTPStatus.CONFLICT, "changed_meanwhile"),
        projects.ProjectExists: (HTTPStatus.CONFLICT, "project_exists"),
        runs.RunInProgress: (HTTPStatus.CONFLICT, "run_in_progress"),
        members.WrongMember: (HTTPStatus.CONFLICT, "wrong_member"),
        members.MayNotInvite: (HTTPStatus.FORBIDDEN, "permission_denied"),
    }

    def get_permissions(self) -> list[BasePermission]:
        if self.action == "create":
            return [MayAdd()]
        if self.action in ("members", "add_member", "remove_member"):
            return [MaySeeMembers() if self.request.method == "GET" else MayChangeMembers()]
        return super().get_permissions()

    def get_queryset(self) -> QuerySet[Project]:
        mine = lookups.visible_projects(self.request)
        return super().get_queryset().filter(pk__in=mine.order_by().values("pk"))

    def problem_of(self, error: Exception) -> Exception:
        if isinstance(error, projects.WrongProject):
            return ValidationError(error.errors or [str(error)])
        if isinstance(error, projects.WrongCategories):
            return ValidationError({"categories": [str(error)]})
        return super().problem_of(error)

    # --- Projects -----------------------------------------------------------------------------------------------------

    def list(self, request: Request) -> Response:
        """The projects that you may see, newest first."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One project."""
        return Response(Whole(self.get_object()).data)

    @extend_schema(request=project_serializers.ProjectBody, responses={201: Whole}, examples=[NEW])
    def create(self, request: Request) -> Response:
        """Make a project with its categories, all of it or nothing."""
        _refuse_bound(request, "is bound to other projects, so that it could not see the new one")
        made = projects.create(**checked(project_serializers.ProjectBody, request.data), user=request.user)
        return Response(_whole(made), status=HTTPStatus.CREATED)

    @extend_schema(request=project_serializers.ProjectChanges, responses=Whole, examples=[CHANGE])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a project. Texts that need fewer reviews by it are settled."""
        project = self.get_object()
        changes = checked(project_serializers.ProjectChanges, request.data, partial=True)
        revision = changes.pop("revision", None)
        return Response(_whole(project_settings.edit(project, changes, revision=revision, user=request.user).project))

    @extend_schema(request=None, responses=Whole)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Put it away: nothing is labeled or reviewed there, nothing is lost."""
        return self._archived(True)

    @extend_schema(request=None, responses=Whole)
    @action(detail=True, methods=["post"])
    def unarchive(self, request: Request, pk: str) -> Response:
        """Take it up again."""
        return self._archived(False)

    def _archived(self, is_archived: bool) -> Response:
        changes = {"is_archived": is_archived}
        return Response(_whole(project_settings.edit(self.get_object(), changes, user=self.request.user).project))

    # --- Members ------------------------------------------------------------------------------------------------------

    @extend_schema(responses=project_serializers.MemberSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def members(self, request: Request, pk: str) -> Response:
        """Who reviews for the project. Managers see it without being members."""
        rows = self.paginate_queryset(self.filter_queryset(members.of_project(self.get_object())))
        return self.get_paginated_response(project_serializers.MemberSerializer(rows, many=True).data)

    @extend_schema(
        request=project_serializers.MemberBody,
        responses={201: project_serializers.NewMemberSerializer},
        examples=[MEMBER],
    )
    @members.mapping.post
    def add_member(self, request: Request, pk: str) -> Response:
        """Add somebody, with a new account if need be: `link` is where its owner chooses the password.

        A manager works on all projects, so that a key which is bound to some makes none (`key_is_bound`).
        """
        project = self.get_object()
        member, link = _add(request, project, checked(project_serializers.MemberBody, request.data))
        shown = project_serializers.MemberSerializer(members.of_project(project).get(pk=member.pk)).data
        return Response({**shown, "link": link}, status=HTTPStatus.CREATED)

    @extend_schema(
        responses={204: None},
        parameters=[OpenApiParameter("member", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["delete"], url_path="members/(?P<member>[0-9]{1,18})")
    def remove_member(self, request: Request, pk: str, member: str) -> Response:
        """Take somebody off the project. What they decided stays."""
        project = self.get_object()
        members.remove(project, get_object_or_404(members.of_project(project), pk=member), by=_user(request))
        return Response(status=HTTPStatus.NO_CONTENT)


def _whole(project: Project) -> dict[str, Any]:
    return dict(Whole(Project.objects.select_related("created_by").get(pk=project.pk)).data)


def _add(request: Request, project: Project, wanted: dict[str, Any]) -> tuple[Reviewer, str | None]:
    wanted["role"] = members.Role(wanted["role"])
    if wanted["role"] == members.Role.MANAGER:
        _refuse_bound(request, "is bound to projects, and a manager works on all of them")
    try:
        member = members.add_or_invite(project, wanted.pop("user"), **wanted, by=_user(request))
    except members.NoSuchUser as reason:
        raise ValidationError({"user": [f"{reason} Send is_new to make the account."]}) from None
    return member, request.build_absolute_uri(members.link_for(member.user)) if wanted["is_new"] else None


def _refuse_bound(request: Request, why: str) -> None:
    """What reaches beyond the projects of a key is not for that key."""
    if isinstance(request.auth, ApiKey) and request.auth.is_bound:
        raise Problem(HTTPStatus.FORBIDDEN, "key_is_bound", f"This API key {why}. Use another key.")


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
