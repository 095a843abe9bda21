"""Histories as their tests read them, and the reviews that they tell about."""

import csv
import io
import json
from typing import Any

from django.test import Client

from labeling.models import Category, Text
from reviews.decisions import Decision, record
from reviews.hashing import content_hash
from reviews.models import Action, Review, Reviewer


def of_text(text: Text) -> str:
    return f"/admin/review/history/text/{text.pk}/"


def of_reviewer(reviewer: Reviewer) -> str:
    return f"/admin/review/history/reviewer/{reviewer.pk}/"


def body(answer: Any) -> str:
    assert answer.status_code == 200
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def rows(client: Client, address: str, **filters: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body(client.get(address, {"export": "jsonl", **filters})).splitlines()]


def cells(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(client.get(address, {"export": "csv"})), newline="")))


def approve(reviewer: Reviewer, text: Text, **more: Any) -> Review:
    return record(reviewer, text.pk, Decision(Action.APPROVE, text.current_label_id, **more))


def reject(reviewer: Reviewer, text: Text, category: Category, **more: Any) -> Review:
    return record(reviewer, text.pk, Decision(Action.REJECT, text.current_label_id, category.pk, **more))


def write(reviewer: Reviewer, text: Text, action: Action = Action.DECIDE, **values: Any) -> Review:
    """A review as it would stand there, without the way to it."""
    review = Review(reviewer=reviewer, text=text, action=action, **{"status_before": text.status, **values})
    review.content_hash = content_hash(review)
    review.save()
    return review
