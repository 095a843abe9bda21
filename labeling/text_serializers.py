"""What the API of texts and labels takes and gives, as JSON."""

from typing import Any

from rest_framework import serializers

from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Label, Text

MOST_CHARACTERS = 2_000  # of a text in a list: five hundred whole ones would be fifty megabytes


class LabelSerializer(serializers.ModelSerializer[Label]):
    """One version of a text's label: what a model said, or a person decided."""

    category = serializers.CharField(source="category.name")
    category_id = serializers.IntegerField()
    text_id = serializers.IntegerField()
    run_id = serializers.IntegerField(allow_null=True)
    origin = serializers.ChoiceField(LabelOrigin.choices)
    classifier = serializers.IntegerField(source="classifier.version", default=None, allow_null=True)
    annotator = serializers.CharField(source="annotator.username", default=None, allow_null=True)

    class Meta:
        model = Label
        fields = [
            "id",
            "text_id",
            "version",
            "category",
            "category_id",
            "confidence",
            "is_calibrated",
            "confidence_source",
            "origin",
            "explanation",
            "evidence",
            "scores",
            "is_truncated",
            "run_id",
            "provider",
            "model_name",
            "classifier",
            "prompt_version",
            "annotator",
            "source",
            "created_at",
        ]


class HeldSerializer(serializers.ModelSerializer[Label]):
    """The label that holds."""

    category = serializers.CharField(source="category.name")
    category_id = serializers.IntegerField()
    origin = serializers.ChoiceField(LabelOrigin.choices)

    class Meta:
        model = Label
        fields = ["id", "version", "category", "category_id", "confidence", "is_calibrated", "origin"]


class TextSerializer(serializers.ModelSerializer[Text]):
    """A text of a list. Of a long one `text` is the beginning, and `is_cut` says so."""

    project = serializers.CharField(source="project.name")
    text = serializers.SerializerMethodField()
    is_cut = serializers.SerializerMethodField()
    status = serializers.ChoiceField(TextStatus.choices)
    label = HeldSerializer(source="current_label", allow_null=True)
    reviewed_by = serializers.CharField(source="reviewed_by.username", default=None, allow_null=True)

    class Meta:
        model = Text
        fields = [
            "id",
            "project",
            "text",
            "is_cut",
            "external_id",
            "source",
            "language",
            "status",
            "error",
            "label",
            "reviewed_by",
            "reviewed_at",
            "created_at",
        ]

    def get_text(self, text: Text) -> str:
        return str(getattr(text, "beginning"))[:MOST_CHARACTERS]  # noqa: B009  annotated

    def get_is_cut(self, text: Text) -> bool:
        return len(getattr(text, "beginning")) > MOST_CHARACTERS  # noqa: B009


class WholeTextSerializer(TextSerializer):
    """A text with all its words and what came with it."""

    metadata = serializers.DictField()

    class Meta(TextSerializer.Meta):
        fields = [*TextSerializer.Meta.fields, "metadata"]

    def get_text(self, text: Text) -> str:
        return text.content

    def get_is_cut(self, text: Text) -> bool:
        return False


# --- Bulk creation ----------------------------------------------------------------------------------------------------


class RejectedRowSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="Of the NDJSON; in a JSON array the row's number, from 1.")
    reason = serializers.CharField()


class AddedSerializer(serializers.Serializer[Any]):
    """What became of the rows."""

    project = serializers.CharField()
    added = serializers.IntegerField()
    updated = serializers.IntegerField(help_text="Known by their external id, with a new source or metadata.")
    unchanged = serializers.IntegerField(help_text="Known by their external id, with nothing new.")
    duplicates = serializers.IntegerField(help_text="Words that the project has already.")
    rejected = serializers.IntegerField()
    errors = RejectedRowSerializer(many=True, help_text="Of the first 1,000 rejected rows.")
