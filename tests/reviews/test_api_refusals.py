"""The review API: what comes twice, too late, or wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling import merging
from labeling.choices import LabelOrigin, RunStatus
from labeling.models import IdempotentRequest, Label, LabelingRun, Project, Text
from reviews import decisions, queue
from reviews.models import Review, Reviewer
from tests.reviews.asking import Ask, body_of

# --- Twice ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_header", [True, False])
def test_a_double_submit_is_one_review(as_anna: Ask, text: Text, in_header: bool) -> None:
    body = body_of("approve", text)
    more = {"Idempotency-Key": "k1"} if in_header else {}
    body |= {} if in_header else {"idempotency_key": "k1"}
    first, second = as_anna("approve", body, **more), as_anna("approve", body, **more)
    assert (first.status_code, second.status_code) == (201, 201 if in_header else 200)
    assert first.json() == second.json()
    assert Review.objects.count() == 1


def test_a_key_is_not_used_for_something_else(as_anna: Ask, add_labeled) -> None:
    one, other = add_labeled(0.5, 0.6)
    as_anna("approve", body_of("approve", one), **{"Idempotency-Key": "k1"})
    answer = as_anna("approve", body_of("approve", other), **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Review.objects.count() == 1


def test_a_key_of_a_body_is_not_used_for_something_else(as_anna: Ask, add_labeled) -> None:
    one, other = add_labeled(0.5, 0.6)
    as_anna("approve", body_of("approve", one) | {"idempotency_key": "k1"})
    answer = as_anna("approve", body_of("approve", other) | {"idempotency_key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Review.objects.count() == 1


@pytest.mark.parametrize("other", [{"category": "Weather"}, {"confidence": 0.5}, {"confidence": None}])
def test_a_key_of_a_body_is_not_used_for_another_answer(as_anna: Ask, text: Text, other: dict[str, Any]) -> None:
    body = body_of("modify", text) | {"confidence": 0.9, "idempotency_key": "k1"}
    assert as_anna("modify", body).status_code == 201
    answer = as_anna("modify", {name: value for name, value in (body | other).items() if value is not None})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_decision_is_the_same_under_the_category_that_its_own_was_merged_into(as_anna: Ask, text: Text) -> None:
    body = body_of("reject", text) | {"idempotency_key": "k1"}
    as_anna("reject", body)
    LabelingRun.objects.update(status=RunStatus.SUCCEEDED)
    source, target = (text.project.categories.get(name=name) for name in ("Business", "Weather"))
    merging.start(source, target)
    assert [as_anna("reject", body | {"category": name}).status_code for name in ("Business", "Weather")] == [200, 200]


def test_another_answer_with_the_key_at_the_same_moment_is_refused(
    as_anna: Ask, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of("reject", text) | {"idempotency_key": "k1"}
    as_anna("reject", body)
    looked_up_before_the_other_was_written = iter([None])
    then = decisions.written_before
    monkeypatch.setattr(
        decisions, "written_before", lambda *given: next(looked_up_before_the_other_was_written, then(*given))
    )
    assert as_anna("reject", body | {"category": "Weather"}).status_code == 422
    assert Review.objects.count() == 1


def test_a_decision_in_whose_midst_the_server_died_is_made_once(as_anna: Ask, text: Text) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = as_anna("approve", body_of("approve", text), **headers)
    IdempotentRequest.objects.update(status=None, begun_at=timezone.now() - timedelta(seconds=31))
    second = as_anna("approve", body_of("approve", text), **headers)
    assert (second.status_code, second.json()) == (200, first.json())
    assert Review.objects.count() == 1


def test_an_undo_in_whose_midst_the_server_died_does_not_undo_an_older_review(as_anna: Ask, add_labeled) -> None:
    for text in add_labeled(0.5, 0.6):
        as_anna("approve", body_of("approve", text))
    as_anna("undo", **{"Idempotency-Key": "k1"})
    IdempotentRequest.objects.update(status=None, begun_at=timezone.now() - timedelta(seconds=31))
    answer = as_anna("undo", **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert Review.objects.filter(action="undo").count() == 1


@pytest.mark.parametrize("of_body", [{}, {"idempotency_key": ""}])
def test_a_form_and_an_empty_key_of_the_body_have_the_key_of_the_header(
    client: Client, anna: Reviewer, text: Text, of_body: dict[str, str]
) -> None:
    client.force_login(anna.user)
    form = {"text_id": str(text.pk), **of_body}
    answer = client.post("/api/reviews/skip", form, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, Review.objects.get().idempotency_key) == (201, "k1")


def test_a_key_of_the_body_that_is_too_long_is_refused_beside_a_good_header(as_anna: Ask, text: Text) -> None:
    answer = as_anna("skip", {"text_id": text.pk, "idempotency_key": "k" * 65}, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["idempotency_key"])


def test_a_key_that_is_too_long_is_refused(as_anna: Ask, text: Text) -> None:
    answer = as_anna("approve", body_of("approve", text), **{"Idempotency-Key": "k" * 65})
    assert answer.json()["errors"].keys() == {"Idempotency-Key"}


# --- Too late, or wrong -----------------------------------------------------------------------------------------------


def test_who_comes_second_is_told_what_was_decided(as_anna: Ask, as_ben: Ask, text: Text) -> None:
    as_ben("reject", body_of("reject", text))
    answer = as_anna("approve", body_of("approve", text))
    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert problem["review"].pop("created_at")
    assert problem == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "ben has decided this text already.",
        "code": "already_decided",
        "review": {"reviewer": "ben", "action": "reject", "category": "Business"},
    }


def test_a_text_on_another_desk_is_refused(as_anna: Ask, ben: Reviewer, project: Project, text: Text) -> None:
    queue.claim_next(ben, project)
    answer = as_anna("approve", body_of("approve", text))
    assert (answer.status_code, answer.json()["code"]) == (409, "on_another_desk")


def test_a_label_that_was_replaced_is_refused(as_anna: Ask, text: Text) -> None:
    assert text.current_label is not None
    other = text.project.categories.exclude(pk=text.current_label.category_id)[0]
    newer = Label.objects.create(text=text, version=2, category=other, origin=LabelOrigin.MODEL, confidence=0.7)
    Text.objects.update(current_label=newer)
    answer = as_anna("approve", body_of("approve", text))
    assert (answer.status_code, answer.json()["code"]) == (409, "label_replaced")


def test_a_rejection_with_the_same_category_is_refused(as_anna: Ask, text: Text) -> None:
    answer = as_anna("reject", {"label_id": text.current_label_id, "category": "Sports"})
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_decision")


def test_an_unknown_category_is_told_the_known_ones(as_anna: Ask, text: Text) -> None:
    errors = as_anna("decide", {"text_id": text.pk, "category": "Politics"}).json()["errors"]
    assert errors == {"category": ["There is no category 'Politics'. Categories: Sports, Business, Weather."]}


@pytest.mark.parametrize("category", [0, -1, 2**63, True, None, 1.5, ["Sports"], "", "x" * 201])
def test_a_category_must_be_a_name_or_an_id(as_anna: Ask, text: Text, category: Any) -> None:
    errors = as_anna("decide", {"text_id": text.pk, "category": category}).json()["errors"]
    assert errors.keys() == {"category"}


@pytest.mark.parametrize(("verb", "body"), [("approve", {"label_id": 9999}), ("skip", {"text_id": 9999})])
def test_what_does_not_exist_is_not_found(as_anna: Ask, verb: str, body: dict[str, int]) -> None:
    answer = as_anna(verb, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("label_id", [None, "x", 0, -1, 2**63, 1.5, [1], {"id": 1}])
def test_a_label_id_must_be_one(as_anna: Ask, label_id: Any) -> None:
    assert as_anna("approve", {"label_id": label_id}).json()["errors"].keys() == {"label_id"}


def test_a_body_that_is_not_an_object_is_refused(anna: Reviewer, client: Client) -> None:
    client.force_login(anna.user)
    headers = {"Idempotency-Key": "k"}
    for body in ("[1]", "{", "3", "null"):
        answer = client.post("/api/reviews/approve", body, content_type="application/json", headers=headers)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
