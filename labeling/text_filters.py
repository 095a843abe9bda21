"""By what lists of texts and labels are filtered, and along which index each filter is walked."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters.rest_framework import CharFilter, ChoiceFilter

from labeling.choices import LabelOrigin, TextStatus
from labeling.filtering import FilterSet, ProjectFilter, RowIdFilter, ShareFilter, since, until
from labeling.models import Label, Text
from labeling.querysets import TextQuerySet
from labeling.walking import Walk, by_key

FEW = 20_000  # texts of one status that are sorted rather than searched for among all


class NameOrIdFilter(CharFilter):
    """A row named in any case of letters, or by its id."""

    def __init__(self, field_name: str, name: str, **options: object) -> None:
        self.name = name
        super().__init__(field_name=field_name, max_length=200, **options)

    def filter(self, queryset: QuerySet[Text], value: str) -> QuerySet[Text]:
        if not value:
            return queryset
        named = Q(**{f"{self.field_name}__{self.name}__iexact": value.strip()})
        if value.isascii() and value.isdecimal() and len(value) < 19:
            named |= Q(**{self.field_name: int(value)})
        return queryset.filter(named)


class TextFilters(FilterSet):
    project = ProjectFilter()
    status = ChoiceFilter(choices=TextStatus)
    category = NameOrIdFilter("current_label__category", "name", help_text="Name or id of the category that holds.")
    min_confidence = ShareFilter("current_label__confidence", "gte")
    max_confidence = ShareFilter("current_label__confidence", "lte")
    origin = ChoiceFilter("current_label__origin", choices=LabelOrigin, help_text="Of the label that holds.")
    run = RowIdFilter(method="labeled_by", help_text="The id of a run: texts that it labeled.")
    source = CharFilter(max_length=200)
    external_id = CharFilter(max_length=200)
    reviewer = NameOrIdFilter("reviewed_by", "username", help_text="Who decided last: user name or id.")
    reviewed_after = since("reviewed_at")
    reviewed_before = until("reviewed_at")
    created_after = since()
    created_before = until()
    q = CharFilter("content", "icontains", max_length=200, help_text="Words that stand so in the text, in any case.")

    def labeled_by(self, texts: TextQuerySet, name: str, run_id: int) -> QuerySet[Text]:
        """Nothing more: the walk goes only through the texts that the run labeled."""
        return texts


class LabelFilters(FilterSet):
    project = ProjectFilter("text__project")
    text = RowIdFilter("text", help_text="The id of a text: its history, newest version first.")
    category = NameOrIdFilter("category", "name", help_text="Name or id.")
    min_confidence = ShareFilter("confidence", "gte")
    max_confidence = ShareFilter("confidence", "lte")
    origin = ChoiceFilter(choices=LabelOrigin)
    run = RowIdFilter("run", help_text="The id of a run.")
    annotator = NameOrIdFilter("annotator", "username", help_text="Who decided: user name or id.")
    created_after = since()
    created_before = until()


def walk_of_texts(texts: QuerySet[Text], wanted: dict[str, Any]) -> Walk:
    """Along the narrowest index for what is wanted. `texts`: of the projects that may be seen."""
    if external_id := wanted.get("external_id"):
        return by_key(texts.filter(external_id=external_id).exclude(external_id=""))
    if run_id := wanted.get("run"):
        return by_key(Label.objects.filter(run_id=run_id), "text_id")
    if status := wanted.get("status"):
        of_status = texts.filter(status=status)
        if of_status.order_by()[: FEW + 1].count() <= FEW:
            return by_key(of_status)
    return by_key(texts)


def walk_of_labels(labels: QuerySet[Label], wanted: dict[str, Any]) -> Walk:
    """A text has few labels; all others are walked along by their key."""
    if text_id := wanted.get("text"):
        return by_key(labels.filter(text_id=text_id))
    return by_key(Label.objects.all())
