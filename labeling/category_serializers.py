"""What the API of categories takes and gives, as JSON."""

from typing import Any

from rest_framework import serializers

from labeling import categories
from labeling.fields import ProjectReference, RowId
from labeling.models import Category, CategoryMerge


class ExamplesField(serializers.ListField):
    """A few typical texts."""

    def __init__(self, **options: Any) -> None:
        options = {"max_length": categories.MOST_EXAMPLES, "help_text": "A few typical texts."} | options
        super().__init__(child=serializers.CharField(max_length=categories.LONGEST_EXAMPLE), **options)


class CategoryWords(serializers.Serializer[Any]):
    """What a person says of a category."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=5_000, help_text="One sentence: what belongs here. Models read it."
    )
    examples = ExamplesField(required=False)
    color = serializers.RegexField(
        r"^#[0-9a-fA-F]{6}$", required=False, allow_blank=True, help_text="Such as #1f77b4; empty: none."
    )
    shortcut = serializers.CharField(
        required=False, allow_blank=True, max_length=1, help_text="Key that chooses it at the desk."
    )


class CategoryBody(CategoryWords):
    project = ProjectReference()
    parent = RowId(required=False, allow_null=True, help_text="The category of the project that it stands below.")


class CategoryChanges(CategoryWords):
    """What is left out stays as it is."""

    name = serializers.CharField(required=False, max_length=200)
    parent = RowId(required=False, allow_null=True, help_text="The category of the project that it stands below.")
    revision = serializers.CharField(
        required=False,
        max_length=64,
        help_text="As you saw it: refused where somebody changed the category since.",
    )


class OrderBody(serializers.Serializer[Any]):
    project = ProjectReference()
    categories = serializers.ListField(
        child=RowId(), max_length=1_000, help_text="The ids of all active categories, in their new order."
    )


class MergeBody(serializers.Serializer[Any]):
    into = RowId(help_text="The category that it becomes part of.")


class CategorySerializer(serializers.ModelSerializer[Category]):
    """`merged_into` is the category that its labels went to, where it was merged."""

    project = serializers.CharField(source="project.name")
    examples = serializers.ListField(child=serializers.CharField())
    revision = serializers.SerializerMethodField(help_text="Changes with every edit.")

    class Meta:
        model = Category
        fields = [
            "id",
            "project",
            "name",
            "description",
            "examples",
            "color",
            "shortcut",
            "position",
            "is_active",
            "parent",
            "merged_into",
            "revision",
        ]

    def get_revision(self, category: Category) -> str:
        return categories.revision_of(category)


class MergeSerializer(serializers.ModelSerializer[CategoryMerge]):
    """`finished_at` is null while labels still follow in the background."""

    source = serializers.CharField(source="source.name")
    target = serializers.CharField(source="target.name")

    class Meta:
        model = CategoryMerge
        fields = ["id", "source", "target", "moved", "created_at", "finished_at"]
