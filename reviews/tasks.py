"""What the background worker does for reviews on a schedule: one call each, safe to run twice."""

import logging

from labeling import workers
from reviews import audit_trail, queue

logger = logging.getLogger(__name__)


@workers.at_work()
def seal() -> int:
    """Seal the reviews made since the last time; returns how many."""
    count = audit_trail.seal()
    if count:
        logger.info("%s reviews were sealed", count)
    return count


@workers.at_work()
def release_expired() -> int:
    """Remove the claims of people who left; returns how many."""
    return queue.release_expired()
