"""What the API of projects and their members takes and gives, as JSON."""

from datetime import datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from labeling import projects
from labeling.category_serializers import CategoryWords
from labeling.fields import Choice
from labeling.models import Project
from reviews import members
from reviews.members import Role
from reviews.models import Reviewer

MOST_CATEGORIES = 1_000


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """`revision` changes with every edit."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    revision = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = ["id", *projects.EDITABLE, "created_by", "created_at", "revision"]

    def get_revision(self, project: Project) -> str:
        return projects.revision_of(project)


class ProjectValues(serializers.ModelSerializer[Project]):
    serializer_choice_field = Choice

    class Meta:
        model = Project
        fields: list[str] = [name for name in projects.EDITABLE if name != "is_archived"]
        validators: list[Any] = []  # a name that is taken is a conflict
        extra_kwargs = {"instructions": {"max_length": 100_000}}

    def validate_provider(self, alias: str) -> str:
        if alias and alias not in settings.LABELING_PROVIDERS:
            known = ", ".join(settings.LABELING_PROVIDERS)
            raise serializers.ValidationError(f"There is no provider '{alias}'. Providers: {known}.")
        return alias


class ProjectBody(ProjectValues):
    categories = CategoryWords(many=True, required=False, max_length=MOST_CATEGORIES)

    class Meta(ProjectValues.Meta):
        fields = [*ProjectValues.Meta.fields, "categories"]


class ProjectChanges(ProjectValues):
    """What is left out stays as it is."""

    revision = serializers.CharField(
        required=False,
        max_length=64,
        help_text="As you saw it: refused where somebody changed the project since.",
    )

    class Meta(ProjectValues.Meta):
        fields = [*projects.EDITABLE, "revision"]


class MemberSerializer(serializers.ModelSerializer[Reviewer]):
    user = serializers.CharField(source="user.username")
    role = serializers.SerializerMethodField()
    last_active = serializers.SerializerMethodField(help_text="When they last decided something or signed in.")

    class Meta:
        model = Reviewer
        fields = ["id", "user", "role", "is_active", "last_active"]

    def get_role(self, reviewer: Reviewer) -> Role:
        return members.role_of(reviewer.user)

    def get_last_active(self, reviewer: Reviewer) -> datetime | None:
        return members.last_active(reviewer)


class NewMemberSerializer(MemberSerializer):
    """`link` is where a new person chooses their password; it is told this once."""

    link = serializers.CharField(allow_null=True)

    class Meta(MemberSerializer.Meta):
        fields = [*MemberSerializer.Meta.fields, "link"]


class MemberBody(serializers.Serializer[Any]):
    user = serializers.CharField(max_length=150, help_text="The name of an account, or of the one to be made.")
    is_new = serializers.BooleanField(default=False, help_text="Make the account.")
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254, help_text="Of the new account.")
    role = Choice(Role.choices, default=Role.REVIEWER)
