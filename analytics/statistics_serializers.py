"""The statistics as JSON. Fields are read from the dataclasses themselves, so that the API can say nothing else."""

import functools
import types
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers

from analytics.statistics import Statistics
from analytics.statistics_forms import ADDRESS

FIELDS: dict[type, type[serializers.Field]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    str: serializers.CharField,
    date: serializers.DateField,
    datetime: serializers.DateTimeField,
}


@functools.cache  # one for each dataclass: by its identity the OpenAPI document tells that it is the same
def serializer_of(kind: Any) -> type[serializers.Serializer[Any]]:
    """A serializer with a field for each field of a dataclass; what a dataclass says of itself is its description."""
    hints = get_type_hints(kind)
    found: dict[str, Any] = {field.name: _field(hints[field.name]) for field in fields(kind)}
    return type(f"{kind.__name__}Serializer", (serializers.Serializer,), {**found, "__doc__": kind.__doc__})


def _field(hint: Any) -> serializers.Field:
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        return _field_of(inner, allow_null=True)
    return _field_of(hint)


def _field_of(kind: Any, **options: Any) -> serializers.Field:
    if get_origin(kind) is tuple:
        return _field_of(get_args(kind)[0], many=True)
    if isinstance(kind, type) and is_dataclass(kind):
        return serializer_of(kind)(**options)
    return FIELDS[kind](**options)


StatisticsSerializer = serializer_of(Statistics)


class StatisticsQuery(serializers.Serializer):
    """Which part of a project."""

    project = serializers.CharField(required=False, max_length=120, help_text="Name or id; else the default project.")
    since = serializers.DateField(required=False, help_text="The first day, such as 2026-11-01.")
    until = serializers.DateField(required=False, help_text="The last day.")
    category = serializers.CharField(required=False, max_length=200, help_text="Name or id.")
    source = serializers.CharField(required=False, max_length=200, help_text="Where the texts came from.")
    reviewer = serializers.CharField(required=False, max_length=150, help_text="User name or the reviewer's id.")
    run = serializers.CharField(required=False, max_length=18, help_text="Id of a labeling run.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` and `to` in the address; the one cannot be the name of an attribute."""
        return {ADDRESS.get(name, name): field for name, field in super().get_fields().items()}


class BeingCountedSerializer(serializers.Serializer):
    detail = serializers.CharField()
