"""The API of classifiers: what was learned, and how good it was on reviews that it had not seen."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.choices import ClassifierKind
from labeling.filtering import ChoiceFilter, FilterSet, FlagFilter, ProjectFilter, since, until
from labeling.models import Classifier
from labeling.models.api_key import Scope
from labeling.permissions import HasScope
from labeling.viewsets import Resource

FIGURES = ("accuracy", "macro_f1", "log_loss", "ece", "brier", "is_calibrated")


class MayRead(HasScope):
    scope = Scope.READ
    permission = "labeling.view_classifier"


class MeasuredSerializer(serializers.Serializer[Any]):
    """Out of fold: of each review what a classifier said that was fitted without it."""

    accuracy = serializers.FloatField(allow_null=True)
    macro_f1 = serializers.FloatField(allow_null=True, help_text="Mean over the categories.")
    log_loss = serializers.FloatField(allow_null=True)
    ece = serializers.FloatField(allow_null=True, help_text="Expected calibration error: mean gap of confidence.")
    brier = serializers.FloatField(allow_null=True)
    is_calibrated = serializers.BooleanField(allow_null=True, help_text="Enough reviews to fit the confidence to them.")


class CategoryQualitySerializer(serializers.Serializer[Any]):
    category_id = serializers.IntegerField()
    reviews = serializers.IntegerField(help_text="Of this category.")
    precision = serializers.FloatField(allow_null=True, help_text="Of the texts called so, the share that is.")
    recall = serializers.FloatField(allow_null=True, help_text="Of the texts that are, the share called so.")


class BinSerializer(serializers.Serializer[Any]):
    """Reviews of about the same confidence."""

    confidence = serializers.FloatField()
    accuracy = serializers.FloatField()
    share = serializers.FloatField()


class ClassifierSerializer(serializers.ModelSerializer[Classifier]):
    """`measured` is null where there were no reviews to measure it on."""

    project = serializers.CharField(source="project.name")
    pool = serializers.IntegerField(source="fitted_on.pool", default=0, help_text="Unlabeled texts it was fitted on.")
    reviews = serializers.IntegerField(source="fitted_on.reviews", default=0, help_text="Reviews it was fitted on.")
    measured = serializers.SerializerMethodField()

    class Meta:
        model = Classifier
        fields = [
            "id",
            "project",
            "version",
            "kind",
            "is_active",
            "model_name",
            "category_ids",
            "pool",
            "reviews",
            "measured",
            "created_at",
        ]
        extra_kwargs = {"category_ids": {"help_text": "What its answers stand for."}}

    @extend_schema_field(MeasuredSerializer(allow_null=True))
    def get_measured(self, classifier: Classifier) -> dict[str, Any] | None:
        quality = classifier.quality
        return {name: quality.get(name) for name in FIGURES} if "accuracy" in quality else None


class WholeClassifierSerializer(ClassifierSerializer):
    """With its quality for each category, and the points of its reliability diagram."""

    categories = serializers.SerializerMethodField()
    reliability = serializers.SerializerMethodField()

    class Meta(ClassifierSerializer.Meta):
        fields = [*ClassifierSerializer.Meta.fields, "categories", "reliability"]

    @extend_schema_field(CategoryQualitySerializer(many=True))
    def get_categories(self, classifier: Classifier) -> list[dict[str, Any]]:
        rows = classifier.quality.get("categories", [])
        return [
            {"category_id": row["id"], "reviews": row["n"], "precision": row["precision"], "recall": row["recall"]}
            for row in rows
        ]

    @extend_schema_field(BinSerializer(many=True))
    def get_reliability(self, classifier: Classifier) -> list[dict[str, Any]]:
        return list(BinSerializer(classifier.quality.get("reliability", []), many=True).data)


class ClassifierFilters(FilterSet):
    project = ProjectFilter()
    kind = ChoiceFilter(choices=ClassifierKind.choices)
    is_active = FlagFilter(help_text="It labels texts, or did: it was no worse than the one before.")
    created_after = since()
    created_before = until()


class ClassifierViewSet(Resource):
    """Classifiers, newest first. They never change; learning makes new ones."""

    queryset = Classifier.objects.select_related("project").defer("weights")
    serializer_class = ClassifierSerializer
    filterset_class = ClassifierFilters
    may_read = may_write = MayRead

    def list(self, request: Request) -> Response:
        """Classifiers of all projects that you may see."""
        return self.page()

    @extend_schema(responses=WholeClassifierSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One classifier with its measured quality for each category."""
        return Response(WholeClassifierSerializer(self.get_object()).data)
