"""The review API: who may do what."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from labeling import api_keys
from labeling.models import ApiKey, Project, Text
from reviews.models import Review, Reviewer
from tests.reviews.asking import Ask, asking, body_of, client_of


def by_key(user: User, *scopes: str, ends: timedelta = timedelta(days=1)) -> Ask:
    key = api_keys.create(user, name="script", scopes=scopes, expires_at=timezone.now() + ends)
    return asking(Client(enforce_csrf_checks=True), Authorization=f"Bearer {key}")


PROJECT_VERBS = ["pending", "approve", "reject", "modify", "decide", "skip", "flag"]
OWN_VERBS = ["release", "extend"]


@pytest.fixture
def cast(anna: Reviewer, add_reviewer, manager: User, stranger: User) -> Callable[[str], Ask]:
    """Somebody by the name of their case, with a way to ask."""

    def session(user: User) -> Ask:
        return asking(client_of(user))

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
