"""JSON for `dumpdata` with moments as exact as the database has them.

Django cuts them to milliseconds, as ECMA-262 does. A database that was moved so had other moments than those that the
audit trail was sealed with, and every review counted as changed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.serializers import json
from django.db.models import Model


class ExactEncoder(json.DjangoJSONEncoder):
    """Django's, but for moments, which keep their microseconds."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else super().default(value)


class Serializer(json.Serializer):
    def serialize(self, queryset: Iterable[Model], **options: Any) -> Any:
        return super().serialize(queryset, cls=ExactEncoder, **options)


Deserializer = json.Deserializer
