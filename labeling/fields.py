"""Fields that bodies and queries of the API share, with limits that every database keeps."""

import math
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LARGEST_ID = 2**63 - 1  # databases answer larger numbers with errors of their own


class RowId(serializers.IntegerField):
    """A primary key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class Choice(serializers.ChoiceField):
    """One of a few words. What is none of them is answered with all of them."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        words = ", ".join(str(word) for word in self.choices if word != "")
        self.error_messages["invalid_choice"] = f'"{{input}}" is none of the choices: {words}.'


class Share(serializers.FloatField):
    """A number from 0 to 1. NaN is below no limit and above none, so it is refused by itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, **options)

    def to_internal_value(self, data: Any) -> float:
        value = float(super().to_internal_value(data))
        if math.isnan(value):
            self.fail("invalid")
        return value


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "minLength": 1, "maxLength": 200},
            {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        ]
    }
)
class CategoryReference(serializers.CharField):
    """A category: a number is an id; a string is a name, in any case, or an id that no category has as its name."""

    json_types = (str, int)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Before the validators, which measure strings.
        if isinstance(data, int) and not isinstance(data, bool):
            return RowId().run_validation(data)
        return super().run_validation(data)


class ProjectReference(serializers.CharField):
    """The project that a body or a query names; None where it names none, which `find_project` takes for Default."""

    def __init__(self, **options: Any) -> None:
        words = "Name or id of the project. Without: Default."
        super().__init__(**{"required": False, "default": None, "max_length": 120, "help_text": words} | options)
