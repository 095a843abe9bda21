"""Pages of lists that are too large to be searched through at once."""

from collections.abc import Callable
from typing import Any

from django.db.models import F, QuerySet
from rest_framework.pagination import Cursor
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.requests import NewestFirst

STEPS = (1_000, 3_000)  # rows looked at one after the other until a page is full

# The next keys of the rows to look at, newest first: (before this key, at most so many).
Walk = Callable[[int | None, int], list[int]]


class Walked(NewestFirst):
    """Walks from row to row by key, and shows those that the filters leave.

    A page ends when it is full, or when some four thousand rows were looked at: then it may be short or even empty, and
    `next` goes on from there. So each page costs the same, whatever is searched for, and following `next` to its end
    finds every row. There is no way back.
    """

    ordering = ("-id",)

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        self.request, self.model = request, queryset.model
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request)
        cursor = self.decode_cursor(request)
        walk: Walk = view.walk()  # type: ignore[union-attr]  # a view of a walked list
        before = None if cursor is None or cursor.position is None else int(cursor.position)
        rows, self.goes_on_before = _page(walk, queryset.order_by("-pk"), before, size)
        return rows

    def get_next_link(self) -> str | None:
        if self.goes_on_before is None:
            return None
        return str(self.encode_cursor(Cursor(0, False, str(self.goes_on_before))))

    def get_previous_link(self) -> None:
        """None: it is newest first, and walked in that direction."""


def by_key(rows: QuerySet[Any], key: str = "pk") -> Walk:
    """Along an index of these rows that ends in the key."""

    def walk(before: int | None, most: int) -> list[int]:
        left = rows if before is None else rows.filter(**{f"{key}__lt": before})
        return list(left.order_by(f"-{key}").values_list(key, flat=True)[:most])

    return walk


def sorted_by_key(rows: QuerySet[Any]) -> Walk:
    """The same for a few rows that another index finds: an order that no index has makes the database sort them."""

    def walk(before: int | None, most: int) -> list[int]:
        left = rows if before is None else rows.filter(pk__lt=before)
        return list(left.order_by((F("pk") + 0).desc()).values_list("pk", flat=True)[:most])

    return walk


def _page(walk: Walk, rows: QuerySet[Any], before: int | None, size: int) -> tuple[list[Any], int | None]:
    """The rows, and the key before which the next page begins; None at the end."""
    found: list[Any] = []
    for most in (size + 1, *STEPS):
        keys = walk(before, most)
        found += rows.filter(pk__in=keys)[: size + 1 - len(found)] if keys else []
        if len(found) > size:
            return found[:size], found[size - 1].pk
        if len(keys) < most:
            return found, None
        before = keys[-1]
    return found, before
