"""What the API of labeling single texts takes and gives, as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labeling.choices import TextStatus
from labeling.drafts import LIMITS
from labeling.keeping import Answered
from labeling.row_schema import ROW
from labeling.serializers import ProjectReference

MOST_TEXTS = 10_000  # in one request; of more, /api/texts takes a stream
ROUTES = {TextStatus.ACCEPTED: "accept", TextStatus.NEEDS_REVIEW: "review"}


class LabelBody(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False)
    source = serializers.CharField(required=False, allow_blank=True, max_length=LIMITS["source"])
    project = ProjectReference()
    store = serializers.BooleanField(default=True, help_text="false: only answer, and store nothing.")


class AlternativeSerializer(serializers.Serializer[Any]):
    category = serializers.CharField()
    category_id = serializers.IntegerField()
    confidence = serializers.FloatField()


class EvidenceSerializer(serializers.Serializer[Any]):
    start = serializers.IntegerField(help_text="In characters of the text that is answered.")
    end = serializers.IntegerField()
    text = serializers.CharField(trim_whitespace=False)
    weight = serializers.FloatField(help_text="How much it speaks for the category.")


class AnswerSerializer(serializers.Serializer[Any]):
    """What the model says of a text. Ids are null where nothing is stored."""

    project = serializers.CharField()
    text = serializers.CharField(help_text="As it is stored: without white space at its ends. Spans count in it.")
    category = serializers.CharField()
    category_id = serializers.IntegerField()
    confidence = serializers.FloatField()
    is_calibrated = serializers.BooleanField(help_text="The confidence was fitted to reviews.")
    confidence_source = serializers.CharField(help_text="What it was computed from.")
    alternatives = AlternativeSerializer(many=True, help_text="The other categories, likeliest first.")
    explanation = serializers.CharField()
    evidence = EvidenceSerializer(many=True, help_text="The words that made the label, in their order.")
    is_truncated = serializers.BooleanField(help_text="The model read only the beginning of the text.")
    route = serializers.ChoiceField(list(ROUTES.values()), help_text="accept: no person needs to look at it.")
    threshold = serializers.FloatField(help_text="Of the project: from this confidence on it is accepted.")
    provider = serializers.CharField()
    model = serializers.CharField()
    classifier = serializers.IntegerField(allow_null=True, help_text="The version of the classifier, if any.")
    text_id = serializers.IntegerField(allow_null=True)
    label_id = serializers.IntegerField(allow_null=True, help_text="The stored label that says so.")
    status = serializers.ChoiceField(TextStatus.choices, allow_null=True, help_text="Of the stored text.")
    note = serializers.CharField(allow_blank=True, help_text="Why the answer made no new label.")
    seconds = serializers.FloatField(help_text="That answering and storing took.")


def document(answered: Answered) -> dict[str, Any]:
    """An answer as JSON. Built by hand: a serializer takes as long as the database does."""
    said, maker, kept = answered.said, answered.maker, answered.kept
    names = {category.pk: category.name for category in answered.categories}
    text = answered.draft.content
    return {
        "project": answered.project.name,
        "text": text,
        "category": names[said.category_id],
        "category_id": said.category_id,
        "confidence": said.confidence,
        "is_calibrated": maker.is_calibrated,
        "confidence_source": said.confidence_source,
        "alternatives": [
            {"category": names[pk], "category_id": pk, "confidence": score} for pk, score in said.scores[1:]
        ],
        "explanation": said.explanation,
        "evidence": [
            {"start": start, "end": end, "text": text[start:end], "weight": weight}
            for start, end, weight in sorted(said.evidence)
        ],
        "is_truncated": said.is_truncated,
        "route": ROUTES[maker.route(said.confidence)],
        "threshold": maker.threshold,
        "provider": maker.provider,
        "model": maker.model_name,
        "classifier": maker.classifier.version if maker.classifier else None,
        "text_id": kept.text_id if kept else None,
        "label_id": kept.label_id if kept else None,
        "status": kept.status if kept else None,
        "note": kept.note if kept else "",
        "seconds": round(answered.seconds, 4),
    }


# --- Many texts -------------------------------------------------------------------------------------------------------


@extend_schema_field(ROW)
class ItemField(serializers.JSONField):
    """A string, or an object with `text`. What is wrong with one is said for it alone."""


class BatchBody(serializers.Serializer[Any]):
    texts = serializers.ListField(
        child=ItemField(allow_null=True),
        min_length=1,
        max_length=MOST_TEXTS,
        help_text="Words that the project has already keep what is stored with them. To update it, use /api/texts.",
    )
    project = ProjectReference()
    store = serializers.BooleanField(
        default=True, help_text="false: only answer, and store nothing. Not for more than MAX_BATCH_SIZE texts."
    )


class FailedSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="invalid_text, or why the provider did not answer.")
    detail = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The text's place in the request, from 0.")
    answer = AnswerSerializer(allow_null=True)
    error = FailedSerializer(allow_null=True)


class BatchAnswerSerializer(serializers.Serializer[Any]):
    """In the order of the texts."""

    answered = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = ResultSerializer(many=True)


class RowErrorSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The text's place in the request, from 0.")
    error = FailedSerializer()


class BacklogSerializer(serializers.Serializer[Any]):
    """What becomes of texts that are labeled in the background."""

    added = serializers.IntegerField(help_text="Texts that the project did not have.")
    waiting = serializers.IntegerField(help_text="Of the texts sent: those that have no label yet.")
    run_id = serializers.IntegerField(allow_null=True)
    run = serializers.CharField(allow_null=True, help_text="The address of the run, as in the header Location.")
    note = serializers.CharField(help_text="What becomes of the texts.")
    errors = RowErrorSerializer(many=True, help_text="Texts that cannot be stored.")
