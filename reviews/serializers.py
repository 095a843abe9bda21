"""What the review API takes and gives, as JSON."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from labeling.fields import CategoryReference, ProjectReference, RowId, Share
from labeling.models import Label
from reviews.blind import hides_answer, is_blind, shown_reason
from reviews.models import Assignment, Review
from reviews.pending import Pending

MOST_ROWS = 100
MOST_TEXT_IDS = 1000
MOST_ALTERNATIVES = 5
LONGEST_COMMENT = 10_000
HIDDEN_IN_REVIEWS = ("label_id", "new_label_id", "category_before", "confidence_before")

# --- What comes in ----------------------------------------------------------------------------------------------------


class PendingQuery(serializers.Serializer):
    project = ProjectReference()
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST_ROWS, required=False, help_text="Default: 20, with claim 1."
    )
    claim = serializers.BooleanField(default=False, help_text="Put the texts on your desk, where nobody else has them.")
    min_confidence = Share(required=False)
    max_confidence = Share(required=False)
    category = CategoryReference(required=False, max_length=200, help_text="Name or id.")
    source = serializers.CharField(required=False, max_length=200)
    language = serializers.CharField(required=False, max_length=20)
    run = RowId(required=False, help_text="Id of the labeling run.")
    q = serializers.CharField(required=False, max_length=200, help_text="Words of the text.")
    only_audit = serializers.BooleanField(
        default=False,
        help_text="Only texts of the blind audit, all of them blind. Not with category, confidence or run.",
    )


class CommentedBody(serializers.Serializer):
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST_COMMENT)
    idempotency_key = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)


class ApproveBody(CommentedBody):
    label_id = RowId()


class RejectBody(ApproveBody):
    category = CategoryReference(max_length=200, help_text="The right one: name or id.")


class ModifyBody(ApproveBody):
    category = CategoryReference(required=False, max_length=200, help_text="Name or id.")
    confidence = Share(required=False)


class DecideBody(CommentedBody):
    text_id = RowId()
    category = CategoryReference(max_length=200, help_text="Name or id.")


class SkipBody(CommentedBody):
    text_id = RowId()


class FlagBody(SkipBody):
    comment = serializers.CharField(max_length=LONGEST_COMMENT, help_text="What is wrong with the text.")


class UndoBody(serializers.Serializer):
    review_id = RowId(required=False, help_text="Default: your last one that is not undone.")


class ReleaseBody(serializers.Serializer):
    text_ids = serializers.ListField(
        child=RowId(), required=False, max_length=MOST_TEXT_IDS, help_text="Default: all on your desk."
    )


class ExtendBody(serializers.Serializer):
    text_ids = serializers.ListField(child=RowId(), max_length=MOST_TEXT_IDS)


# --- What goes out ----------------------------------------------------------------------------------------------------


class PendingEvidence(serializers.Serializer):
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    word = serializers.CharField()
    weight = serializers.FloatField()


class PendingAlternative(serializers.Serializer):
    category = serializers.CharField()
    probability = serializers.FloatField()


class PendingRow(serializers.Serializer):
    """One text of the queue. All that the model said is null when it is blind."""

    text_id = serializers.IntegerField()
    blind = serializers.BooleanField(help_text="Decide it with `decide`, without its label.")
    label_id = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    category = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    alternatives = PendingAlternative(many=True, allow_null=True)
    explanation = serializers.CharField(allow_null=True)
    evidence = PendingEvidence(many=True, allow_null=True)
    source = serializers.CharField()
    external_id = serializers.CharField()
    language = serializers.CharField()
    metadata = serializers.JSONField()
    queue_reason = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="The end of your claim; null without one.")

    def to_representation(self, row: Pending) -> dict[str, Any]:
        text = row.text
        seen = None if row.is_blind else text.current_label
        facts = {name: getattr(text, name) for name in ("source", "external_id", "language", "metadata")}
        claim = {"queue_reason": row.reason, "expires_at": row.expires_at}
        answer = _of_label(seen, text.content, self.context["category_names"])
        return {"text_id": text.pk, "blind": row.is_blind, "text": text.content, **answer, **facts, **claim}


class EmptyReason(serializers.Serializer):
    reason = serializers.CharField()
    count = serializers.IntegerField()
    message = serializers.CharField(source="__str__")


class PendingAnswer(serializers.Serializer):
    """The document of `pending`."""

    results = PendingRow(many=True)
    empty_reason = EmptyReason(allow_null=True)


class CountAnswer(serializers.Serializer):
    """How many texts of the desk it was about."""

    count = serializers.IntegerField()


class ReviewSerializer(serializers.ModelSerializer):
    """A Review. About a text of the blind audit it keeps silent on the model's label, which an undo could use."""

    reviewer = serializers.CharField(source="reviewer.user.username")
    category_before = serializers.CharField(source="category_before.name", allow_null=True, default=None)
    category_after = serializers.CharField(source="category_after.name", allow_null=True, default=None)

    class Meta:
        model = Review
        fields = [
            "id",
            "text_id",
            "action",
            "category_before",
            "category_after",
            "confidence_before",
            "confidence_after",
            "comment",
            "created_at",
            "reviewer",
            "label_id",
            "new_label_id",
        ]

    def to_representation(self, review: Review) -> dict[str, Any]:
        shown = dict(super().to_representation(review))
        if is_blind(review):
            hidden = (*HIDDEN_IN_REVIEWS, "category_after") if review.reverts_id else HIDDEN_IN_REVIEWS
            shown.update(dict.fromkeys(hidden))
        return shown


class AssignmentSerializer(serializers.ModelSerializer):
    """A text on a desk. Whether it is there to score the reviewer is nobody's to know."""

    project = serializers.CharField(source="text.project.name")
    reviewer = serializers.CharField(source="reviewer.user.username")
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = ["id", "text_id", "project", "reviewer", "reason", "claimed_at", "expires_at"]

    def get_reason(self, claim: Assignment) -> str:
        return shown_reason(claim.reason)


class OtherReview(serializers.ModelSerializer):
    """Whose decision stands in the way of another; the answer itself only where it could not sway a second one."""

    reviewer = serializers.CharField(source="reviewer.user.username")
    category = serializers.CharField(source="category_after.name", allow_null=True, default=None)

    class Meta:
        model = Review
        fields = ["reviewer", "action", "category", "created_at"]

    def to_representation(self, review: Review) -> dict[str, Any]:
        shown = dict(super().to_representation(review))
        return shown | {"category": None} if hides_answer(review.text) else shown


def _of_label(label: Label | None, content: str, names: Mapping[int, str]) -> dict[str, Any]:
    """What the model said, or nothing at all."""
    if label is None:
        return dict.fromkeys(("label_id", "category", "confidence", "alternatives", "explanation", "evidence"))
    others = [pair for pair in label.scores if pair[0] != label.category_id and pair[0] in names]
    others.sort(key=lambda pair: pair[1], reverse=True)
    return {
        "label_id": label.pk,
        "category": label.category.name,
        "confidence": label.confidence,
        "alternatives": [{"category": names[pk], "probability": share} for pk, share in others[:MOST_ALTERNATIVES]],
        "explanation": label.explanation,
        "evidence": [
            {"start": start, "end": end, "word": content[start:end], "weight": weight}
            for start, end, weight in label.evidence
        ],
    }
