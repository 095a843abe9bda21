from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from labeling import execution, run_progress, runs
from labeling.choices import RunPhase, RunStatus, TextStatus
from labeling.models import LabelingRun, Project, Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "sports", "business")
    return runs.start(project, provider="keyword")


def say(*args: object) -> str:
    out = StringIO()
    call_command("runs", *map(str, args), stdout=out)
    return out.getvalue()


def test_the_newest_runs_are_listed(run: LabelingRun) -> None:
    assert f"{run.pk}  News  queued, 0 of 2 texts" in say("list")


def test_a_finished_run_is_told_at_once(run: LabelingRun) -> None:
    execution.execute(run)
    assert f"Run {run.pk}: succeeded, 2 of 2 texts" in say("watch", run.pk)


def test_watching_ends_with_the_run(run: LabelingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.management.commands.runs.LOOK_SECONDS", 0.0)
    original = run_progress.of

    def look_and_work(watched: LabelingRun) -> run_progress.RunProgress:
        now = original(watched)
        if not now.is_finished:
            execution.execute(LabelingRun.objects.get(pk=watched.pk))
        return now

    monkeypatch.setattr(run_progress, "of", look_and_work)
    assert "succeeded, 2 of 2 texts" in say("watch", run.pk)


def test_a_run_is_paused_resumed_and_cancelled(run: LabelingRun) -> None:
    assert "paused" in say("pause", run.pk)
    assert "queued" in say("resume", run.pk)
    assert OrmQ.objects.count() == 1
    assert "cancelled" in say("cancel", run.pk)


def test_failures_are_told_with_their_reasons_and_tried_once_more(run: LabelingRun) -> None:
    execution.execute(run)
    Text.objects.filter(content="sports").update(status=TextStatus.FAILED, error="No answer.")
    run.chunks.filter(phase=RunPhase.LABEL).update(failed=1)
    assert "1 failed: No answer." in say("watch", run.pk)
    assert "tries 1 failed texts once more" in say("retry", run.pk)
    assert LabelingRun.objects.latest("pk").status == RunStatus.QUEUED


def test_an_unknown_run_is_told_where_to_look(db: None) -> None:
    with pytest.raises(CommandError, match="runs list"):
        say("watch", 7)


def test_nothing_lost_is_nothing_queued(db: None) -> None:
    assert "Nothing is missing" in say("requeue")


def test_label_texts_leaves_a_run_to_the_background(project: Project, add_texts) -> None:
    add_texts(project, "sports")
    out = StringIO()
    call_command("label_texts", project="news", background=True, stdout=out)
    run = LabelingRun.objects.get()
    assert f"manage.py runs watch {run.pk}" in out.getvalue()
    assert "No background worker is running" in out.getvalue()
    assert OrmQ.objects.get().task["args"] == (run.pk,)
