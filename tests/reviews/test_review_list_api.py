"""The API's lists of what was decided, and of what lies on desks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from labeling import api_keys
from labeling.models import Project, Text
from reviews import decisions, queue, undoing
from reviews.decisions import Decision
from reviews.models import Action, Assignment, Review, Reviewer

Get = Callable[..., Any]


def getting(user: User) -> Get:
    client = Client()
    client.force_login(user)
    return lambda address, **query: client.get(f"/api/{address}", query)


@pytest.fixture
def as_manager(mia: User) -> Get:
    return getting(mia)


@pytest.fixture
def as_anna(anna: Reviewer) -> Get:
    return getting(anna.user)


def judge(reviewer: Reviewer, text: Text, action: Action, category: str = "", comment: str = "") -> Review:
    chosen = text.project.categories.get(name=category).pk if category else None
    label_id = None if action == Action.DECIDE else text.current_label_id
    return decisions.record(reviewer, text.pk, Decision(action, label_id=label_id, category_id=chosen, comment=comment))


@pytest.fixture
def judged(anna: Reviewer, ben: Reviewer, add_labeled) -> list[Review]:
    """By Anna an approval and a rejection, by Ben an approval."""
    one, two, three = add_labeled(0.5, 0.6, 0.7)
    return [
        judge(anna, one, Action.APPROVE),
        judge(anna, two, Action.REJECT, "Business", "Shares, not goals."),
        judge(ben, three, Action.APPROVE),
    ]


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_manager_sees_everybody_s_reviews_newest_first(as_manager: Get, judged: list[Review]) -> None:
    assert ids(as_manager("reviews")) == [review.pk for review in reversed(judged)]


def test_a_reviewer_sees_only_their_own(as_anna: Get, judged: list[Review]) -> None:
    mine, _, of_ben = judged
    assert ids(as_anna("reviews")) == [judged[1].pk, mine.pk]
    assert as_anna(f"reviews/{mine.pk}").json()["category_after"] == "Sports"
    assert as_anna(f"reviews/{of_ben.pk}").status_code == 404


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"project": "News"}, [2, 1, 0]),
        ({"project": "Default"}, []),
        ({"reviewer": "ben"}, [2]),
        ({"action": "reject"}, [1]),
        ({"category": "business"}, [1]),
        ({"min_confidence": "0.55", "max_confidence": "0.65"}, [1]),
        ({"is_blind": "true"}, []),
        ({"is_undone": "false"}, [2, 1, 0]),
        ({"created_after": "2099-01-01T00:00:00Z"}, []),
    ],
)
def test_reviews_are_filtered(as_manager: Get, judged: list[Review], query: dict[str, str], places: list[int]) -> None:
    assert ids(as_manager("reviews", **query)) == [judged[place].pk for place in places]


def test_reviews_that_were_taken_back_are_found(as_manager: Get, anna: Reviewer, judged: list[Review]) -> None:
    undoing.take_back(anna, judged[1].pk)
    assert ids(as_manager("reviews", is_undone="true")) == [judged[1].pk]


@pytest.mark.parametrize("name", ["min_confidence", "max_confidence", "run", "label_id"])
def test_no_filter_finds_out_the_label_of_a_blind_text(as_manager: Get, anna: Reviewer, add_labeled, name: str) -> None:
    [blind] = add_labeled(0.61, audit=True)
    judge(anna, blind, Action.DECIDE, "Weather")
    assert blind.current_label is not None
    values = {"run": blind.current_label.run_id, "label_id": blind.current_label_id}
    assert ids(as_manager("reviews", **{name: values.get(name, 0.61)})) == []


def test_the_list_costs_the_same_for_many_reviews(
    as_manager: Get, judged: list[Review], django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(8):
        assert len(ids(as_manager("reviews", project="News"))) == 3


# --- Desks ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def claimed(anna: Reviewer, ben: Reviewer, project: Project, add_labeled) -> list[Assignment]:
    add_labeled(0.5, 0.6)
    found = [queue.claim_next(reviewer, project) for reviewer in (anna, ben)]
    return [claim for claim in found if isinstance(claim, Assignment)]


def release(user: User, claim: Assignment) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/api/assignments/{claim.pk}/release")


def test_a_manager_sees_all_desks_and_a_reviewer_their_own(
    as_manager: Get, as_anna: Get, claimed: list[Assignment]
) -> None:
    of_anna, of_ben = claimed
    assert ids(as_manager("assignments")) == [of_ben.pk, of_anna.pk]
    assert ids(as_manager("assignments", reviewer="anna")) == [of_anna.pk]
    assert ids(as_anna("assignments")) == [of_anna.pk]
    assert as_anna(f"assignments/{of_ben.pk}").status_code == 404


def test_a_claim_that_has_ended_is_on_no_desk(as_manager: Get, claimed: list[Assignment]) -> None:
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ids(as_manager("assignments")) == []


def test_gold_looks_like_the_audit(as_anna: Get, claimed: list[Assignment]) -> None:
    Assignment.objects.update(reason="gold")
    assert [row["reason"] for row in as_anna("assignments").json()["results"]] == ["audit"]


def test_a_manager_clears_a_desk_and_a_reviewer_only_their_own(
    anna: Reviewer, mia: User, claimed: list[Assignment]
) -> None:
    of_anna, of_ben = claimed
    assert release(anna.user, of_ben).status_code == 404
    assert release(anna.user, of_anna).json() == {"count": 1}
    assert release(mia, of_ben).json() == {"count": 1}
    assert not Assignment.objects.exists()


# --- Keys that are bound to projects ----------------------------------------------------------------------------------


def test_a_bound_key_leaves_the_desk_of_other_projects_alone(anna: Reviewer, claimed: list[Assignment]) -> None:
    mail = Project.objects.create(name="Mail")
    key = api_keys.create(anna.user, name="mail", scopes=["review"], projects=[mail])
    headers = {"Authorization": f"Bearer {key}"}
    for verb in ("release", "extend"):
        body = {"text_ids": [claimed[0].text_id]}
        answer = Client().post(f"/api/reviews/{verb}", body, content_type="application/json", headers=headers)
        assert answer.json() == {"count": 0}
    assert Client().post("/api/reviews/release", headers=headers).json() == {"count": 0}
    assert Assignment.objects.filter(reviewer=anna).exists()
