import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import mail
from django_q.models import OrmQ

from labeling import execution, notifying, runs
from labeling.choices import RunPhase, TextStatus
from labeling.models import LabelingRun, Project, Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts, manager: User, settings: LazySettings) -> LabelingRun:
    """One that the manager started, and that has ended."""
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "localhost"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=manager.pk).update(email="manager@example.org")
    add_texts(project, "sports", "business")
    made = runs.start(project, provider="keyword", user=manager)
    execution.execute(made)
    return LabelingRun.objects.get(pk=made.pk)


def test_the_end_of_a_run_is_told_in_the_background(run: LabelingRun) -> None:
    task = OrmQ.objects.get()
    assert (task.task["func"], task.task["args"], task.key) == ("labeling.tasks.tell", (run.pk,), "interactive")


def test_who_started_it_finds_it_in_the_admins_history(run: LabelingRun, manager: User) -> None:
    assert notifying.tell(run)
    entry = LogEntry.objects.get(user=manager)
    assert (entry.object_repr, entry.change_message) == (str(run), "succeeded, 2 of 2 texts")


def test_who_started_it_gets_an_e_mail(run: LabelingRun) -> None:
    notifying.tell(run)
    [message] = mail.outbox
    assert (message.subject, message.to) == (f"{run}: succeeded", ["manager@example.org"])


def test_failures_are_told_with_their_reasons(run: LabelingRun) -> None:
    Text.objects.filter(content="sports").update(status=TextStatus.FAILED, error="No answer.")
    run.chunks.filter(phase=RunPhase.LABEL).update(failed=1)
    notifying.tell(run)
    assert "1 texts: No answer." in mail.outbox[0].body


def test_it_is_told_once(run: LabelingRun) -> None:
    assert [notifying.tell(LabelingRun.objects.get(pk=run.pk)) for _ in range(2)] == [True, False]
    assert (len(mail.outbox), LogEntry.objects.count()) == (1, 1)


def test_without_an_address_to_send_from_nothing_is_sent(run: LabelingRun, settings: LazySettings) -> None:
    settings.EMAIL_CONFIG = {}
    assert notifying.tell(run)
    assert mail.outbox == []


def test_a_mail_server_that_is_away_hurts_nobody(run: LabelingRun, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert notifying.tell(run)


def test_a_run_that_nobody_started_is_told_to_nobody(project: Project, add_texts) -> None:
    add_texts(project, "sports")
    run = runs.start(project, provider="keyword")
    execution.execute(run)
    assert not OrmQ.objects.exists()
    assert not notifying.tell(run)
