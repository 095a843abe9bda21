"""What the API of the error budget takes and gives, as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analytics.budget_forms import MOST_DRAWN
from labeling import certification
from labeling.fields import Choice
from labeling.models import Certificate
from labeling.models.certificate import PromiseChoice
from labeling.serializers import ProjectReference

# --- What comes in ----------------------------------------------------------------------------------------------------


LEAST, MOST = certification.LEAST_SHARE, certification.MOST_SHARE


@extend_schema_field({"type": "number", "minimum": LEAST, "maximum": MOST})
class BetweenZeroAndOne(serializers.FloatField):
    """A share that is neither nothing nor all."""

    default_error_messages = {"out_of_range": f"A number from {LEAST} to {MOST}, such as 0.05 for 5 %."}

    def to_internal_value(self, data: Any) -> float:
        value = float(super().to_internal_value(data))
        if not LEAST <= value <= MOST:  # nor is NaN
            self.fail("out_of_range")
        return value


class CertifyBody(serializers.Serializer):
    project = ProjectReference()
    promise = Choice(PromiseChoice.choices, default=PromiseChoice.DATASET)
    budget = BetweenZeroAndOne(default=0.05, help_text="Share of the labels that may be wrong.")
    confidence = BetweenZeroAndOne(default=0.95, help_text="How sure to be.")
    look = serializers.IntegerField(
        min_value=1, required=False, help_text="Refuse unless this is the number of the look, as the plan said."
    )


class DrawBody(serializers.Serializer):
    size = serializers.IntegerField(min_value=1, max_value=MOST_DRAWN, help_text="How many more.")


# --- What goes out ----------------------------------------------------------------------------------------------------


class StepSerializer(serializers.Serializer):
    threshold = serializers.FloatField()
    coverage = serializers.FloatField(help_text="Share of the texts at or above the threshold.")
    labels = serializers.IntegerField()
    population = serializers.IntegerField()
    audited = serializers.IntegerField()
    wrong = serializers.IntegerField()
    upper_bound = serializers.FloatField(help_text="Exact upper limit for the share that is wrong.")
    passed = serializers.BooleanField()


class CertificateSerializer(serializers.ModelSerializer):
    """`ended` says why it proves nothing about the labels as they are now; null while it holds.

    Needs `ended` in its context: the reasons by primary key. `is_in_use` goes by `in_use` there.
    """

    project = serializers.CharField(source="project.name")
    sentence = serializers.CharField(help_text="The promise in words, or that there is none.")
    is_granted = serializers.BooleanField()
    ended = serializers.SerializerMethodField()
    is_in_use = serializers.SerializerMethodField()

    class Meta:
        model = Certificate
        fields = ["id", "project", *certification.SHOWN, "sentence", "is_granted", "ended", "is_in_use", "created_at"]

    def get_ended(self, certificate: Certificate) -> str | None:
        reason: str | None = self.context["ended"][certificate.pk]
        return reason

    def get_is_in_use(self, certificate: Certificate) -> bool:
        return certificate.pk in self.context["in_use"]


class WholeCertificateSerializer(CertificateSerializer):
    """With what is long, or slow to reckon for many."""

    more_audits = serializers.SerializerMethodField(
        help_text="Where nothing was proven: about how many more audits will. Null: no number would."
    )
    steps = StepSerializer(many=True)

    class Meta(CertificateSerializer.Meta):
        fields = [*CertificateSerializer.Meta.fields, "more_audits", "steps"]

    def get_more_audits(self, certificate: Certificate) -> int | None:
        return None if certificate.is_granted else certification.more_audits(certificate)


class MovedSerializer(serializers.Serializer):
    """What putting a certificate to use, or taking it back, did."""

    threshold = serializers.FloatField(help_text="The project's threshold now.")
    accepted = serializers.IntegerField(help_text="Texts that putting it to use accepted.")
    held_back = serializers.IntegerField(help_text="Texts that putting it to use gave back to people.")


class BudgetRowSerializer(serializers.Serializer):
    budget = serializers.FloatField(help_text="Share of the labels that may be wrong.")
    to_review = serializers.IntegerField(help_text="Texts that people are expected to decide.")
    low = serializers.IntegerField(help_text="With `high`: between these in nine of ten audits.")
    high = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True, help_text="For `to_review` texts, at the measured pace.")
    threshold = serializers.FloatField(allow_null=True, help_text="Null: nothing can be promised yet.")
    more_audits = serializers.IntegerField(allow_null=True, help_text="Null: no number of audits would be enough.")
    note = serializers.CharField(help_text="What would change it, where nothing can be promised yet.")


class HumanErrorSerializer(serializers.Serializer):
    texts = serializers.IntegerField(help_text="Audit texts that two people decided blind.")
    share = serializers.FloatField(allow_null=True, help_text="Of these the share on which they differ.")
    low = serializers.FloatField(allow_null=True, help_text="With `high`: the 95 % interval.")
    high = serializers.FloatField(allow_null=True)


class BudgetSerializer(serializers.Serializer):
    texts = serializers.IntegerField(help_text="Texts that a model labeled.")
    open_texts = serializers.IntegerField(help_text="Of these, not decided by people.")
    audits = serializers.IntegerField()
    audits_waiting = serializers.IntegerField(help_text="Of these, not decided yet.")
    look = serializers.IntegerField(help_text="The number of the next look at the audit.")
    level = serializers.FloatField(help_text="The part of the 5 % doubt that it will spend.")
    undecided = serializers.IntegerField(help_text="Texts with a model's label that wait for people.")
    is_sampled = serializers.BooleanField(help_text="The counts of texts are estimates.")
    seconds_per_text = serializers.FloatField(allow_null=True, help_text="The reviewers' median; null: not measured.")
    note = serializers.CharField()
    rows = BudgetRowSerializer(many=True)
    human = HumanErrorSerializer()


class DrawnSerializer(serializers.Serializer):
    drawn = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Audit texts that wait to be decided.")
