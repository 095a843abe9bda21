"""Paging that stays fast on a million rows."""

from functools import cached_property
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet

CAP = 10_000


class CappedPaginator(Paginator):
    """Counts and pages up to 10,000 rows; beyond, people filter or search. A full count would read the whole table."""

    @cached_property
    def count(self) -> int:
        # Ordering does not matter for a count, and leaving it out lets the database stop early.
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[:CAP].count()
