"""What the API of labeling runs takes and gives, as JSON."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from labeling import run_progress
from labeling.fields import ProjectReference
from labeling.models import LabelingRun


class StartBody(serializers.Serializer[Any]):
    project = ProjectReference()
    provider = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=40, help_text="Without: the project's own."
    )
    limit = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="Most texts to label.")
    relabel = serializers.BooleanField(required=False, default=False, help_text="Also what a model labeled before.")

    def validate_provider(self, alias: str) -> str:
        if alias and alias not in settings.LABELING_PROVIDERS:
            known = ", ".join(settings.LABELING_PROVIDERS)
            raise serializers.ValidationError(f"There is no provider '{alias}'. Providers: {known}.")
        return alias


class FailureSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    texts = serializers.IntegerField()


class ProgressSerializer(serializers.Serializer[Any]):
    phase = serializers.CharField()
    done = serializers.IntegerField(help_text="Texts of the phase.")
    total = serializers.IntegerField()
    percent = serializers.IntegerField()
    processes = serializers.IntegerField(help_text="That work on it right now.")
    rate = serializers.FloatField(allow_null=True, help_text="Texts a second, lately.")
    seconds_left = serializers.FloatField(allow_null=True)
    failed = serializers.IntegerField(help_text="Texts that could not be labeled.")
    failures = FailureSerializer(many=True, help_text="The most frequent reasons.")
    requests = serializers.IntegerField(help_text="To the model's server.")
    tokens = serializers.IntegerField(help_text="Read and written, where the server tells.")
    cost = serializers.FloatField(help_text="By the project's prices.")
    set_aside = serializers.IntegerField(help_text="Chunks that failed several times.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a person should know.")


class RunSerializer(serializers.ModelSerializer[LabelingRun]):
    project = serializers.CharField(source="project.name")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = LabelingRun
        fields = [
            "id",
            "project",
            "status",
            "origin",
            "provider",
            "model_name",
            "relabel",
            "limit",
            "total",
            "threshold",
            "error",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]


class WholeRunSerializer(RunSerializer):
    """With how far it is, which takes a few queries more."""

    progress = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "progress"]

    def get_progress(self, run: LabelingRun) -> dict[str, Any]:
        found = run_progress.of(run)
        reasons = [{"reason": reason, "texts": count} for reason, count in found.failures]
        return dict(ProgressSerializer(found.as_dict() | {"failures": reasons}).data)
