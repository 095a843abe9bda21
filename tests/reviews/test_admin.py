"""The admin of reviewing: who is added, whose desk is cleared, what is shown."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from labeling.models import Project, Text
from reviews import decisions, queue
from reviews.access import reviewer_of
from reviews.decisions import Decision
from reviews.models import Action, Assignment, Reviewer
from reviews.undoing import undo

ADD = "admin:reviews_reviewer_add"


@pytest.fixture
def head(db: None, client: Client) -> Client:
    """Somebody of the group Managers, not a superuser, signed in."""
    user = User.objects.create_user("head", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    client.force_login(user)
    return client


def form(project: Project, **values: Any) -> dict[str, Any]:
    shared = {"is_active": "on", "projects": [project.pk], "languages": "en, de", "daily_goal": 50}
    return shared | {"does_blind_audit": "on", "user": "", "username": "", "password": ""} | values


def test_a_new_person_is_added_in_one_form(head: Client, project: Project) -> None:
    answer = head.post(reverse(ADD), form(project, username="nina", password="correct-horse-7"))
    assert answer.status_code == 302
    reviewer = reviewer_of(User.objects.get(username="nina"), project)
    assert (reviewer.languages, reviewer.daily_goal, reviewer.user.is_staff) == (["en", "de"], 50, True)
    assert Client().login(username="nina", password="correct-horse-7")


def test_a_generated_password_is_shown_once_and_works(head: Client, project: Project) -> None:
    content = head.post(reverse(ADD), form(project, username="nina"), follow=True).content.decode()
    found = re.search(r"The password of nina is (\S+) - pass it on", content)
    assert found
    assert Client().login(username="nina", password=found[1])
    assert "The password of" not in head.get(reverse("admin:reviews_reviewer_changelist")).content.decode()


def test_an_existing_user_becomes_a_reviewer(head: Client, project: Project, stranger: User) -> None:
    head.post(reverse(ADD), form(project, user=stranger.pk))
    user = User.objects.get(pk=stranger.pk)
    assert user.is_staff
    assert reviewer_of(user, project).user == stranger


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"username": "stranger"},
        {"username": "STRANGER"},
        {"username": "two words"},
        {"username": "nina", "password": "123"},
        {"username": "nina", "daily_goal": "-1"},
    ],
)
def test_a_wrong_form_adds_nobody(head: Client, project: Project, stranger: User, wrong: dict[str, str]) -> None:
    assert head.post(reverse(ADD), form(project, **wrong)).status_code == 200
    assert not Reviewer.objects.exists()
    assert not User.objects.filter(username="nina").exists()


def test_a_user_and_a_new_name_together_are_refused(head: Client, project: Project, stranger: User) -> None:
    content = head.post(reverse(ADD), form(project, user=stranger.pk, username="nina")).content.decode()
    assert "Choose an existing user or name a new one." in content


def test_a_reviewer_is_changed_and_stays_the_same_user(head: Client, project: Project, anna: Reviewer) -> None:
    url = reverse("admin:reviews_reviewer_change", args=[anna.pk])
    assert head.get(url).status_code == 200
    head.post(url, form(project, daily_goal=7, languages="", user="1"))
    anna.refresh_from_db()
    assert (anna.daily_goal, anna.languages, anna.user.username) == (7, [], "anna")


def ticked(client: Client, url: str) -> list[int]:
    """The projects that a browser would send back as they are."""
    boxes = client.get(url).context["adminform"].form["projects"].subwidgets
    return [int(str(box.data["value"])) for box in boxes if box.data["selected"]]


def test_saving_a_reviewer_ends_no_membership_of_an_archived_project(
    head: Client, project: Project, anna: Reviewer
) -> None:
    old = Project.objects.create(name="Old", is_archived=True)
    Project.objects.create(name="Never hers", is_archived=True)
    anna.projects.add(old)
    url = reverse("admin:reviews_reviewer_change", args=[anna.pk])
    assert sorted(ticked(head, url)) == [project.pk, old.pk]
    assert b"Never hers" not in head.get(url).content
    head.post(url, form(project, projects=ticked(head, url), daily_goal=7))
    anna.refresh_from_db()
    assert (anna.daily_goal, set(anna.projects.all())) == (7, {project, old})


def test_a_project_that_is_unticked_gets_its_texts_back(
    head: Client, project: Project, anna: Reviewer, add_labeled
) -> None:
    add_labeled(0.5)
    queue.claim_next(anna, project)
    mail = Project.objects.create(name="Mail")
    url = reverse("admin:reviews_reviewer_change", args=[anna.pk])
    head.post(url, form(project, projects=[mail.pk]))
    assert (list(anna.projects.all()), Assignment.objects.count()) == ([mail], 0)
    told = LogEntry.objects.filter(content_type__model="project").values_list("object_repr", "change_message")
    assert set(told) == {("News", "anna removed."), ("Mail", "anna added as reviewer.")}


def test_who_is_switched_off_stays_so_when_a_project_is_ticked(head: Client, project: Project, anna: Reviewer) -> None:
    mail = Project.objects.create(name="Mail")
    url = reverse("admin:reviews_reviewer_change", args=[anna.pk])
    head.post(url, form(project, projects=[project.pk, mail.pk], is_active=""))
    anna.refresh_from_db()
    assert (anna.is_active, set(anna.projects.all())) == (False, {project, mail})


def test_a_reviewer_adds_nobody(client: Client, project: Project, anna: Reviewer) -> None:
    client.force_login(anna.user)
    assert client.post(reverse(ADD), form(project, username="nina")).status_code == 403


@pytest.mark.parametrize("name", ["reviewer", "assignment", "review"])
def test_every_list_opens_for_a_manager(head: Client, project: Project, anna: Reviewer, add_labeled, name: str) -> None:
    decided, _ = add_labeled(0.5, 0.6)
    decisions.record(anna, decided.pk, Decision(Action.APPROVE, decided.current_label_id))
    queue.claim_next(anna, project)
    content = head.get(reverse(f"admin:reviews_{name}_changelist")).content.decode()
    assert "anna" in content


@pytest.mark.parametrize("name", ["reviewer", "assignment"])
def test_desks_and_people_are_not_shown_to_reviewers(client: Client, anna: Reviewer, name: str) -> None:
    client.force_login(anna.user)
    assert client.get(reverse(f"admin:reviews_{name}_changelist")).status_code == 403


def test_a_manager_releases_a_claim(head: Client, project: Project, anna: Reviewer, add_labeled) -> None:
    add_labeled(0.5, 0.6)
    queue.claim_next(anna, project)
    keys = list(Assignment.objects.values_list("pk", flat=True))
    url = reverse("admin:reviews_assignment_changelist")
    content = head.post(url, {"action": "release", "_selected_action": keys}, follow=True).content.decode()
    assert "Released 1 text into" in content
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_a_review_is_read_only(client: Client, manager: User, anna: Reviewer, add_labeled, verb: str) -> None:
    (text,) = add_labeled(0.5)
    review = decisions.record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    client.force_login(manager)
    url = reverse(f"admin:reviews_review_{verb}", args=[review.pk])
    assert client.post(url, {"comment": "Changed.", "post": "yes"}).status_code == 403


def test_reviewers_have_no_list_of_reviews_whose_filters_would_tell_what_is_blind(
    client: Client, anna: Reviewer, add_labeled
) -> None:
    [text] = add_labeled(0.5)
    review = decisions.record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    client.force_login(anna.user)
    assert client.get(reverse("admin:reviews_review_changelist")).status_code == 403
    assert client.get(reverse("admin:reviews_review_change", args=[review.pk])).status_code == 403


def page_of(client: Client, review_id: int) -> str:
    return client.get(reverse("admin:reviews_review_change", args=[review_id])).content.decode()


def test_an_open_blind_text_keeps_its_label_hidden(client: Client, anna: Reviewer, manager: User, add_labeled) -> None:
    text: Text = add_labeled(0.5, audit=True)[0]
    weather = text.project.categories.get(name="Weather").pk
    client.force_login(manager)
    skipped = decisions.record(anna, text.pk, Decision(Action.SKIP))
    assert "Sports" not in page_of(client, skipped.pk)
    decisions.record(anna, text.pk, Decision(Action.DECIDE, category_id=weather))
    undone = undo(anna)
    assert "Sports" not in page_of(client, undone.pk)
    assert "hidden: blind audit" in page_of(client, undone.pk)
