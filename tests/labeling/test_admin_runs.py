import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from labeling import runs
from labeling.choices import RunOrigin, RunStatus, TextStatus
from labeling.models import LabelingRun, Project, Text


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "Rain is expected.", "Shares fell.")
    return runs.start(project, provider="keyword")


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def press(desk: Client, run: LabelingRun, verb: str) -> LabelingRun:
    assert desk.post(reverse("admin:run_verb", args=[run.pk, verb])).status_code == 302
    run.refresh_from_db()
    return run


def test_the_page_of_a_run_shows_how_far_it_is(desk: Client, run: LabelingRun) -> None:
    content = desk.get(reverse("admin:labeling_labelingrun_change", args=[run.pk])).content.decode()
    assert "0 of 2 texts" in content
    assert "No background worker is running" in content


def test_the_numbers_come_as_json(desk: Client, run: LabelingRun) -> None:
    now = desk.get(reverse("admin:run_progress", args=[run.pk])).json()
    assert (now["status"], now["done"], now["total"], now["verbs"]) == ("queued", 0, 2, ["pause", "cancel"])


def test_a_run_is_paused_resumed_and_cancelled(desk: Client, run: LabelingRun) -> None:
    assert press(desk, run, "pause").status == RunStatus.PAUSED
    assert press(desk, run, "resume").status == RunStatus.QUEUED
    assert OrmQ.objects.count() == 1
    assert press(desk, run, "cancel").status == RunStatus.CANCELLED


def test_failed_texts_are_tried_once_more_in_a_run_of_their_own(desk: Client, run: LabelingRun) -> None:
    text = run.project.texts.first()
    assert text is not None
    Text.objects.filter(pk=text.pk).update(status=TextStatus.FAILED, error="No answer.")
    runs.cancel(run)
    assert desk.get(reverse("admin:run_progress", args=[run.pk])).json()["verbs"] == ["retry"]
    press(desk, run, "retry")
    again = LabelingRun.objects.latest("pk")
    assert (again.origin, again.total) == (RunOrigin.RETRY, 1)


def test_without_anything_to_retry_it_says_so(desk: Client, run: LabelingRun) -> None:
    runs.cancel(run)
    response = desk.post(reverse("admin:run_verb", args=[run.pk, "retry"]), follow=True)
    assert "has no text to label" in response.content.decode()


def test_nothing_is_changed_by_looking(desk: Client, run: LabelingRun) -> None:
    assert desk.get(reverse("admin:run_verb", args=[run.pk, "cancel"])).status_code == 405


def test_who_may_only_look_cannot_change(client: Client, stranger: User, run: LabelingRun) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="view_labelingrun"))
    client.force_login(stranger)
    assert client.get(reverse("admin:run_progress", args=[run.pk])).status_code == 200
    assert client.post(reverse("admin:run_verb", args=[run.pk, "cancel"])).status_code == 404
    page = client.get(reverse("admin:labeling_labelingrun_change", args=[run.pk])).content.decode()
    assert "run-buttons" not in page


def test_a_stranger_sees_nothing(client: Client, stranger: User, run: LabelingRun) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    client.force_login(stranger)
    assert client.get(reverse("admin:run_progress", args=[run.pk])).status_code == 404
