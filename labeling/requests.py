"""What a request of the API asks for, checked, and the pages of its lists."""

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.serializers import Serializer


class NewestFirst(CursorPagination):
    ordering = "-id"
    page_size = 50


def checked(body: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The values of a body or of a query. Raises DRF's ValidationError, which names each wrong field."""
    wanted = body(data=data)
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)
