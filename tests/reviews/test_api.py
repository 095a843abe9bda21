"""The review API: who may do what, what comes out, and what must not."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from labeling import api_keys, merging
from labeling.choices import LabelOrigin, RunStatus, TextStatus
from labeling.models import ApiKey, IdempotentRequest, Label, LabelingRun, Project, Text
from reviews import decisions, queue
from reviews.models import Assignment, QueueReason, Review, Reviewer

Ask = Callable[..., Any]


@pytest.fixture
def text(add_labeled) -> Text:
    return add_labeled(0.6)[0]


@pytest.fixture
def blind(add_labeled) -> Text:
    return add_labeled(0.61, audit=True)[0]


def asking(client: Client, **headers: str) -> Ask:
    def ask(verb: str, body: dict[str, Any] | None = None, **more: str) -> Any:
        if verb == "pending":
            return client.get("/api/reviews/pending", {"project": "News", **(body or {})}, headers=headers | more)
        url = f"/api/reviews/{verb}"
        return client.post(url, body or {}, content_type="application/json", headers=headers | more)

    return ask


@pytest.fixture
def as_anna(anna: Reviewer) -> Ask:
    client = Client()
    client.force_login(anna.user)
    return asking(client)


@pytest.fixture
def as_ben(ben: Reviewer) -> Ask:
    client = Client()
    client.force_login(ben.user)
    return asking(client)


def by_key(user: User, *scopes: str, ends: timedelta = timedelta(days=1)) -> Ask:
    key = api_keys.create(user, name="script", scopes=scopes, expires_at=timezone.now() + ends)
    return asking(Client(enforce_csrf_checks=True), Authorization=f"Bearer {key}")


def body_of(verb: str, text: Text) -> dict[str, Any]:
    label, category = {"label_id": text.current_label_id}, {"category": "Business"}
    return {
        "pending": {},
        "approve": label,
        "reject": label | category,
        "modify": label | category,
        "decide": {"text_id": text.pk} | category,
        "skip": {"text_id": text.pk},
        "flag": {"text_id": text.pk, "comment": "Unreadable."},
        "undo": {},
        "release": {},
        "extend": {"text_ids": [text.pk]},
    }[verb]


# --- Who may ----------------------------------------------------------------------------------------------------------

PROJECT_VERBS = ["pending", "approve", "reject", "modify", "decide", "skip", "flag"]
OWN_VERBS = ["release", "extend"]


@pytest.fixture
def cast(anna: Reviewer, add_reviewer, manager: User, stranger: User) -> Callable[[str], Ask]:
    """Somebody by the name of their case, with a way to ask."""

    def session(user: User) -> Ask:
        client = Client()
        client.force_login(user)
        return asking(client)

    def revoked() -> Ask:
        ask = by_key(anna.user, "review")
        api_keys.revoke(ApiKey.objects.values_list("pk", flat=True))
        return ask

    def foreign() -> Ask:
        reviewer = add_reviewer("carla")
        reviewer.projects.set([Project.objects.create(name="Mail")])
        return session(reviewer.user)

    def retired() -> Ask:
        reviewer = add_reviewer("dora")
        Reviewer.objects.filter(pk=reviewer.pk).update(is_active=False)
        return session(reviewer.user)

    people: dict[str, Callable[[], Ask]] = {
        "anonymous": lambda: asking(Client()),
        "plain user": lambda: session(stranger),
        "staff without rights": lambda: session(User.objects.create_user("clerk", is_staff=True)),
        "reviewer of another project": foreign,
        "retired reviewer": retired,
        "manager without a profile": lambda: session(manager),
        "reviewer": lambda: session(anna.user),
        "key": lambda: by_key(anna.user, "review"),
        "key without scope": lambda: by_key(anna.user, "read", "label", "manage"),
        "key of a plain user": lambda: by_key(stranger, "review"),
        "revoked key": revoked,
        "expired key": lambda: by_key(anna.user, "review", ends=-timedelta(seconds=1)),
        "wrong key": lambda: asking(Client(), Authorization="Bearer 123"),
    }
    return lambda name: people[name]()


@pytest.mark.parametrize("verb", PROJECT_VERBS)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("anonymous", 401),
        ("plain user", 403),
        ("staff without rights", 403),
        ("reviewer of another project", 403),
        ("retired reviewer", 403),
        ("manager without a profile", 403),
        ("reviewer", 201),
        ("key", 201),
        ("key without scope", 403),
        ("key of a plain user", 403),
        ("revoked key", 401),
        ("expired key", 401),
        ("wrong key", 401),
    ],
)
def test_who_may_review_a_text(cast, text: Text, who: str, verb: str, status: int) -> None:
    answer = cast(who)(verb, body_of(verb, text))
    if verb == "pending":  # nothing is made, and who is no member cannot tell the project from one that is not there
        status_of_list = {201: 200, 403: 404 if who in ("reviewer of another project", "retired reviewer") else 403}
        assert answer.status_code == status_of_list.get(status, status)
    else:
        assert answer.status_code == status
    assert Review.objects.exists() == (status == 201 and verb != "pending")


@pytest.mark.parametrize("verb", OWN_VERBS)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("anonymous", 401),
        ("plain user", 403),
        ("staff without rights", 403),
        ("reviewer of another project", 200),  # for the own desk, where nothing lies
        ("retired reviewer", 403),
        ("manager without a profile", 403),
        ("reviewer", 200),
        ("key", 200),
        ("key without scope", 403),
        ("key of a plain user", 403),
        ("revoked key", 401),
        ("expired key", 401),
        ("wrong key", 401),
    ],
)
def test_who_may_look_after_a_desk(cast, text: Text, who: str, verb: str, status: int) -> None:
    assert cast(who)(verb, body_of(verb, text)).status_code == status


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("anonymous", 401),
        ("plain user", 403),
        ("reviewer of another project", 404),
        ("retired reviewer", 404),
        ("manager without a profile", 404),
        ("reviewer", 201),
        ("key", 201),
        ("key without scope", 403),
        ("revoked key", 401),
        ("expired key", 401),
    ],
)
def test_who_may_undo_annas_review(cast, as_anna: Ask, text: Text, who: str, status: int) -> None:
    review = as_anna("approve", body_of("approve", text)).json()
    assert cast(who)("undo", {"review_id": review["id"]}).status_code == status


def test_who_left_a_project_undoes_nothing_there(as_anna: Ask, anna: Reviewer, text: Text) -> None:
    as_anna("approve", body_of("approve", text))
    anna.projects.clear()
    assert as_anna("undo").status_code == 403


@pytest.mark.parametrize("who", ["anonymous", "revoked key", "expired key", "wrong key"])
def test_a_401_says_how_to_sign_in(cast, who: str) -> None:
    assert cast(who)("pending")["WWW-Authenticate"].startswith("Bearer")


def test_a_session_needs_the_csrf_token(anna: Reviewer, text: Text) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna.user)
    assert asking(client)("approve", body_of("approve", text)).status_code == 403
    assert not Review.objects.exists()


def test_a_stranger_does_not_learn_the_projects_name(cast, text: Text) -> None:
    answer = cast("reviewer of another project")("approve", body_of("approve", text))
    assert answer.json()["code"] == "not_your_project"
    assert "News" not in answer.content.decode()


def test_a_member_of_an_archived_project_is_told_that_it_is_archived(as_anna: Ask, text: Text) -> None:
    Project.objects.update(is_archived=True)
    answer = as_anna("approve", body_of("approve", text))
    assert (answer.status_code, answer.json()["code"]) == (409, "project_archived")
    assert answer.json()["detail"] == "The project News is archived. Bring it back on its page, then review."


def test_a_stranger_does_not_learn_that_a_project_is_archived(cast: Callable[[str], Ask], text: Text) -> None:
    Project.objects.update(is_archived=True)
    answer = cast("reviewer of another project")("approve", body_of("approve", text))
    assert (answer.status_code, "News" in answer.content.decode()) == (403, False)


def test_who_has_no_desk_is_told_so_where_no_project_is_named(cast: Callable[[str], Ask]) -> None:
    assert "You are not a reviewer" in cast("manager without a profile")("release").json()["detail"]


def test_one_cannot_undo_the_review_of_another(as_anna: Ask, as_ben: Ask, text: Text) -> None:
    review = as_anna("approve", body_of("approve", text)).json()
    answer = as_ben("undo", {"review_id": review["id"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "nothing_to_undo")


# --- What waits -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_work_with_and_without_a_slash(anna: Reviewer, text: Text, slash: str, client: Client) -> None:
    client.force_login(anna.user)
    assert client.get(f"/api/reviews/pending{slash}?project=News").status_code == 200
    answer = client.post(f"/api/reviews/skip{slash}", {"text_id": text.pk}, content_type="application/json")
    assert answer.status_code == 201


# --- Blind ------------------------------------------------------------------------------------------------------------


def leaks(answer: Any) -> bool:
    """Whether the raw answer names a category, a number of the label, or its id under a known name."""
    raw = answer.content.decode()
    ids = re.search(r'"(label_id|new_label_id)": ?\d', raw)
    return bool(ids) or any(word in raw for word in ("Sports", "Business", "Weather", "0.61"))


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


# --- Twice, and too late ----------------------------------------------------------------------------------------------


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


def test_the_openapi_document_has_no_warning(tmp_path) -> None:
    path = tmp_path / "schema.yml"
    call_command("spectacular", "--file", str(path), "--fail-on-warn", "--validate")
    assert "/api/reviews/approve" in path.read_text()
