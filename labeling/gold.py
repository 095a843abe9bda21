"""Gold texts: their label is known to be right, so that they can score the people who review."""

from django.db.models import QuerySet

from labeling.choices import TextStatus
from labeling.models import Text


def mark(texts: QuerySet[Text]) -> int:
    """Take the answers of these texts as known; returns how many. Only a decided text has an answer to be known."""
    return texts.filter(status=TextStatus.REVIEWED, is_gold=False).order_by().update(is_gold=True)


def unmark(texts: QuerySet[Text]) -> int:
    """Make these ordinary texts again; returns how many."""
    return texts.filter(is_gold=True).order_by().update(is_gold=False)
