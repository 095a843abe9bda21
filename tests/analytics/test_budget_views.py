"""The pages of the error budget: who may see and change, what they say, and what they do."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics import remembering
from labeling import certification
from labeling.models import Certificate, Project, Text
from reviews.models import Reviewer
from tests.analytics.budgets import add_audited, add_learned, decided_by, label_again
from tests.labeling.certificates import add_machine_labeled

PAGES = ["", "{}/", "{}/quality/"]
VERBS = ["draw/?size=5", "certify/?promise=dataset&budget=10&confidence=95"]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def body(answer: Any) -> str:
    """What a person reads, tags and spaces taken out."""
    assert answer.status_code == 200
    main = answer.content.decode().split('<div class="record budget')[1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


@pytest.fixture
def head(mia: User) -> Client:
    return client_of(mia)


@pytest.fixture
def page(head: Client, project: Project) -> Callable[[], str]:
    return lambda: body(head.get(f"/admin/budget/{project.pk}/"))


@pytest.fixture
def audited(project: Project, anna: Reviewer) -> list[Text]:
    return add_audited(project, anna)


def certify(project: Project, budget: float = 0.1) -> Certificate:
    return certification.certify(project, promise="dataset", budget=budget)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES + [f"{{}}/{verb}" for verb in VERBS])
def test_the_anonymous_are_asked_to_sign_in(project: Project, path: str) -> None:
    answer = Client().get(f"/admin/budget/{path.format(project.pk)}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/?next=/admin/budget/")


@pytest.mark.parametrize("path", [*PAGES, "{}/plan.json", *(f"{{}}/{verb}" for verb in VERBS)])
def test_only_managers_may_look(project: Project, stranger: User, anna: Reviewer, head: Client, path: str) -> None:
    address = f"/admin/budget/{path.format(project.pk)}"
    assert client_of(stranger).get(address).status_code == 403
    assert client_of(anna.user).get(address).status_code == 403
    assert head.get(address).status_code == 200


@pytest.mark.parametrize("verb", VERBS)
def test_only_managers_may_change(
    project: Project, audited: list[Text], stranger: User, anna: Reviewer, verb: str
) -> None:
    for user in (stranger, anna.user):
        assert client_of(user).post(f"/admin/budget/{project.pk}/{verb}").status_code == 403
    Client().post(f"/admin/budget/{project.pk}/{verb}")
    assert not Certificate.objects.exists()
    assert project.texts.filter(is_audit=True).count() == len(audited)


def test_who_looks_after_reviewers_only_may_look_but_not_change(project: Project, mia: User) -> None:
    group = Group.objects.get(name="Managers")
    group.permissions.remove(group.permissions.get(codename="change_project"))
    assert client_of(mia).get(f"/admin/budget/{project.pk}/").status_code == 200
    assert client_of(mia).get(f"/admin/budget/{project.pk}/draw/?size=5").status_code == 403


def test_the_anonymous_poll_is_told_so_as_json(project: Project) -> None:
    answer = Client().get(f"/admin/budget/{project.pk}/plan.json")
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


def test_the_menu_leads_managers_to_the_page(project: Project, head: Client, anna: Reviewer) -> None:
    assert b'href="/admin/budget/"' in head.get("/", follow=True).content
    assert b'href="/admin/budget/"' not in client_of(anna.user).get("/", follow=True).content


def test_what_does_not_exist_is_not_found(project: Project, head: Client, audited: list[Text]) -> None:
    made = certify(project)
    other = Project.objects.create(name="Mail")
    for path in ("999/", "999/draw/?size=5", f"{other.pk}/certificates/{made.pk}/", f"{project.pk}/certificates/999/"):
        assert head.get(f"/admin/budget/{path}").status_code == 404
    assert head.post(f"/admin/budget/{other.pk}/certificates/{made.pk}/apply/").status_code == 404


def test_changes_need_the_csrf_token(project: Project, mia: User, audited: list[Text]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mia)
    assert client.post(f"/admin/budget/{project.pk}/draw/", {"size": 5}).status_code == 403


# --- What the page says -----------------------------------------------------------------------------------------------


def test_the_only_project_is_opened_at_once(project: Project, head: Client) -> None:
    Project.objects.exclude(pk=project.pk).delete()
    assert head.get("/admin/budget/")["Location"] == f"/admin/budget/{project.pk}/"


def test_projects_are_listed_without_those_in_the_archive(project: Project, head: Client) -> None:
    Project.objects.create(name="Mail")
    Project.objects.create(name="Old", is_archived=True)
    shown = head.get("/admin/budget/").content.decode()
    assert "Mail</strong>" in shown
    assert "Old</strong>" not in shown


def test_a_project_without_labels_promises_nothing_and_offers_nothing(page: Callable[[], str]) -> None:
    said = page()
    assert "Nothing is promised about the labels of this project now." in said
    assert "No text has a model's label yet" in said
    assert "Look …" not in said


def test_without_audits_it_says_what_would_change_that(page: Callable[[], str], project: Project) -> None:
    add_machine_labeled(project, [0.99] * 300)
    said = page()
    assert "No audit text has been drawn. Without an audit nothing can be promised." in said
    assert re.search(
        r"5 % all 300 - - Nothing can be promised yet: draw and decide at least \d+ more audit texts", said
    )
    assert "No time has been measured yet" in said


def test_it_says_how_many_audit_texts_wait(page: Callable[[], str], project: Project, add_texts) -> None:
    add_machine_labeled(project, [0.99] * 40, audit_every=2)
    add_texts(project, "Not labeled")
    said = page()
    assert "20 of 20 audit texts wait to be decided, blind, at the desk." in said
    assert "1 text has no label yet." in said


def test_each_budget_has_its_texts_interval_and_time(
    page: Callable[[], str], project: Project, anna: Reviewer, audited: list[Text]
) -> None:
    sports = project.categories.get(name="Sports")
    decided_by(anna, audited[:3], lambda place: sports, seconds=10.0)
    assert re.search(r"10 % about \d+ \d+ to \d+ \d+ minutes", page())
    assert "10.0 seconds for a text, the median of the last 3 decisions." in page()


def test_the_certificate_in_use_is_said_first(page: Callable[[], str], project: Project, audited: list[Text]) -> None:
    made = certify(project)
    assert "A certificate holds, but it is not in use." in page()
    certification.apply(made)
    said = page()
    assert said.index(made.sentence) < said.index("What is missing")
    assert "In use since" in said
    assert "Put it to use" not in said


def test_only_the_datasets_promise_waits_for_people(
    page: Callable[[], str], project: Project, audited: list[Text]
) -> None:
    certification.apply(certification.certify(project, promise="precision", budget=0.1))
    assert "In use since" in page()
    assert "the promise is whole" not in page()


def test_one_that_ended_says_why(page: Callable[[], str], project: Project, audited: list[Text]) -> None:
    certification.apply(certify(project))
    label_again(project)
    said = page()
    assert "Nothing is promised" in said
    assert "The last certificate has ended. Texts have been labeled again since." in said
    assert "It ended. Texts have been labeled again since." in said


def test_a_look_that_proved_nothing_says_what_is_needed(
    page: Callable[[], str], project: Project, audited: list[Text]
) -> None:
    certify(project, budget=0.005)
    assert re.search(r"The last look proved nothing\. If errors go on .* about \d+ more audit texts", page())


def test_human_error_is_shown_beside(
    page: Callable[[], str], project: Project, anna: Reviewer, ben: Reviewer, audited: list[Text]
) -> None:
    assert "human error is not measured" in page()
    sports, weather = (project.categories.get(name=name) for name in ("Sports", "Weather"))
    decided_by(anna, audited[:20], lambda place: sports)
    decided_by(ben, audited[:20], lambda place: weather if place < 2 else sports)
    cache.clear()
    assert (
        "On 10 % of 20 audit texts that two people decided blind they differ (95 % interval: 2.8 % to 30 %)" in page()
    )


def test_names_from_the_database_are_escaped(project: Project, head: Client, audited: list[Text]) -> None:
    Project.objects.filter(pk=project.pk).update(name="<script>alert(1)</script>")
    add_learned(project)
    project.categories.filter(name="Sports").update(description="x")
    made = certify(project)
    for path in ("", "quality/", f"certificates/{made.pk}/", "draw/?size=5"):
        assert "<script>alert(1)" not in head.get(f"/admin/budget/{project.pk}/{path}").content.decode()


def test_the_number_of_queries_does_not_grow_with_looks(
    project: Project, head: Client, page: Callable[[], str], audited: list[Text]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            page()
        return len(counted)

    certify(project)
    page()
    before = queries()
    for budget in (0.01, 0.02, 0.05):
        certify(project, budget)
    assert queries() <= before
    assert before <= 30


def test_the_poll_gives_the_same_words(project: Project, head: Client, audited: list[Text]) -> None:
    answer = head.get(f"/admin/budget/{project.pk}/plan.json").json()
    assert [row["percent"] for row in answer["rows"]] == ["1 %", "2 %", "5 %", "10 %"]
    assert (answer["texts"], answer["audits"], answer["look"]) == (800, 200, 1)


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_a_draw_is_asked_first_and_then_done(project: Project, head: Client, audited: list[Text]) -> None:
    asked = body(head.get(f"/admin/budget/{project.pk}/draw/?size=5"))
    assert "Draw 5 more audit texts?" in asked
    assert "drawn at random from the 600 texts" in asked
    assert project.texts.filter(is_audit=True).count() == 200
    done = body(head.post(f"/admin/budget/{project.pk}/draw/", {"size": 5}, follow=True))
    assert project.texts.filter(is_audit=True).count() == 205
    assert "5 of 205 audit texts wait to be decided" in done


@pytest.mark.parametrize("size", ["0", "x", "", "999"])
def test_a_draw_that_cannot_be_made_says_why(project: Project, head: Client, audited: list[Text], size: str) -> None:
    answer = head.post(f"/admin/budget/{project.pk}/draw/", {"size": size}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["warning"]
    assert project.texts.filter(is_audit=True).count() == 200


def test_a_look_says_its_number_and_what_it_spends_before(project: Project, head: Client, audited: list[Text]) -> None:
    address = f"/admin/budget/{project.pk}/certify/?promise=dataset&budget=5&confidence=95"
    assert "look number 1 at this audit. It spends 2.5 % of the 5 % doubt" in body(head.get(address))
    certify(project)
    assert "look number 2 at this audit. It spends 0.83 % of the 5 % doubt" in body(head.get(address))
    assert Certificate.objects.count() == 1


def test_a_look_warns_of_audit_texts_that_wait(project: Project, head: Client) -> None:
    add_machine_labeled(project, [0.99] * 40, audit_every=2)
    asked = body(head.get(f"/admin/budget/{project.pk}/certify/?promise=precision&budget=5&confidence=99"))
    assert "20 audit texts are not decided yet." in asked


def test_a_look_is_made_by_the_manager(project: Project, head: Client, mia: User, audited: list[Text]) -> None:
    values = {"promise": "dataset", "budget": "10", "confidence": "95", "look": "1"}
    head.post(f"/admin/budget/{project.pk}/certify/", values)
    made = Certificate.objects.get()
    assert (made.budget, made.delta, made.promise, made.created_by) == (0.1, 0.05, "dataset", mia)


def test_a_look_that_somebody_took_meanwhile_is_not_made(project: Project, head: Client, audited: list[Text]) -> None:
    certify(project)
    values = {"promise": "dataset", "budget": "5", "confidence": "95", "look": "1"}
    answer = head.post(f"/admin/budget/{project.pk}/certify/", values, follow=True)
    assert "Yours would be look 2 now." in str(*answer.context["messages"])
    assert Certificate.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": "0"},
        {"budget": "0.005"},
        {"budget": "99.995"},
        {"budget": "100"},
        {"budget": "nan"},
        {"confidence": "50"},
        {"promise": "all"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(project: Project, head: Client, wrong: dict[str, str]) -> None:
    values = {"promise": "dataset", "budget": "5", "confidence": "95"} | wrong
    for ask in (head.get, head.post):
        answer = ask(f"/admin/budget/{project.pk}/certify/", values, follow=True)
        assert [message.level_tag for message in answer.context["messages"]] == ["warning"]
    assert not Certificate.objects.exists()


def test_a_certificate_is_put_to_use_and_taken_back(
    project: Project, head: Client, mia: User, audited: list[Text]
) -> None:
    made, before = certify(project), project.threshold
    address = f"/admin/budget/{project.pk}/certificates/{made.pk}"
    asked = body(head.get(f"{address}/apply/"))
    assert f"threshold goes from 0.800 to {made.threshold:.3f}" in asked
    moved = int(re.search(r"(\d+) texts that wait for people are accepted", asked).group(1))  # type: ignore[union-attr]
    head.post(f"{address}/apply/")
    project.refresh_from_db()
    use = made.uses.get()
    assert (project.threshold, use.applied_by, len(use.accepted_ids)) == (made.threshold, mia, moved)
    assert f"threshold goes back from {made.threshold:.3f} to 0.800" in body(head.get(f"{address}/unapply/"))
    head.post(f"{address}/unapply/")
    project.refresh_from_db()
    assert project.threshold == before


def test_the_start_page_says_at_once_what_was_put_to_use(
    project: Project, head: Client, audited: list[Text], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "WAITS", 1_000)
    made = certify(project)
    assert "Nothing is promised" in head.get(f"/dashboard/{project.pk}/proof.json").json()["proven"]
    head.post(f"/admin/budget/{project.pk}/certificates/{made.pk}/apply/")
    assert head.get(f"/dashboard/{project.pk}/proof.json").json()["proven"] == made.sentence


def test_what_cannot_be_put_to_use_says_why(project: Project, head: Client, audited: list[Text]) -> None:
    made, nothing = certify(project), certify(project, budget=0.001)
    label_again(project)
    for certificate, verb, why in ((made, "apply", "labeled again"), (nothing, "apply", "no threshold"),
                                   (made, "unapply", "not in force")):  # fmt: skip
        address = f"/admin/budget/{project.pk}/certificates/{certificate.pk}/{verb}/"
        answer = head.post(address, follow=True)
        assert why in str(*answer.context["messages"])


# --- One certificate, and the classifier ------------------------------------------------------------------------------


def test_every_threshold_is_shown_with_its_test(project: Project, head: Client, audited: list[Text]) -> None:
    made = certify(project, budget=0.03)
    said = body(head.get(f"/admin/budget/{project.pk}/certificates/{made.pk}/"))
    assert said.count(" passed") == sum(step["passed"] for step in made.steps) + 1  # and the summary
    assert said.count("failed") == sum(not step["passed"] for step in made.steps)
    assert f"{len(made.steps)} thresholds were tested, from strict to loose." in said


def test_before_reviews_a_classifier_is_not_yet_calibrated(project: Project, head: Client) -> None:
    assert "Not yet calibrated" in body(head.get(f"/admin/budget/{project.pk}/quality/"))
    add_learned(project, reviews=20)
    assert "with so few reviews these figures, and every confidence, are estimates" in body(
        head.get(f"/admin/budget/{project.pk}/quality/")
    )


def test_what_was_measured_of_the_classifier_is_shown(project: Project, head: Client) -> None:
    add_learned(project)
    said = body(head.get(f"/admin/budget/{project.pk}/quality/"))
    assert "Not yet calibrated" not in said
    assert "Right 87.4 % Calibration error (ECE) 0.041 Brier score 0.213 Reviews 240" in said
    assert "Each point stands for about 16 reviews" in said
    assert "31 % 27 % -4.0 6.67 %" in said
    assert "Sports 80 90 % 80 % Business 79 80 % 80 % Weather 78 70 % -" in said
    assert "Would more reviews change the labels? Too early to tell: " in said


def test_a_classifier_without_points_says_so(project: Project, head: Client) -> None:
    add_learned(project, reliability=[])
    assert "trained before the points of the diagram were kept" in body(
        head.get(f"/admin/budget/{project.pk}/quality/")
    )


def test_a_classifier_for_other_categories_is_not_shown(project: Project, head: Client) -> None:
    add_learned(project)
    project.categories.filter(name="Sports").update(is_active=False)
    assert "for the categories as they are now" in body(head.get(f"/admin/budget/{project.pk}/quality/"))
