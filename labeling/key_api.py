"""The API of a person's own API keys: which there are, a new one, and an end to one."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import api_keys
from labeling.fields import Choice
from labeling.filtering import FilterSet, FlagFilter, since, until
from labeling.lookups import find_project
from labeling.models import ApiKey
from labeling.models.api_key import ApiKeyQuerySet, Scope
from labeling.openapi import sent
from labeling.problems import Problem
from labeling.requests import checked
from labeling.viewsets import Resource

MOST_PROJECTS = 100
ONCE = (
    "The key itself stands in this answer and nowhere else. Where the answer is given again for the same "
    "`Idempotency-Key`, null stands in its place."
)


class OwnKeys(BasePermission):
    """Whoever works here has keys of their own; a key needs a scope to look at them, or to make others."""

    scope: ClassVar[Scope]

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        if isinstance(key, ApiKey) and self.scope not in key.scopes:
            self.message = f"This API key lacks the scope '{self.scope}'. Make one that has it."
            return False
        self.message = "API keys are for staff. Ask a manager."
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))


class MayLook(OwnKeys):
    scope = Scope.READ


class MayManage(OwnKeys):
    scope = Scope.MANAGE


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    """What is known of a key."""

    scopes = serializers.ListField(child=Choice(Scope.choices))
    projects = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True, help_text="The only ones it may touch, where `is_bound`."
    )
    is_usable = serializers.SerializerMethodField(help_text="Neither revoked nor expired.")

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "is_bound",
            "projects",
            "is_usable",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "created_at",
        ]

    def get_is_usable(self, key: ApiKey) -> bool:
        return key.revoked_at is None and (key.expires_at is None or key.expires_at > timezone.now())


class NewKeySerializer(KeySerializer):
    """A new key, with itself."""

    key = serializers.CharField(allow_null=True, help_text="Shown this once.")

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key"]


class KeyBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, help_text="What uses the key.")
    scopes = serializers.ListField(
        child=Choice(Scope.choices), min_length=1, max_length=len(Scope), help_text="What it may do."
    )
    projects = serializers.ListField(
        child=serializers.CharField(max_length=120),
        default=list,
        max_length=MOST_PROJECTS,
        help_text="Names or ids of the only projects that it may touch. Without: all of yours.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, moment: datetime | None) -> datetime | None:
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("Give a moment that is still to come, or leave it out.")
        return moment


class KeyFilters(FilterSet):
    is_usable = FlagFilter(method="usable", help_text="Neither revoked nor expired.")
    created_after = since()
    created_before = until()

    def usable(self, keys: ApiKeyQuerySet, name: str, value: bool) -> QuerySet[ApiKey]:
        usable = ApiKey.objects.usable().values("pk")
        return keys.filter(pk__in=usable) if value else keys.exclude(pk__in=usable)


class KeyViewSet(Resource):
    """Your API keys, newest first. Nobody sees those of others here."""

    queryset = ApiKey.objects.prefetch_related("projects")
    serializer_class = KeySerializer
    filterset_class = KeyFilters
    project_path = None
    may_read = MayLook
    may_write = MayManage
    secrets = ("key",)

    def get_queryset(self) -> QuerySet[ApiKey]:
        """A key that is bound sees those that are bound to nothing but its own projects."""
        keys = super().get_queryset().filter(user_id=self.request.user.pk)
        key = self.request.auth
        if not (isinstance(key, ApiKey) and key.is_bound):
            return keys
        beyond = ApiKey.projects.through.objects.exclude(project__in=key.projects.all())
        return keys.filter(is_bound=True).exclude(pk__in=beyond.values("apikey"))

    def list(self, request: Request) -> Response:
        """Your keys, also those that have ended."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One key of yours. The key itself is not kept."""
        return Response(KeySerializer(self.get_object()).data)

    @extend_schema(
        request=KeyBody,
        responses={201: OpenApiResponse(NewKeySerializer, ONCE)},
        examples=[sent({"name": "Nightly import", "scopes": ["read", "label"], "projects": ["Demo"]})],
    )
    def create(self, request: Request) -> Response:
        """Make a key. One that is made by a key may not do more than that."""
        wanted = checked(KeyBody, request.data)
        wanted["projects"] = [find_project(request, reference) for reference in wanted["projects"]]
        if isinstance(request.auth, ApiKey):
            _refuse_more_than(request.auth, wanted)
        made, key = api_keys.make(request.user, **wanted)
        made.key = key  # type: ignore[attr-defined]
        return Response(NewKeySerializer(made).data, status=HTTPStatus.CREATED)

    @extend_schema(request=None, responses=KeySerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End a key of yours for good. Nothing happens to one that is revoked already."""
        key = self.get_object()
        api_keys.revoke([key.pk])
        return Response(KeySerializer(self.get_object()).data)


def _refuse_more_than(parent: ApiKey, wanted: dict[str, Any]) -> None:
    """Whoever finds a key must not get by it what it could not do, or for longer."""
    more = sorted(set(wanted["scopes"]) - set(parent.scopes))
    if more:
        _refuse(f"It has not the scope '{more[0]}' itself.")
    if parent.is_bound and not wanted["projects"]:
        _refuse("It is bound to projects: name the ones for the new key.")
    if parent.expires_at is not None and (wanted["expires_at"] is None or wanted["expires_at"] > parent.expires_at):
        _refuse(f"It ends itself at {parent.expires_at.isoformat()}: let the new key end by then.")


def _refuse(why: str) -> None:
    raise Problem(HTTPStatus.FORBIDDEN, "more_than_this_key", f"This key cannot make such a key. {why}")
