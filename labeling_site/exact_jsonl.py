"""JSON lines for `dumpdata` with moments as exact as the database has them; unlike JSON they are read line by line."""

from collections.abc import Iterable
from typing import Any

from django.core.serializers import jsonl
from django.db.models import Model

from labeling_site.exact_json import ExactEncoder


class Serializer(jsonl.Serializer):
    def serialize(self, queryset: Iterable[Model], **options: Any) -> Any:
        return super().serialize(queryset, cls=ExactEncoder, **options)


Deserializer = jsonl.Deserializer
