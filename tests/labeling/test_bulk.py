"""Statements over many rows: which they insert or change, and which they leave alone or refuse."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from labeling import bulk
from labeling.choices import TextStatus
from labeling.models import Project, Text

UNDECIDED = [TextStatus.UNLABELED, TextStatus.NEEDS_REVIEW]


def test_rows_whose_conditions_do_not_hold_are_left_alone(project: Project, add_texts) -> None:
    one, two, three = add_texts(project, "one", "two", "three")
    Text.objects.filter(pk=two.pk).update(status=TextStatus.FAILED)
    Text.objects.filter(pk=three.pk).update(priority=5.0)
    rows = [("mended", text.pk) for text in (one, two, three)]
    assert bulk.update(Text, ("error",), rows, where=[("status", "IN", UNDECIDED), ("priority", "<=", 1.0)]) == 1
    assert list(Text.objects.filter(error="mended")) == [one]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite finds each row by its key")
def test_rows_are_found_by_their_keys_whatever_the_statistics_say(project: Project, add_texts) -> None:
    texts = add_texts(project, *(f"text {number}" for number in range(500)))
    with connection.cursor() as cursor:
        Text.objects.update(status=TextStatus.FAILED)
        cursor.execute("ANALYZE text_data")  # nothing needs review
        Text.objects.update(status=TextStatus.UNLABELED)
        with CaptureQueriesContext(connection) as asked:
            bulk.update(Text, ("error",), [("", text.pk) for text in texts], where=[("status", "IN", UNDECIDED)])
        [update] = [query["sql"] for query in asked if query["sql"].startswith("UPDATE")]
        cursor.execute(f"EXPLAIN {update.replace('%', '%%')}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "(status)" not in plan  # it looks at the status of rows that it has found


def test_a_plain_insert_refuses_duplicates(project: Project) -> None:
    rows = [("a", "h"), ("b", "h")]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk})
    assert not project.texts.exists()


def test_only_duplicates_are_forgiven(project: Project) -> None:
    shared = {"project": project.pk, "status": "no such status"}
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert_ignoring_duplicates(Text, ("content", "content_hash"), [("a", "h")], shared=shared)


def test_inserting_nothing_is_no_error(project: Project) -> None:
    assert bulk.insert_ignoring_duplicates(Text, ("content", "content_hash"), []) == 0
