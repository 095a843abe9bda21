"""Which reviews, and which desks, a list of the API is asked for."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django_filters.rest_framework import CharFilter

from labeling.filtering import (
    ChoiceFilter,
    FilterSet,
    FlagFilter,
    ProjectFilter,
    RowIdFilter,
    ShareFilter,
    since,
    until,
)
from labeling.lookups import find_project
from reviews.models import Action, Assignment, Review

BLIND = Q(is_blind=True) | Q(text__is_audit=True) | Q(text__is_gold=True)
FEW = 5_000  # texts that are gone through for a page
WHO = "User name of a reviewer."


class ProjectOfText(ProjectFilter):
    """Of a small project by its texts; of a large one by a sum, so that the newest are walked until the page is full.

    By the project alone databases would go through all texts of a large one, of which few are reviewed.
    """

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return queryset
        project = find_project(self.parent.request, value)
        if project.texts.order_by()[: FEW + 1].count() <= FEW:
            return queryset.filter(text__project=project)
        return queryset.annotate(own_project=F("text__project_id") + 0).filter(own_project=project.pk)


class ReviewFilters(FilterSet):
    project = ProjectOfText()
    reviewer = CharFilter("reviewer__user__username", max_length=150, help_text=WHO)
    action = ChoiceFilter(choices=Action.choices)
    category = CharFilter(
        "category_after__name", "iexact", max_length=200, help_text="Name of the category that was given."
    )
    text_id = RowIdFilter("text", help_text="Reviews of this text.")
    label_id = RowIdFilter("label", help_text="Reviews of this label.")
    run = RowIdFilter("label__run", help_text="Reviews of labels that this run made.")
    min_confidence = ShareFilter("confidence_before", "gte", help_text="The label's confidence, from here on.")
    max_confidence = ShareFilter("confidence_before", "lte", help_text="The label's confidence, up to here.")
    is_blind = FlagFilter(help_text="The reviewer did not see the model's label.")
    is_undone = FlagFilter(method="undone", help_text="It was taken back.")
    created_after = since()
    created_before = until()

    class Meta:
        model = Review
        fields: list[str] = []

    def undone(self, reviews: QuerySet[Review], name: str, value: bool) -> QuerySet[Review]:
        """Found from the few that take others back."""
        undone = Review.objects.filter(reverts__isnull=False).values("reverts")
        return reviews.filter(pk__in=undone) if value else reviews.exclude(pk__in=undone)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What a model said of a text that is decided blind cannot be found out by filtering for it."""
        values = self.form.cleaned_data
        if any(values[name] is not None for name in ("min_confidence", "max_confidence", "run", "label_id")):
            queryset = queryset.exclude(BLIND)
        if values["category"]:  # an undo carries the label that it puts back
            queryset = queryset.exclude(BLIND, reverts__isnull=False)
        return super().filter_queryset(queryset)


class AssignmentFilters(FilterSet):
    project = ProjectOfText()
    reviewer = CharFilter("reviewer__user__username", max_length=150, help_text=WHO)
    text_id = RowIdFilter("text")
    created_after = since("claimed_at")
    created_before = until("claimed_at")

    class Meta:
        model = Assignment
        fields: list[str] = []
