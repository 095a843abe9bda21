"""How lists of the API are filtered: by FilterSets, whose parameters the OpenAPI document shows with their limits."""

from collections.abc import Sequence
from datetime import MINYEAR, UTC, datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request
from rest_framework.settings import api_settings

from labeling.fields import LARGEST_ID
from labeling.lookups import find_project
from labeling.requests import refuse_unclear


class Filters(filters.DjangoFilterBackend):
    """Filters lists, and refuses parameters that it does not know: ignored, they would answer another question."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        known = set(filterset.filters) if filterset else set()
        if view.paginator is not None:
            known |= {view.paginator.cursor_query_param, view.paginator.page_size_query_param}
        refuse_unclear(request.query_params, known | {api_settings.URL_FORMAT_OVERRIDE})
        return super().filter_queryset(request, queryset, view)


class FlagField(forms.ChoiceField):
    def __init__(self, **options: Any) -> None:
        options.pop("widget", None)
        super().__init__(choices=[("true", "true"), ("false", "false")], **options)
        self.error_messages["invalid_choice"] = "Give true or false."

    def clean(self, value: Any) -> bool | None:
        chosen = super().clean(value)
        return chosen == "true" if chosen else None


class FilterSet(filters.FilterSet):
    """To be subclassed for each list. Wrong values are refused with the field's name."""


class ChoiceFilter(filters.ChoiceFilter):
    """One of a few words. What is none of them is answered with all of them."""

    def __init__(self, field_name: str | None = None, *, choices: Sequence[tuple[str, Any]], **options: Any) -> None:
        words = ", ".join(word for word, _ in choices)
        messages = {"invalid_choice": f'"%(value)s" is none of the choices: {words}.'}
        super().__init__(field_name, choices=choices, error_messages=messages, **options)


class FlagFilter(filters.BooleanFilter):
    """True or false, and nothing that might be meant for either."""

    field_class = FlagField


class ProjectFilter(filters.CharFilter):
    """Rows of one project, by its name or id; `field_name` leads from the row to it."""

    parent: filters.FilterSet

    def __init__(self, field_name: str = "project", **options: Any) -> None:
        options = {"help_text": "Name or id of a project. Without: all that you may see.", "max_length": 120} | options
        super().__init__(field_name=field_name, **options)

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return queryset
        return super().filter(queryset, find_project(self.parent.request, value))


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})
class RowIdFilter(filters.NumberFilter):
    """The primary key of another row."""

    field_class = forms.IntegerField

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, min_value=1, max_value=LARGEST_ID, **options)

    def get_max_validator(self) -> None:
        """The form field has its own."""


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 1})
class ShareFilter(filters.NumberFilter):
    """A number from 0 to 1. NaN is none."""

    field_class = forms.FloatField

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, min_value=0.0, max_value=1.0, **options)

    def get_max_validator(self) -> None:
        """The form field has its own."""


class MomentField(filters.IsoDateTimeFilter.field_class):
    """A moment in UTC. What lies outside the years 1 to 9999 there is the first or the last moment that there is."""

    def clean(self, value: Any) -> datetime | None:
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            return (datetime.min if moment.year == MINYEAR else datetime.max).replace(tzinfo=UTC)


class MomentFilter(filters.IsoDateTimeFilter):
    """A date and time, such as 2026-01-31T08:00:00Z."""

    field_class = MomentField


def since(field_name: str = "created_at") -> MomentFilter:
    """Rows from this moment on."""
    return MomentFilter(field_name=field_name, lookup_expr="gte", help_text="From this moment on.")


def until(field_name: str = "created_at") -> MomentFilter:
    """Rows before this moment, so that the next period can begin with it."""
    return MomentFilter(field_name=field_name, lookup_expr="lt", help_text="Before this moment.")
