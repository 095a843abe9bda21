"""By what lists of texts and labels are filtered, and along which index each filter is walked."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django_filters.rest_framework import CharFilter

from labeling.choices import LabelOrigin, TextStatus
from labeling.filtering import ChoiceFilter, FilterSet, ProjectFilter, RowIdFilter, ShareFilter, since, until
from labeling.lookups import find_project, id_of
from labeling.models import Category, Label, Text
from labeling.querysets import TextQuerySet
from labeling.walking import Walk, by_key, sorted_by_key

FEW = 5_000  # texts of one status that are sorted rather than searched for among all


class TextFilters(FilterSet):
    project = ProjectFilter()
    status = ChoiceFilter(choices=TextStatus.choices)
    category = CharFilter(method="of_category", max_length=200, help_text="Name or id of the category that holds.")
    min_confidence = ShareFilter("current_label__confidence", "gte")
    max_confidence = ShareFilter("current_label__confidence", "lte")
    origin = ChoiceFilter("current_label__origin", choices=LabelOrigin.choices, help_text="Of the label that holds.")
    run = RowIdFilter(method="labeled_by", help_text="The id of a run: texts that it labeled.")
    source = CharFilter(max_length=200)
    external_id = CharFilter(max_length=200)
    reviewer = CharFilter(method="of_reviewer", max_length=200, help_text="Who decided last: user name or id.")
    reviewed_after = since("reviewed_at")
    reviewed_before = until("reviewed_at")
    created_after = since()
    created_before = until()
    q = CharFilter("content", "icontains", max_length=200, help_text="Words that stand so in the text, in any case.")

    def of_category(self, texts: QuerySet[Text], name: str, value: str) -> QuerySet[Text]:
        return texts.filter(current_label__category__in=_keys(Category.objects.all(), "name", value))

    def of_reviewer(self, texts: QuerySet[Text], name: str, value: str) -> QuerySet[Text]:
        return texts.filter(reviewed_by__in=_keys(User.objects.all(), "username", value))

    def labeled_by(self, texts: TextQuerySet, name: str, run_id: int) -> QuerySet[Text]:
        """Nothing more: the walk goes only through the texts that the run labeled."""
        return texts


class WalkedProject(ProjectFilter):
    """Of a label's text, as `walked_labels` has it."""

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(walked_project=find_project(self.parent.request, value).pk) if value else queryset


class LabelFilters(FilterSet):
    """By annotations that no index has: else SQLite would go through all labels of a run or a category."""

    project = WalkedProject()
    text = RowIdFilter("text", help_text="The id of a text: its history, newest version first.")
    category = CharFilter(method="of_category", max_length=200, help_text="Name or id.")
    min_confidence = ShareFilter("confidence", "gte")
    max_confidence = ShareFilter("confidence", "lte")
    origin = ChoiceFilter(choices=LabelOrigin.choices)
    run = RowIdFilter("walked_run", help_text="The id of a run.")
    annotator = CharFilter(method="of_annotator", max_length=200, help_text="Who decided: user name or id.")
    created_after = since()
    created_before = until()

    def of_category(self, labels: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return labels.filter(walked_category__in=_keys(Category.objects.all(), "name", value))

    def of_annotator(self, labels: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return labels.filter(walked_annotator__in=_keys(User.objects.all(), "username", value))


def walked_labels() -> QuerySet[Label]:
    """All labels, with their relations as columns that are compared row by row."""
    relations = {"project": "text__project_id", "run": "run_id", "category": "category_id", "annotator": "annotator_id"}
    return Label.objects.annotate(**{f"walked_{name}": F(column) + 0 for name, column in relations.items()})


def _keys(rows: QuerySet[Any], name: str, value: str) -> list[int]:
    """Of the rows of this name, in any case of letters, or of this id."""
    wanted = Q(**{f"{name}__iexact": value.strip()}) | Q(pk=id_of(value))
    return list(rows.filter(wanted).order_by().values_list("pk", flat=True))


def walk_of_texts(texts: QuerySet[Text], wanted: dict[str, Any]) -> Walk:
    """Along the narrowest index for what is wanted. `texts`: of the projects that may be seen."""
    if external_id := wanted.get("external_id"):
        return by_key(texts.filter(external_id=external_id).exclude(external_id=""))
    if run_id := wanted.get("run"):
        return by_key(Label.objects.filter(run_id=run_id), "text_id")
    if status := wanted.get("status"):
        of_status = texts.filter(status=status)
        if of_status.order_by()[: FEW + 1].count() <= FEW:
            return sorted_by_key(of_status)
    return by_key(texts)


def walk_of_labels(labels: QuerySet[Label], wanted: dict[str, Any]) -> Walk:
    """A text has few labels; all others are walked along by their key."""
    if text_id := wanted.get("text"):
        return by_key(labels.filter(text_id=text_id))
    return by_key(Label.objects.all())
