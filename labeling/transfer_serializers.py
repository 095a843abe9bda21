"""What the API of imports and exports takes and gives."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from labeling import exporting, import_progress
from labeling.export_forms import COLUMNS
from labeling.fields import Choice, ProjectReference
from labeling.import_words import in_api
from labeling.importing import COLUMN_OPTIONS, ImportOptions
from labeling.models import ExportRecord, ImportRecord
from labeling.readers import ENCODINGS, FORMATS
from labeling.readers.rows import MAX_COLUMN_NAME


def _column(words: str) -> serializers.CharField:
    return serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_COLUMN_NAME, trim_whitespace=False, help_text=words
    )


class ImportBody(serializers.Serializer[Any]):
    """A file and what its columns mean, as multipart/form-data."""

    file = serializers.FileField(
        allow_empty_file=True,
        max_length=255,
        help_text="CSV, TSV, JSONL, JSON, TXT, Parquet or XLSX; text also packed by gzip.",
    )
    project = ProjectReference()
    format = Choice(FORMATS, required=False, default="", help_text="Without: by the file's ending.")
    encoding = Choice(
        list(ENCODINGS), required=False, default="", help_text="Of text. Without: recognised, else UTF-8."
    )
    text_column = _column("Without: text, content, body or message, or the only one.")
    id_column = _column("Without: external_id or id.")
    source_column = _column("Without: source.")
    language_column = _column("Without: language or lang.")
    label_column = _column("Labels that people gave. Without: none are taken over.")
    source = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Of texts whose row names none."
    )
    create_categories = serializers.BooleanField(
        required=False, default=False, help_text="Make categories of labels that the project does not have."
    )


def options_of(wanted: Mapping[str, Any]) -> ImportOptions:
    """Those of an ImportBody's values, as `importing` takes them."""
    names = (*COLUMN_OPTIONS, "source", "create_categories")
    return ImportOptions(**{name: wanted[name] for name in names})  # type: ignore[typeddict-item]


class ImportSerializer(serializers.ModelSerializer[ImportRecord]):
    project = serializers.CharField(source="project.name")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    error = serializers.SerializerMethodField(help_text="Why it stopped before its end, and what to do.")

    class Meta:
        model = ImportRecord
        fields = [
            "id",
            "project",
            "status",
            "file_name",
            "file_format",
            "size",
            "rows_read",
            "added",
            "duplicate",
            "empty",
            "rejected",
            "error",
            "created_by",
            "created_at",
            "finished_at",
        ]

    def get_error(self, record: ImportRecord) -> str:
        return in_api(record.error)


class WholeImportSerializer(ImportSerializer):
    """With how far it is, and the first rejected rows."""

    percent = serializers.SerializerMethodField(help_text="Of the file; null while unknown.")
    note = serializers.SerializerMethodField(help_text="What a person should know.")
    rejections = serializers.SerializerMethodField(help_text="The first ones; all are in /rejected.")

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "percent", "note", "rejections"]

    def get_percent(self, record: ImportRecord) -> int | None:
        return import_progress.of(record).percent

    def get_note(self, record: ImportRecord) -> str:
        return in_api(import_progress.note_of(record))

    def get_rejections(self, record: ImportRecord) -> list[dict[str, Any]]:
        return [{"line": row["line"], "reason": in_api(row["reason"])} for row in record.rejections]


class ExportQuery(serializers.Serializer[Any]):
    project = ProjectReference()
    format = Choice(list(exporting.FORMATS), default="csv", required=False)
    only = Choice(
        list(exporting.SELECTIONS),
        default="all",
        required=False,
        help_text="final: accepted or reviewed; labeled: also what needs review.",
    )
    columns = serializers.CharField(
        required=False, default="", max_length=1000, help_text="Names, separated by commas. Without: all."
    )
    certificate = serializers.BooleanField(
        required=False, default=False, help_text="The certificate in force beside the file, in a ZIP."
    )

    def validate_columns(self, names: str) -> list[str] | None:
        chosen = [name.strip() for name in names.split(",") if name.strip()]
        if unknown := sorted(set(chosen) - set(COLUMNS)):
            raise serializers.ValidationError(f"There is no column {unknown[0]}. Columns: {', '.join(COLUMNS)}.")
        return chosen or None


class ProjectQuery(serializers.Serializer[Any]):
    project = ProjectReference()


class ExportSelectionSerializer(serializers.Serializer[Any]):
    only = serializers.CharField()
    texts = serializers.IntegerField()


class ExportSerializer(serializers.ModelSerializer[ExportRecord]):
    project = serializers.CharField(source="project.name")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = ExportRecord
        fields = [
            "id",
            "project",
            "file_format",
            "only",
            "rows",
            "certificate",
            "created_by",
            "created_at",
            "finished_at",
        ]


class ExportChoicesSerializer(serializers.Serializer[Any]):
    project = serializers.CharField()
    selections = ExportSelectionSerializer(many=True, help_text="How many texts each would hold.")
    formats = serializers.ListField(child=serializers.CharField())
    columns = serializers.ListField(child=serializers.CharField())
    promise = serializers.CharField(allow_null=True, help_text="What the certificate in force says about the labels.")
