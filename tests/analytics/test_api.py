"""The API of the error budget: who may do what, and what comes out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from labeling import api_keys, certification
from labeling.models import Certificate, Project, Text
from reviews.models import Reviewer
from tests.analytics.budgets import add_audited, decided_by, label_again
from tests.labeling.certificates import add_machine_labeled

READS = ["list", "retrieve", "budget"]
CHANGES = ["create", "apply", "unapply", "audit"]


class Caller:
    """Asks by the name of the verb."""

    def __init__(self, client: Client, project: Project, **headers: str) -> None:
        self.client, self.project, self.headers = client, project, headers

    def __call__(self, verb: str, certificate: int = 0, **body: Any) -> Any:
        address = {
            "list": "certificates",
            "create": "certificates",
            "retrieve": f"certificates/{certificate}",
            "apply": f"certificates/{certificate}/apply",
            "unapply": f"certificates/{certificate}/unapply",
            "budget": f"projects/{self.project.pk}/budget",
            "audit": f"projects/{self.project.pk}/audit",
        }[verb]
        if verb in READS:
            return self.client.get(f"/api/{address}", body, headers=self.headers)
        return self.client.post(f"/api/{address}", body, content_type="application/json", headers=self.headers)


@pytest.fixture
def cast(project: Project, mia: User, anna: Reviewer, stranger: User) -> Callable[[str], Caller]:
    """Somebody by the name of their case, with a way to ask."""

    def session(user: User) -> Caller:
        client = Client()
        client.force_login(user)
        return Caller(client, project)

    def key(user: User, *scopes: str, ends: timedelta = timedelta(days=1)) -> Caller:
        made = api_keys.create(user, name="script", scopes=scopes, expires_at=timezone.now() + ends)
        return Caller(Client(enforce_csrf_checks=True), project, Authorization=f"Bearer {made}")

    people: dict[str, Callable[[], Caller]] = {
        "anonymous": lambda: Caller(Client(), project),
        "stranger": lambda: session(stranger),
        "reviewer": lambda: session(anna.user),
        "manager": lambda: session(mia),
        "key to read": lambda: key(mia, "read"),
        "key to manage": lambda: key(mia, "manage"),
        "key to read and manage": lambda: key(mia, "read", "manage"),
        "key to review and label": lambda: key(mia, "review", "label"),
        "key of a reviewer": lambda: key(anna.user, "read", "manage"),
        "expired key": lambda: key(mia, "read", "manage", ends=-timedelta(seconds=1)),
    }
    return lambda name: people[name]()


@pytest.fixture
def ask(cast: Callable[[str], Caller]) -> Caller:
    return cast("manager")


@pytest.fixture
def audited(project: Project, anna: Reviewer) -> list[Text]:
    return add_audited(project, anna)


def certify(project: Project, budget: float = 0.1) -> Certificate:
    return certification.certify(project, promise="dataset", budget=budget)


# --- Who may ----------------------------------------------------------------------------------------------------------

NOBODY_KNOWN = [("anonymous", 401), ("expired key", 401)]
NOT_ALLOWED = [("stranger", 403), ("reviewer", 403), ("key of a reviewer", 403), ("key to review and label", 403)]


@pytest.mark.parametrize("verb", READS)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        *NOBODY_KNOWN,
        *NOT_ALLOWED,
        ("manager", 200),
        ("key to read", 200),
        ("key to read and manage", 200),
        ("key to manage", 403),
    ],
)
def test_who_may_read(cast, project: Project, audited: list[Text], who: str, verb: str, status: int) -> None:
    assert cast(who)(verb, certify(project).pk).status_code == status


@pytest.mark.parametrize("verb", CHANGES)
@pytest.mark.parametrize(
    ("who", "is_allowed"),
    [
        *((who, status) for who, status in NOBODY_KNOWN + NOT_ALLOWED),
        ("key to read", 403),
        ("manager", 0),
        ("key to manage", 0),
        ("key to read and manage", 0),
    ],
)
def test_who_may_change(cast, project: Project, audited: list[Text], who: str, verb: str, is_allowed: int) -> None:
    made = certify(project)
    if verb == "unapply":
        certification.apply(made)
    before = _state(project)
    body = {"create": {"project": "News", "budget": 0.05}, "audit": {"size": 3}}.get(verb, {})
    answer = cast(who)(verb, made.pk, **body)
    assert answer.status_code == (is_allowed or (201 if body else 200))
    assert (_state(project) == before) is bool(is_allowed)


def _state(project: Project) -> tuple[Any, ...]:
    project.refresh_from_db()
    return project.threshold, project.certificates.count(), project.texts.filter(is_audit=True).count()


def test_a_session_needs_the_csrf_token(project: Project, mia: User, audited: list[Text]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mia)
    assert Caller(client, project)("audit", size=3).status_code == 403


# --- Certificates -----------------------------------------------------------------------------------------------------


def test_a_look_gives_a_certificate(ask: Caller, project: Project, mia: User, audited: list[Text]) -> None:
    answer = ask("create", project="news", promise="dataset", budget=0.1, confidence=0.95)
    made = Certificate.objects.get()
    shown = answer.json()
    assert (answer.status_code, shown["id"], shown["project"], shown["look"]) == (201, made.pk, "News", 1)
    assert (shown["is_granted"], shown["ended"], shown["is_in_use"]) == (True, None, False)
    assert shown["sentence"] == made.sentence
    assert len(shown["steps"]) == len(made.steps)
    assert made.created_by == mia


def test_the_same_question_is_no_new_look(ask: Caller, project: Project, audited: list[Text]) -> None:
    first, second = ask("create", project="News"), ask("create", project=str(project.pk))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_a_look_with_another_number_than_expected_is_refused(
    ask: Caller, project: Project, audited: list[Text]
) -> None:
    certify(project)
    answer = ask("create", project="News", look=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "look_taken")
    assert ask("create", project="News", look=2).status_code == 201


def test_nothing_proven_says_how_many_more_audits(ask: Caller, project: Project, audited: list[Text]) -> None:
    shown = ask("create", project="News", budget=0.005).json()
    assert (shown["is_granted"], shown["threshold"]) == (False, None)
    assert shown["more_audits"] > 0


def test_nothing_to_certify_is_a_conflict(ask: Caller) -> None:
    answer = ask("create", project="News")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_certify")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": 0},
        {"budget": 1},
        {"budget": "nan"},
        {"confidence": 1.5},
        {"confidence": 1e-12},
        {"promise": "all"},
        {"look": 0},
    ],
)
def test_a_wrong_field_is_named(ask: Caller, audited: list[Text], wrong: dict[str, Any]) -> None:
    answer = ask("create", **({"project": "News"} | wrong))
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == wrong.keys()


def test_certificates_are_listed_newest_first_by_project(ask: Caller, project: Project, audited: list[Text]) -> None:
    old, new = certify(project), certify(project, 0.05)
    Project.objects.create(name="Mail")
    assert [row["id"] for row in ask("list").json()["results"]] == [new.pk, old.pk]
    assert [row["id"] for row in ask("list", project="News").json()["results"]] == [new.pk, old.pk]
    assert ask("list", project="Mail").json()["results"] == []
    assert ask("list", project="Nowhere").status_code == 404


def test_the_list_needs_the_same_queries_for_any_number(
    ask: Caller, project: Project, audited: list[Text], django_assert_max_num_queries
) -> None:
    for budget in (0.01, 0.02, 0.05, 0.1):
        certify(project, budget)
    with django_assert_max_num_queries(10):
        ask("list")


def test_one_that_ended_says_why(ask: Caller, project: Project, audited: list[Text]) -> None:
    made = certify(project)
    label_again(project)
    assert ask("retrieve", made.pk).json()["ended"] == "Texts have been labeled again since."


def test_a_certificate_is_applied_and_taken_back(ask: Caller, project: Project, audited: list[Text]) -> None:
    made = certify(project)
    applied = ask("apply", made.pk).json()
    assert applied["threshold"] == made.threshold
    assert applied["accepted"] == len(made.uses.get().accepted_ids)
    assert ask("retrieve", made.pk).json()["is_in_use"] is True
    assert ask("apply", made.pk).json()["code"] == "in_use_already"
    assert ask("unapply", made.pk).json()["threshold"] == 0.8
    assert ask("unapply", made.pk).json()["code"] == "not_in_use"


def test_an_ended_one_is_not_applied(ask: Caller, project: Project, audited: list[Text]) -> None:
    made = certify(project)
    label_again(project)
    answer = ask("apply", made.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "certificate_ended")


@pytest.mark.parametrize("verb", ["retrieve", "apply", "unapply"])
def test_a_certificate_that_does_not_exist_is_not_found(ask: Caller, verb: str) -> None:
    assert ask(verb, 999).status_code == 404


# --- The plan and the audit -------------------------------------------------------------------------------------------


def test_the_plan_says_what_each_budget_costs(
    ask: Caller, project: Project, anna: Reviewer, audited: list[Text]
) -> None:
    decided_by(anna, audited[:1], lambda place: project.categories.get(name="Sports"), seconds=3.0)
    plan = ask("budget").json()
    assert [row["budget"] for row in plan["rows"]] == [0.01, 0.02, 0.05, 0.1]
    assert all(row["low"] <= row["to_review"] <= row["high"] for row in plan["rows"])
    assert plan["rows"][3]["seconds"] == plan["rows"][3]["to_review"] * 3.0
    assert (plan["texts"], plan["audits"], plan["look"], plan["seconds_per_text"]) == (800, 200, 1, 3.0)
    assert plan["human"] == {"texts": 0, "share": None, "low": None, "high": None}


def test_a_draw_says_how_many_wait(ask: Caller, project: Project, audited: list[Text]) -> None:
    answer = ask("audit", size=3)
    assert (answer.status_code, answer.json()) == (201, {"drawn": 3, "waiting": 3})
    assert ask("budget").json()["audits_waiting"] == 3


def test_a_draw_that_cannot_be_made_is_a_conflict(ask: Caller, project: Project) -> None:
    add_machine_labeled(project, [0.9] * 5)
    answer = ask("audit", size=6)
    assert (answer.status_code, answer.json()["code"]) == (409, "cannot_draw")
    assert ask("audit", size=0).json()["errors"].keys() == {"size"}


def test_a_project_that_does_not_exist_is_not_found(mia: User) -> None:
    client = Client()
    client.force_login(mia)
    nowhere = Caller(client, Project(pk=999))
    assert nowhere("budget").status_code == 404
    assert nowhere("audit", size=1).status_code == 404


def test_the_openapi_document_has_no_warning(tmp_path) -> None:
    path = tmp_path / "schema.yml"
    call_command("spectacular", "--file", str(path), "--fail-on-warn", "--validate")
    for address in ("/api/certificates", "/api/certificates/{id}/apply", "/api/projects/{id}/budget"):
        assert address in path.read_text()
