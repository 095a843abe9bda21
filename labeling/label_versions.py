"""The numbers that tell the versions of a text's label apart."""

from collections.abc import Sequence

from django.db.models import Max

from labeling.models import Label


def next_versions(text_ids: Sequence[int]) -> dict[int, int]:
    """The next version number of texts that have labels; texts without start at 1."""
    labels = Label.objects.filter(text_id__in=text_ids)
    if text_ids and max(text_ids) - min(text_ids) < 2 * len(text_ids):  # a range; few are between them
        labels = Label.objects.filter(text_id__gte=min(text_ids), text_id__lte=max(text_ids))
    newest = labels.order_by().values_list("text_id").annotate(Max("version"))
    return {text_id: version + 1 for text_id, version in newest}
