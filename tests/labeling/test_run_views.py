"""The pages of runs."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from labeling import runs
from labeling.choices import RunStatus, TextStatus
from labeling.models import LabelingRun, Project, Text
from reviews.models import Reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts: Any) -> LabelingRun:
    add_texts(project, "Rain is expected.", "Shares fell.")
    return runs.start(project, provider="keyword")


@pytest.fixture
def desk(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def address(run: LabelingRun, name: str = "run", *more: str) -> str:
    return reverse(f"runs:{name}", args=[run.pk, *more])


def press(desk: Client, run: LabelingRun, verb: str) -> LabelingRun:
    assert desk.post(address(run, "verb", verb)).status_code == 302
    run.refresh_from_db()
    return run


def test_the_page_shows_how_far_the_run_is(desk: Client, run: LabelingRun) -> None:
    content = desk.get(address(run)).content.decode()
    assert "0 of 2 texts" in content
    assert "No background worker is running" in content
    assert "style=" not in content


def test_the_numbers_come_as_json(desk: Client, run: LabelingRun) -> None:
    now = desk.get(address(run, "progress")).json()
    assert (now["status"], now["done"], now["total"], now["verbs"]) == ("queued", 0, 2, ["pause", "cancel"])


def test_a_run_is_paused_resumed_and_cancelled(desk: Client, run: LabelingRun) -> None:
    assert press(desk, run, "pause").status == RunStatus.PAUSED
    assert press(desk, run, "resume").status == RunStatus.QUEUED
    assert press(desk, run, "cancel").status == RunStatus.CANCELLED


def test_failed_texts_are_linked_and_tried_once_more(desk: Client, run: LabelingRun) -> None:
    Text.objects.filter(content="Shares fell.").update(status=TextStatus.FAILED, error="No answer.")
    runs.cancel(run)
    content = desk.get(address(run)).content.decode()
    assert f"/admin/labeling/text/?status__exact=failed&amp;project__id__exact={run.project_id}" in content
    answer = desk.post(address(run, "verb", "retry"), follow=True)
    assert answer.redirect_chain[-1][0] == address(LabelingRun.objects.latest("pk"))


def test_a_run_that_has_ended_leads_on(desk: Client, run: LabelingRun) -> None:
    assert 'id="run-next" aria-labelledby="next-title" hidden' in desk.get(address(run)).content.decode()
    runs.cancel(run)
    content = desk.get(address(run)).content.decode()
    assert 'id="run-next" aria-labelledby="next-title" >' in content
    for link in ("/review/?project=", "/admin/labeling/text/?project__id__exact="):
        assert f'href="{link}{run.project_id}"' in content
    assert f"/projects/{run.project_id}/export/" in content


def test_what_cannot_be_done_is_said(desk: Client, run: LabelingRun) -> None:
    Text.objects.all().delete()
    runs.cancel(run)
    answer = desk.post(address(run, "verb", "retry"), follow=True)
    assert "has no text to label" in answer.content.decode()


def test_nothing_changes_by_a_look_or_by_an_unknown_verb(desk: Client, run: LabelingRun) -> None:
    assert desk.get(address(run, "verb", "cancel")).status_code == 405
    assert desk.post(address(run, "verb", "burn")).status_code == 404
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


def test_who_may_only_look_sees_no_buttons_and_changes_nothing(client: Client, run: LabelingRun, mia: User) -> None:
    mia.groups.clear()
    for name in ("view_labelingrun", "change_project"):
        mia.user_permissions.add(Permission.objects.get(codename=name))
    client.force_login(mia)
    assert "data-verb" not in client.get(address(run)).content.decode()
    assert client.post(address(run, "verb", "cancel")).status_code == 403


def test_reviewers_strangers_and_the_anonymous_are_kept_out(client: Client, run: LabelingRun, stranger: User) -> None:
    rosa = User.objects.create_user("rosa", is_staff=True)
    rosa.groups.add(Group.objects.get(name="Reviewers"))
    Reviewer.objects.create(user=rosa).projects.add(run.project)
    pages = [reverse("runs:list"), address(run), address(run, "progress")]
    assert [client.get(page).status_code for page in pages] == [302, 302, 302]
    for user in (rosa, stranger):
        client.force_login(user)
        assert [client.get(page).status_code for page in pages] == [403, 403, 403]


def test_runs_of_other_projects_are_not_found(client: Client, run: LabelingRun, stranger: User) -> None:
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_labelingrun"))
    client.force_login(stranger)
    assert client.get(address(run)).status_code == 404
    assert f">{run.pk}: " not in client.get(reverse("runs:list")).content.decode()


def test_the_list_is_filtered_and_goes_on(desk: Client, run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.run_views.ROWS", 2)
    for _ in range(2):
        runs.cancel(run)
        run = runs.start(run.project, provider="keyword")
    content = desk.get(reverse("runs:list")).content.decode()
    assert f"before={run.pk - 1}" in content
    assert f">{run.pk - 2}: " in desk.get(f"{reverse('runs:list')}?before={run.pk - 1}").content.decode()
    assert f">{run.pk}: " not in desk.get(f"{reverse('runs:list')}?status=cancelled").content.decode()
    assert desk.get(f"{reverse('runs:list')}?status=lost").status_code == 400


def test_the_pages_cost_the_same_for_many_runs(
    desk: Client, run: LabelingRun, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        runs.cancel(run)
        run = runs.start(run.project, provider="keyword")
    with django_assert_max_num_queries(15):
        desk.get(reverse("runs:list"))
    with django_assert_max_num_queries(15):
        desk.get(address(run))
