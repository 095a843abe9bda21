"""The API of categories: what a label may be, and every change of that."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import categories, category_serializers, editing, merging, runs
from labeling.filtering import FilterSet, FlagFilter, ProjectFilter
from labeling.lookups import find_project
from labeling.models import Category, CategoryMerge, Project
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import NewestFirst, checked
from labeling.viewsets import Resource

Whole = category_serializers.CategorySerializer
NEW = OpenApiExample(
    "A category",
    {
        "project": "News",
        "name": "Sports",
        "description": "Matches, players and results.",
        "examples": ["The home team won 3 to 1."],
        "color": "#1f77b4",
        "shortcut": "p",
    },
    request_only=True,
)
CHANGE = OpenApiExample("Another name", {"name": "Football", "revision": "0f1e2d3c4b5a6978"}, request_only=True)
ORDER = OpenApiExample("Three in order", {"project": "News", "categories": [3, 1, 2]}, request_only=True)
MERGE = OpenApiExample("Into another", {"into": 2}, request_only=True)


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_category"


class MayChange(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.change_category"


class MayAdd(HasScope):
    scope = Scope.MANAGE
    permission = "labeling.add_category"


class OneProjectFilter(ProjectFilter):
    """Categories are always those of one project."""

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(project=find_project(self.parent.request, value or None))


class CategoryFilters(FilterSet):
    project = OneProjectFilter(help_text="Name or id of a project. Without: the project Default.")
    retired = FlagFilter(method="also_retired", help_text="True: retired ones as well.")
    q = CharFilter(field_name="name", lookup_expr="icontains", max_length=200, help_text="Part of the name.")

    def also_retired(self, queryset: QuerySet[Category], name: str, value: bool) -> QuerySet[Category]:
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("retired") else found.filter(is_active=True)


class InTheirOrder(NewestFirst):
    ordering = ("position", "id")


class CategoryViewSet(Resource):
    """What a label of a project may be."""

    queryset = Category.objects.select_related("project", "parent", "merged_into")
    serializer_class = Whole
    filterset_class = CategoryFilters
    pagination_class = InTheirOrder
    may_read = MayRead
    may_write = MayChange
    refusals = {
        editing.ChangedMeanwhile: (HTTPStatus.CONFLICT, "changed_meanwhile"),
        categories.WasMerged: (HTTPStatus.CONFLICT, "was_merged"),
        merging.CannotMerge: (HTTPStatus.CONFLICT, "cannot_merge"),
        runs.RunInProgress: (HTTPStatus.CONFLICT, "run_in_progress"),
    }

    def get_permissions(self) -> list[Any]:
        return [MayAdd()] if self.action == "create" else super().get_permissions()

    def problem_of(self, error: Exception) -> Exception:
        if isinstance(error, categories.Taken):
            return Problem(HTTPStatus.CONFLICT, "taken", str(error), errors=error.errors)
        if isinstance(error, categories.WrongCategory):
            return ValidationError(error.errors or {"name": [str(error)]})
        return super().problem_of(error)

    def list(self, request: Request) -> Response:
        """The categories of a project, in the order people see them."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One category, also a retired one."""
        return Response(Whole(self.get_object()).data)

    @extend_schema(request=category_serializers.CategoryBody, responses={201: Whole}, examples=[NEW])
    def create(self, request: Request) -> Response:
        """Add a category after the others. Certificates of the project end; label it again to use the new one."""
        wanted = checked(category_serializers.CategoryBody, request.data)
        project = find_project(request, wanted.pop("project", None))
        name = wanted.pop("name")
        made = categories.add(project, name, user=request.user, **_with_parent(project, wanted))
        return Response(Whole(made).data, status=HTTPStatus.CREATED)

    @extend_schema(request=category_serializers.CategoryChanges, responses=Whole, examples=[CHANGE])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a category; its labels stay. Another name, description or example ends certificates."""
        category = self.get_object()
        wanted = checked(category_serializers.CategoryChanges, request.data)
        revision = wanted.pop("revision", None)
        changes = _with_parent(category.project, wanted)
        return Response(Whole(categories.edit(category, changes, revision=revision, user=request.user)).data)

    @extend_schema(request=None, responses=Whole)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Let no new label name it. Those that do stay."""
        return Response(Whole(categories.retire(self.get_object(), user=request.user)).data)

    @extend_schema(request=None, responses=Whole)
    @action(detail=True, methods=["post"], url_path="bring-back")
    def bring_back(self, request: Request, pk: str) -> Response:
        """Let new labels name a retired category again."""
        return Response(Whole(categories.bring_back(self.get_object(), user=request.user)).data)

    @extend_schema(
        request=category_serializers.MergeBody, responses={202: category_serializers.MergeSerializer}, examples=[MERGE]
    )
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Make it part of another category. The labels that hold now follow, history stays, certificates end."""
        source = self.get_object()
        into = checked(category_serializers.MergeBody, request.data)["into"]
        made = merging.start(source, _find(source.project, into, "into"), user=request.user)
        return Response(category_serializers.MergeSerializer(made).data, status=HTTPStatus.ACCEPTED)

    @extend_schema(responses=category_serializers.MergeSerializer)
    @merge.mapping.get
    def merge_state(self, request: Request, pk: str) -> Response:
        """How far the labels of a merged category have followed."""
        found = CategoryMerge.objects.select_related("source", "target").filter(source=self.get_object()).first()
        if found is None:
            raise NotFound("This category was not merged.")
        return Response(category_serializers.MergeSerializer(found).data)

    @extend_schema(request=category_serializers.OrderBody, responses=Whole(many=True), examples=[ORDER])
    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def reorder(self, request: Request) -> Response:
        """Give the active categories another order for people. Nothing else changes by it."""
        wanted = checked(category_serializers.OrderBody, request.data)
        project = find_project(request, wanted.get("project"))
        return Response(Whole(categories.reorder(project, wanted["categories"]), many=True).data)


def _with_parent(project: Project, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted.get("parent") is None:
        return wanted
    return wanted | {"parent": _find(project, wanted["parent"], "parent")}


def _find(project: Project, pk: int, field: str) -> Category:
    if found := project.categories.filter(pk=pk).first():
        return found
    raise ValidationError({field: [f"This project has no category {pk}."]})
