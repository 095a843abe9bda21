"""Histories as files: how they travel, what they hold, and that a spreadsheet runs nothing of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries

from labeling.models import Category, Project, Text
from labeling.spreadsheets import unescape_formula
from reviews import audit_trail, history
from reviews.entries import Entry
from reviews.hashing import content_hash
from reviews.models import Action, Review, Reviewer
from reviews.undoing import undo
from tests.reviews.desk_page import AddLabeled
from tests.reviews.histories import approve, body, cells, of_reviewer, of_text, reject, rows, write

FORMULA = '=HYPERLINK("http://evil.example","click")'


def test_a_file_is_streamed_and_named(head: Client, anna: Reviewer, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    approve(anna, text)
    for address, name in ((of_reviewer(anna), f"reviewer-{anna.pk}"), (of_text(text), f"text-{text.pk}")):
        for file_format, kind in (("csv", "text/csv; charset=utf-8"), ("jsonl", "application/x-ndjson")):
            answer = head.get(address, {"export": file_format})
            assert answer.streaming
            assert answer["Content-Type"] == kind
            assert answer["Content-Disposition"] == f'attachment; filename="history-of-{name}.{file_format}"'
            assert "no-store" in answer["Cache-Control"]
            body(answer)


def test_a_file_is_read_from_the_database_piece_by_piece(
    anna: Reviewer,
    add_labeled: AddLabeled,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(history, "CHUNK_ROWS", 2)
    for text in add_labeled(*[0.5] * 5):
        approve(anna, text)
    stream = history.entries_of(anna, history.Chosen(), hides_answers=False)
    with django_assert_num_queries(1):
        first = [next(stream), next(stream)]
    with django_assert_num_queries(3):
        rest = list(stream)
    assert [entry.id for entry in first + rest] == sorted(Review.objects.values_list("pk", flat=True), reverse=True)


def test_csv_and_json_lines_say_the_same(
    head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    reject(anna, text, weather, comment="Two\nlines, one comma")
    audit_trail.seal(everything=True)
    flat, whole = cells(head, of_text(text)), rows(head, of_text(text))
    assert [list(row) for row in flat] == [list(row) for row in whole] == [list(Entry._fields)] * 3
    for cell_row, row in zip(flat, whole, strict=True):
        for name, value in row.items():
            as_cell = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert unescape_formula(cell_row[name]) == as_cell
    assert flat[-1]["created_at"].endswith("Z")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "'="])
def test_a_spreadsheet_runs_nothing(
    head: Client, hers: Client, anna: Reviewer, project: Project, add_labeled: AddLabeled, start: str
) -> None:
    evil = start + FORMULA[1:]
    project.categories.filter(name="Sports").update(name=evil)
    [text] = add_texts_with(project, evil)
    write(anna, text, Action.FLAG, comment=evil, proposed_category=evil, category_after=project.categories.first())
    User.objects.filter(pk=anna.user_id).update(username=f"{start}anna")
    for client in (head, hers):
        [row] = cells(client, of_reviewer(anna))
        for name in ("text", "external_id", "comment", "proposed_category", "category_after", "who"):
            assert row[name].startswith("'"), name
        assert unescape_formula(row["comment"]) == evil
        assert rows(client, of_reviewer(anna))[0]["comment"] == evil


def add_texts_with(project: Project, evil: str) -> list[Text]:
    return [Text.objects.create(project=project, content=evil, content_hash="0" * 32, external_id=evil)]


def test_from_a_file_the_content_hash_can_be_computed_again(
    head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled
) -> None:
    one, two = add_labeled(0.5, 0.6)
    reject(anna, one, weather, comment="=rain", seconds_spent=3, idempotency_key="k")
    undo(anna)
    approve(anna, two)
    for row in rows(head, of_reviewer(anna)):
        names = {"text", "reviewer", "label", "new_label", "category_before", "category_after", "reverts"}
        values = {f"{name}_id": row[f"{name}_id"] for name in names}
        same = {"action", "slot", "confidence_before", "confidence_after", "status_before", "comment", "is_blind"}
        same |= {"proposed_category", "queue_reason", "selection_probability", "seconds_spent", "idempotency_key"}
        values |= {name: row[name] for name in same | {"batch"}}
        again = Review(**values, created_at=parse_datetime(row["created_at"]))
        assert content_hash(again) == row["content_hash"]


def test_the_export_keeps_the_filter(head: Client, anna: Reviewer, weather: Category, add_labeled: AddLabeled) -> None:
    one, two = add_labeled(0.5, 0.6)
    approve(anna, one)
    reject(anna, two, weather)
    assert [row["action"] for row in rows(head, of_reviewer(anna), action="reject")] == ["reject"]


def test_another_format_is_refused(head: Client, add_labeled: AddLabeled) -> None:
    [text] = add_labeled(0.5)
    assert head.get(of_text(text), {"export": "xlsx"}).status_code == 400
