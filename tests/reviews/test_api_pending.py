"""The review API: what waits, for whom, and in what order."""

import pytest

from labeling.models import Project, Text
from reviews.models import Assignment, QueueReason, Reviewer
from tests.reviews.asking import Ask


def test_a_waiting_text_comes_with_its_label(as_anna: Ask, text: Text) -> None:
    (row,) = as_anna("pending").json()["results"]
    assert row == {
        "text_id": text.pk,
        "blind": False,
        "label_id": text.current_label_id,
        "text": "Match number 0",
        "category": "Sports",
        "confidence": 0.6,
        "alternatives": [],
        "explanation": "Sports 0.60",
        "evidence": [{"start": 0, "end": 5, "word": "Match", "weight": 1.0}],
        "source": "",
        "external_id": "",
        "language": "",
        "metadata": {},
        "queue_reason": "uncertain",
        "expires_at": None,
    }


def test_looking_claims_nothing_and_shows_the_most_urgent_first(as_anna: Ask, add_labeled) -> None:
    sure, unsure = add_labeled(0.7, 0.5)
    assert [row["text_id"] for row in as_anna("pending").json()["results"]] == [unsure.pk, sure.pk]
    assert not Assignment.objects.exists()


def test_looking_twenty_texts_at_a_time(as_anna: Ask, add_labeled) -> None:
    add_labeled(*[0.5] * 21)
    assert len(as_anna("pending").json()["results"]) == 20
    assert len(as_anna("pending", {"limit": 21}).json()["results"]) == 21


def test_looking_needs_the_same_queries_for_any_number_of_texts(
    as_anna: Ask, add_labeled, django_assert_max_num_queries
) -> None:
    add_labeled(*[0.5] * 30)
    with django_assert_max_num_queries(14):
        as_anna("pending", {"limit": 30})


def test_a_claim_puts_one_text_on_the_desk(as_anna: Ask, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.5, 0.6)
    (row,) = as_anna("pending", {"claim": "true"}).json()["results"]
    assert row["expires_at"]
    assert Assignment.objects.get().reviewer == anna


def test_several_texts_are_claimed_at_once(as_anna: Ask, as_ben: Ask, add_labeled) -> None:
    add_labeled(0.5, 0.5, 0.5)
    mine = {row["text_id"] for row in as_anna("pending", {"claim": "true", "limit": 2}).json()["results"]}
    others = {row["text_id"] for row in as_ben("pending", {"claim": "true", "limit": 2}).json()["results"]}
    assert (len(mine), len(others), mine & others) == (2, 1, set())


def test_what_is_on_the_desk_is_shown_first(as_anna: Ask, anna: Reviewer, add_labeled) -> None:
    urgent, other = add_labeled(0.5, 0.7)
    Assignment.objects.create(text=other, reviewer=anna, reason=QueueReason.UNCERTAIN)
    assert [row["text_id"] for row in as_anna("pending").json()["results"]] == [other.pk, urgent.pk]


@pytest.mark.parametrize("claim", ["true", "false"])
def test_an_empty_queue_says_why(as_anna: Ask, claim: str) -> None:
    answer = as_anna("pending", {"claim": claim}).json()
    reason = {"reason": "finished", "count": 0, "message": "Everything is decided."}
    assert answer == {"results": [], "empty_reason": reason}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"min_confidence": "0.6"}, 1),
        ({"max_confidence": "0.6"}, 1),
        ({"category": "sPORTS"}, 2),
        ({"category": "Weather"}, 0),
        ({"q": "number 1"}, 1),
        ({"source": "mail"}, 0),
        ({"language": "fr"}, 0),
        ({"run": "99999"}, 0),
    ],
)
def test_the_queue_can_be_filtered(as_anna: Ask, add_labeled, filters: dict[str, str], count: int) -> None:
    add_labeled(0.5, 0.7)
    assert len(as_anna("pending", filters).json()["results"]) == count


@pytest.mark.parametrize("claim", ["true", "false"])
def test_who_wants_only_the_audit_is_shown_nothing_else(as_anna: Ask, project: Project, add_labeled, claim) -> None:
    add_labeled(0.3)
    as_anna("pending", {"claim": "true"})
    [audit] = add_labeled(0.9, audit=True)
    rows = as_anna("pending", {"only_audit": "true", "claim": claim}).json()["results"]
    assert [(row["text_id"], row["blind"], row["label_id"]) for row in rows] == [(audit.pk, True, None)]


def test_what_is_on_the_desk_is_filtered_as_the_rest(as_anna: Ask, add_labeled) -> None:
    add_labeled(0.3)
    as_anna("pending", {"claim": "true"})
    assert len(as_anna("pending", {"max_confidence": "0.5"}).json()["results"]) == 1
    assert as_anna("pending", {"min_confidence": "0.5"}).json()["results"] == []


@pytest.mark.parametrize(
    "also", [{"category": "Sports"}, {"min_confidence": "0"}, {"max_confidence": "1"}, {"run": "1"}]
)
def test_the_audit_is_not_narrowed_by_what_would_reveal_the_label(
    as_anna: Ask, text: Text, also: dict[str, str]
) -> None:
    answer = as_anna("pending", {"only_audit": "true", **also})
    assert answer.status_code == 400
    assert "Choose one of the two." in answer.json()["errors"]["only_audit"][0]


@pytest.mark.parametrize("filters", [{"q": ""}, {"word": "rain"}])
def test_a_filter_that_says_nothing_is_refused(as_anna: Ask, text: Text, filters: dict[str, str]) -> None:
    answer = as_anna("pending", filters)
    assert (answer.status_code, answer.json()["errors"].keys()) == (400, filters.keys())


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"min_confidence": "nan"},
        {"max_confidence": "2"},
        {"category": "Politics"},
        {"run": "9" * 30},
        {"q": "\x00"},
    ],
)
def test_a_wrong_parameter_is_named(as_anna: Ask, text: Text, wrong: dict[str, str]) -> None:
    answer = as_anna("pending", wrong)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == wrong.keys()


def test_a_project_is_found_by_name_and_by_id(as_anna: Ask, project: Project, text: Text) -> None:
    for reference in ("news", str(project.pk)):
        assert len(as_anna("pending", {"project": reference}).json()["results"]) == 1


def test_an_unknown_project_is_not_found(as_anna: Ask) -> None:
    assert as_anna("pending", {"project": "Nothing"}).status_code == 404
