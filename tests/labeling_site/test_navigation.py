import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling import workers
from labeling.models import Project, Worker
from reviews.models import Reviewer

NOTICE = "No worker running"


@pytest.fixture
def admin_page(client: Client, manager: User):  # type: ignore[no-untyped-def]
    client.force_login(manager)
    return lambda: client.get("/", follow=True).content.decode()


def test_pages_say_that_no_worker_is_running(admin_page) -> None:  # type: ignore[no-untyped-def]
    assert NOTICE in admin_page()


def test_pages_say_nothing_while_a_worker_is_seen(admin_page) -> None:  # type: ignore[no-untyped-def]
    Worker.objects.create(host="here", cluster="labeling", supervisor_pid=1)
    assert NOTICE not in admin_page()


def test_a_worker_that_fell_silent_is_missed(admin_page) -> None:  # type: ignore[no-untyped-def]
    long_ago = timezone.now() - 2 * workers.SILENCE
    Worker.objects.create(host="here", cluster="labeling", supervisor_pid=1, seen_at=long_ago)
    assert NOTICE in admin_page()


def test_the_anonymous_are_told_nothing(client: Client, db: None) -> None:
    assert NOTICE not in client.get(reverse("admin:login")).content.decode()


def test_a_reviewers_menu_names_projects_once(client: Client, anna: Reviewer) -> None:
    client.force_login(anna.user)
    page = client.get("/").content.decode()
    assert reverse("projects:list") in page
    assert reverse("admin:labeling_project_changelist") not in page


def test_a_managers_menu_has_the_admins_projects(client: Client, mia: User) -> None:
    client.force_login(mia)
    assert reverse("admin:labeling_project_changelist") in client.get("/").content.decode()


@pytest.mark.usefixtures("fake_providers")
def test_starting_a_run_says_how_to_start_a_worker(client: Client, manager: User, project: Project, add_texts) -> None:  # type: ignore[no-untyped-def]
    add_texts(project, "sports")
    client.force_login(manager)
    picked = {"action": "label_with_ai", "_selected_action": [project.pk]}
    page = client.post(reverse("admin:labeling_project_changelist"), picked, follow=True)
    assert "manage.py run_worker" in page.content.decode()
