"""How many people decide a text: the project's rule, for one text in hand and for a query."""

from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Right
from django.db.models.lookups import LessThan

from labeling.models import Project, Text

# The end of the content hash: the audit goes by its beginning, and the two draws must not lean on each other.
DIGITS = 8


def reviews_needed(text: Text) -> int:
    """How many people decide this text."""
    project = text.project
    if project.overlap_share >= 1 or text.content_hash[-DIGITS:] < _bound(project):
        return project.reviews_per_text
    return 1


def reviews_needed_in(project: Project) -> Case | Value:
    """The same in a query over the project's texts. A larger share keeps the texts of a smaller one."""
    if project.overlap_share >= 1 or project.reviews_per_text == 1:
        return Value(project.reviews_per_text)
    several: LessThan[str] = LessThan(Right("content_hash", DIGITS), _bound(project))
    return Case(When(several, then=project.reviews_per_text), default=1, output_field=IntegerField())


def _bound(project: Project) -> str:
    return f"{min(int(project.overlap_share * 16**DIGITS), 16**DIGITS - 1):08x}"
