"""The review API: what a decision is answered with, what it changes, and what a blind one must not tell."""

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from labeling.choices import TextStatus
from labeling.models import Project, Text
from reviews import queue
from reviews.models import Assignment, Review, Reviewer
from tests.reviews.asking import Ask, body_of


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_slash(anna: Reviewer, text: Text, slash: str, client: Client) -> None:
    client.force_login(anna.user)
    assert client.get(f"/api/reviews/pending{slash}?project=News").status_code == 200
    answer = client.post(f"/api/reviews/skip{slash}", {"text_id": text.pk}, content_type="application/json")
    assert answer.status_code == 201


def test_the_openapi_document_has_no_warning(tmp_path) -> None:
    path = tmp_path / "schema.yml"
    call_command("spectacular", "--file", str(path), "--fail-on-warn", "--validate")
    assert "/api/reviews/approve" in path.read_text()


# --- Blind ------------------------------------------------------------------------------------------------------------


def leaks(answer: Any) -> bool:
    """Whether the raw answer names a category, the confidence of the label, or its id under a known name.

    No digit stands before the confidence: ten seconds and 0.61 of a moment would be one.
    """
    tells = r'"(label_id|new_label_id)": ?\d|Sports|Business|Weather|(?<!\d)0\.61'
    return re.search(tells, answer.content.decode()) is not None


@pytest.mark.parametrize("claim", ["true", "false"])
def test_a_blind_row_leaks_nothing(as_anna: Ask, blind: Text, claim: str) -> None:
    answer = as_anna("pending", {"claim": claim})
    (row,) = answer.json()["results"]
    assert (row["text_id"], row["blind"], row["queue_reason"]) == (blind.pk, True, "audit")
    assert not leaks(answer)


@pytest.mark.parametrize("name", ["category", "min_confidence", "max_confidence", "run"])
def test_no_filter_finds_out_the_label_of_a_blind_text(as_anna: Ask, blind: Text, name: str) -> None:
    assert blind.current_label is not None
    values = {"category": "Sports", "min_confidence": 0.5, "max_confidence": 0.7, "run": blind.current_label.run_id}
    for claim in ("true", "false"):
        assert as_anna("pending", {name: values[name], "claim": claim}).json()["results"] == []


def test_a_text_drawn_for_the_audit_after_it_was_claimed_is_blind(as_anna: Ask, text: Text) -> None:
    as_anna("pending", {"claim": "true"})
    Text.objects.update(is_audit=True)
    assert not leaks(as_anna("pending"))


@pytest.mark.parametrize("verb", ["skip", "flag"])
def test_putting_a_blind_text_aside_leaks_nothing(as_anna: Ask, blind: Text, verb: str) -> None:
    answer = as_anna(verb, body_of(verb, blind))
    assert answer.status_code == 201
    assert not leaks(answer)


def test_undoing_a_blind_decision_leaks_nothing(as_anna: Ask, blind: Text) -> None:
    decided = as_anna("decide", {"text_id": blind.pk, "category": "Weather"})
    assert decided.json()["category_after"] == "Weather"
    assert decided.json()["category_before"] is None
    undone = as_anna("undo")
    assert undone.status_code == 201
    assert "Sports" not in undone.content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject", "modify"])
def test_a_blind_text_is_judged_by_nobody(as_anna: Ask, blind: Text, verb: str) -> None:
    answer = as_anna(verb, body_of(verb, blind))
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_decision")
    assert not leaks(answer)


# --- What is decided --------------------------------------------------------------------------------------------------


def test_an_approval_is_answered_with_the_review(as_anna: Ask, text: Text) -> None:
    answer = as_anna("approve", {"label_id": text.current_label_id, "comment": "Clear."}).json()
    review = Review.objects.get()
    assert answer.pop("created_at")
    assert answer == {
        "id": review.pk,
        "text_id": text.pk,
        "action": "approve",
        "category_before": "Sports",
        "category_after": "Sports",
        "confidence_before": 0.6,
        "confidence_after": None,
        "comment": "Clear.",
        "reviewer": "anna",
        "label_id": text.current_label_id,
        "new_label_id": None,
    }


def test_a_rejection_gives_the_text_its_new_label(as_anna: Ask, text: Text) -> None:
    answer = as_anna("reject", body_of("reject", text)).json()
    text.refresh_from_db()
    assert text.current_label is not None
    assert (text.current_label_id, text.current_label.category.name) == (answer["new_label_id"], "Business")


def test_a_modification_may_change_the_confidence_alone(as_anna: Ask, text: Text) -> None:
    answer = as_anna("modify", {"label_id": text.current_label_id, "confidence": 1}).json()
    assert (answer["category_after"], answer["confidence_after"]) == ("Sports", 1.0)


@pytest.mark.parametrize("as_id", [True, False])
def test_a_category_is_named_or_numbered(as_anna: Ask, project: Project, text: Text, as_id: bool) -> None:
    category = project.categories.get(name="Business").pk if as_id else "bUSINESS"
    answer = as_anna("decide", {"text_id": text.pk, "category": category})
    assert answer.json()["category_after"] == "Business"


def test_a_number_is_an_id_even_where_names_are_numbers(as_anna: Ask, project: Project, text: Text) -> None:
    business, weather = project.categories.get(name="Business"), project.categories.get(name="Weather")
    project.categories.filter(pk=weather.pk).update(name=str(business.pk))
    assert as_anna("decide", {"text_id": text.pk, "category": business.pk}).json()["category_after"] == "Business"


def test_a_skipped_text_stays_open(as_anna: Ask, text: Text) -> None:
    as_anna("skip", {"text_id": text.pk})
    text.refresh_from_db()
    assert text.status == TextStatus.NEEDS_REVIEW


def test_a_flag_needs_a_comment(as_anna: Ask, text: Text) -> None:
    assert as_anna("flag", {"text_id": text.pk}).json()["errors"] == {"comment": ["This field is required."]}


def test_an_undo_puts_back_what_held(as_anna: Ask, text: Text) -> None:
    as_anna("reject", body_of("reject", text))
    assert as_anna("undo").json()["action"] == "undo"
    text.refresh_from_db()
    assert text.status == TextStatus.NEEDS_REVIEW


def test_a_desk_is_kept_and_left(as_anna: Ask, text: Text) -> None:
    as_anna("pending", {"claim": "true"})
    assert as_anna("extend", {"text_ids": [text.pk, 9999]}).json() == {"count": 1}
    assert as_anna("release", {"text_ids": [text.pk]}).json() == {"count": 1}
    assert not Assignment.objects.exists()


def test_nobody_clears_the_desk_of_another(as_anna: Ask, ben: Reviewer, project: Project, text: Text) -> None:
    queue.claim_next(ben, project)
    assert as_anna("release").json() == {"count": 0}
    assert Assignment.objects.get().reviewer == ben
