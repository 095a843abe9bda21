"""What the start page shows, to whom, and what it costs."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from analytics import dashboard
from labeling import certification, counting
from labeling.choices import RunPhase, RunStatus, TextStatus
from labeling.models import LabelingRun, Project, RunChunk, Text, Worker
from reviews.decisions import Decision, record
from reviews.models import Action, Reviewer
from tests.analytics.budgets import add_audited, add_learned
from tests.labeling.certificates import add_machine_labeled

AddTexts = Callable[..., list[Text]]
MOST_QUERIES = 15


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client) -> str:
    return client.get("/").content.decode()


# --- For managers -----------------------------------------------------------------------------------------------------


def test_texts_stand_in_one_bar_with_the_same_in_words(desk: Client, project: Project, add_texts: AddTexts) -> None:
    [first, *_] = add_texts(project, "one", "two", "three", "four")
    Text.objects.filter(pk=first.pk).update(status=TextStatus.FLAGGED)
    shown = page(desk)
    assert 'aria-label="4 texts: 1 flagged, 3 unlabeled."' in shown
    assert '<rect data-status="unlabeled" x="25.000" y="0" width="75.000" height="4"/>' in shown


def test_the_next_step_has_its_button(desk: Client, project: Project, add_texts: AddTexts) -> None:
    assert 'aria-current="step">Import texts' in page(desk)
    add_texts(project, "one")
    assert 'aria-current="step">Label' in page(desk)
    assert desk.get("/dashboard/live.json").json()["projects"][0]["step"] == "Label"


def test_the_next_step_is_not_that_of_old_counts(
    desk: Client, project: Project, add_texts: AddTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "FREE", 0.0)
    monkeypatch.setattr(counting, "WAITS", 10_000)
    add_texts(project, "one")
    assert 'aria-current="step">Label' in page(desk)
    add_machine_labeled(project, [0.5])
    assert 'aria-current="step">Review' in page(desk)


def test_the_default_project_hides_while_another_is_used(desk: Client, project: Project) -> None:
    assert "Default" not in page(desk)


def test_on_an_empty_installation_the_default_project_begins(desk: Client) -> None:
    shown = page(desk)
    assert "Default" in shown
    assert 'aria-current="step">Add categories' in shown


def test_a_run_shows_how_far_it_is(desk: Client, project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "one")
    run = LabelingRun.objects.create(
        project=project,
        provider="keyword",
        threshold=0.8,
        audit_share=0.0,
        total=40,
        status=RunStatus.RUNNING,
        phase=RunPhase.LABEL,
    )
    RunChunk.objects.create(
        run=run,
        phase=RunPhase.LABEL,
        after=0,
        last=9,
        reached=5,
        texts=10,
        worker="here:1:a",
        heartbeat_at=timezone.now(),
    )
    shown = page(desk)
    assert "Running: labeling, 10 of 40 texts" in shown
    live = desk.get("/dashboard/live.json").json()["projects"][0]
    assert live["run"] == {
        "id": run.pk,
        "url": f"/runs/{run.pk}/",
        "percent": 25,
        "words": "Running: labeling, 10 of 40 texts",
    }
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
    assert desk.get("/dashboard/live.json").json()["projects"][0]["run"] is None


@pytest.mark.usefixtures("fake_providers")
def test_a_click_labels_the_texts(desk: Client, project: Project, add_texts: AddTexts) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    add_texts(project, "sports")
    assert f'<form method="post" action="/dashboard/{project.pk}/label/">' in page(desk)
    answer = desk.post(f"/dashboard/{project.pk}/label/")
    run = LabelingRun.objects.get()
    assert answer.url == f"/runs/{run.pk}/"
    assert "Queued" in page(desk)
    again = desk.post(f"/dashboard/{project.pk}/label/", follow=True)
    assert "unfinished" in again.content.decode() or str(run.pk) in again.content.decode()


def test_who_may_not_start_runs_is_refused(project: Project, anna: Reviewer) -> None:
    assert client_of(anna.user).post(f"/dashboard/{project.pk}/label/").status_code == 403
    assert not LabelingRun.objects.exists()


def test_it_warns_while_no_worker_runs(desk: Client, project: Project) -> None:
    assert "manage.py run_worker" in page(desk)
    Worker.objects.create(host="here", cluster="labeling", supervisor_pid=1)
    assert "manage.py run_worker" not in page(desk)


def test_the_texts_that_the_desk_gives_next_are_shown_but_not_audits(
    desk: Client, project: Project, anna: Reviewer, add_texts: AddTexts
) -> None:
    texts = add_audited(project, anna, texts=40)
    audit, other = texts[0], Text.objects.filter(is_audit=False).first()
    assert other is not None
    Text.objects.filter(pk=other.pk).update(content="The one to decide", status=TextStatus.NEEDS_REVIEW, priority=9)
    Text.objects.filter(pk=audit.pk).update(content="The blind one", status=TextStatus.NEEDS_REVIEW, priority=99)
    shown = page(desk)
    assert "The one to decide" in shown
    assert "The blind one" not in shown


def test_what_is_proven_and_missing_comes_after_the_page(desk: Client, project: Project, anna: Reviewer) -> None:
    add_audited(project, anna, texts=40)
    assert "Nothing is promised about its labels yet." not in page(desk)
    proof = desk.get(f"/dashboard/{project.pk}/proof.json").json()
    assert proof["proven"] == "Nothing is promised about its labels yet."
    assert proof["left"] or proof["missing"]
    assert "Nothing is promised about its labels yet." in page(desk)


def test_with_a_certificate_in_use_what_is_left_is_what_it_left_to_people(
    desk: Client, project: Project, anna: Reviewer
) -> None:
    add_audited(project, anna)
    certification.apply(certification.certify(project, promise="dataset", budget=0.05))
    proof = desk.get(f"/dashboard/{project.pk}/proof.json").json()
    assert proof["left"] == "People have decided all that was left to them."


def test_the_trend_is_that_of_the_newest_classifiers(desk: Client, project: Project, add_texts: AddTexts) -> None:
    add_texts(project, "one")
    for accuracy in (0.7, 0.75, 0.9):
        add_learned(project, accuracy=accuracy)
    assert "70 % right at first, 90 % now, over the last 3 classifiers." in page(desk)


def test_it_takes_few_questions_with_twenty_projects(
    project: Project, mia: User, anna: Reviewer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_audited(project, anna, texts=40)
    for number in range(dashboard.MOST_PROJECTS):
        other = Project.objects.create(name=f"Project {number}")
        LabelingRun.objects.create(project=other, provider="keyword", threshold=0.8, audit_share=0.0)
        add_learned(other)
    Reviewer.objects.create(user=mia)
    client = client_of(mia)
    with django_assert_max_num_queries(MOST_QUERIES):
        shown = page(client)
    assert shown.count("<article") == dashboard.MOST_PROJECTS
    with django_assert_max_num_queries(MOST_QUERIES):
        assert len(client.get("/dashboard/live.json").json()["projects"]) == dashboard.MOST_PROJECTS


# --- For reviewers ----------------------------------------------------------------------------------------------------


def test_reviewers_see_their_projects_their_day_and_the_way_to_the_desk(
    project: Project, anna: Reviewer, ben: Reviewer
) -> None:
    Project.objects.create(name="Secret")
    add_audited(project, ben, texts=40)
    Text.objects.filter(status=TextStatus.NEEDS_REVIEW).update(status=TextStatus.ACCEPTED)
    waiting = Text.objects.filter(is_audit=False).first()
    assert waiting is not None
    Text.objects.filter(pk=waiting.pk).update(status=TextStatus.NEEDS_REVIEW)
    shown = page(client_of(anna.user))
    assert "1 waiting" in shown
    assert f'href="/review/?project={project.pk}"' in shown
    assert "<strong>0</strong> of 100 decisions" in shown
    assert "Secret" not in shown
    record(anna, waiting.pk, Decision(Action.APPROVE, waiting.current_label_id))
    assert "<strong>1</strong> of 100 decisions" in page(client_of(anna.user))


def test_a_reviewer_without_projects_is_told_whom_to_ask(anna: Reviewer) -> None:
    anna.projects.clear()
    assert "Ask a manager" in page(client_of(anna.user))


def test_a_reviewer_s_page_takes_few_questions(
    anna: Reviewer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    anna.projects.add(*(Project.objects.create(name=f"Project {n}") for n in range(20)))
    client = client_of(anna.user)
    with django_assert_max_num_queries(MOST_QUERIES):
        page(client)


# --- Access -----------------------------------------------------------------------------------------------------------


def test_strangers_and_the_anonymous_get_nothing(client: Client, project: Project, stranger: User) -> None:
    assert client.get("/").url == "/admin/login/?next=/"
    assert client.get("/dashboard/live.json").status_code == 401
    other = client_of(stranger)
    assert other.get("/").status_code == 403
    assert other.get("/dashboard/live.json").status_code == 403


def test_reviewers_do_not_get_the_managers_numbers(anna: Reviewer, project: Project) -> None:
    client = client_of(anna.user)
    assert client.get("/dashboard/live.json").status_code == 403
    assert client.get(f"/dashboard/{project.pk}/proof.json").status_code == 403
