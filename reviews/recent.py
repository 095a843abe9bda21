"""The newest reviews, found by id: times have no index, and nobody waits for a million rows to be read."""

from datetime import datetime
from typing import NamedTuple

from reviews.models import ReviewQuerySet


class Recent(NamedTuple):
    """Reviews with a larger id than `after` are the newest ones. `older_at`: when the next older was made, if any."""

    after: int
    older_at: datetime | None

    def reaches(self, moment: datetime) -> bool:
        """All reviews made since the moment are among the newest."""
        return self.older_at is None or self.older_at < moment


def newest(reviews: ReviewQuerySet, most: int) -> Recent:
    """Where the newest `most` of these reviews begin. It reads an index only."""
    left_out = reviews.order_by("-pk").values_list("pk", "created_at")[most : most + 1]
    return next((Recent(pk, made) for pk, made in left_out), Recent(0, None))
