"""Whether a body has the names, and in JSON the types, that the OpenAPI document tells.

DRF takes "5" for 5 and 5 for "5", as it must for forms. In JSON such a value is a mistake of the caller. Values whose
name is not known are left out by DRF: `projct` for `project` would label the texts of another project.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from rest_framework import serializers

MOST_MISNAMED = 20  # each with the names of all fields: more would be many times what was sent

# The first that fits: a field -> the types that it takes, and what to say otherwise.
TYPES: Sequence[tuple[type[serializers.Field], tuple[type, ...], str]] = (
    (serializers.BooleanField, (bool,), "Give true or false."),
    (serializers.IntegerField, (int, float), "Give a whole number."),
    (serializers.FloatField, (int, float), "Give a number."),
    (serializers.DecimalField, (int, float, str), "Give a number."),
    (serializers.ChoiceField, (str, int), "Give one of the choices."),
    (serializers.CharField, (str,), "Give a string."),
)


def mistyped(field: serializers.Field, value: Any) -> Any:
    """What is wrong, in the form of DRF's errors; empty where nothing is. Null and what is missing is left to DRF."""
    if value is None:
        return []
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        return _of_list(field.child, value) if isinstance(value, list) else []
    if isinstance(field, serializers.Serializer):
        return _of_object(field, value) if isinstance(value, Mapping) else []
    return _of_value(field, value)


def misnamed(serializer: serializers.Serializer[Any], names: Iterable[str]) -> dict[str, Any]:
    """The first of `names` that are no fields, in the form of DRF's errors."""
    message = f"There is no such field. Fields: {', '.join(serializer.fields)}."
    unknown = (name for name in names if name not in serializer.fields)
    return {str(name): [message] for name in islice(unknown, MOST_MISNAMED)}


def _of_object(serializer: serializers.Serializer[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: mistyped(field, value[name]) for name, field in serializer.fields.items() if name in value}
    return misnamed(serializer, value) | {name: wrong for name, wrong in found.items() if wrong}


def _of_list(child: serializers.Field, values: list[Any]) -> dict[str, Any]:
    found = {str(place): mistyped(child, value) for place, value in enumerate(values)}
    return {place: wrong for place, wrong in found.items() if wrong}


def _of_value(field: serializers.Field, value: Any) -> list[str]:
    for kind, types, message in TYPES:
        if isinstance(field, kind):
            allowed = getattr(field, "json_types", types)
            is_right = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
            return [] if is_right else [message]
    return []
