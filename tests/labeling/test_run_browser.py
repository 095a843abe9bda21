"""The page of a run in a real browser."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from labeling import execution, runs
from labeling.choices import ChunkState, RunPhase, TextStatus
from labeling.models import LabelingRun, Project, RunChunk, Text
from tests.browser import EVIL, IN_BROWSER, Visit, barriers, expect, looks, too_wide
from tests.labeling.working import take

pytestmark = [*IN_BROWSER, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    add_texts(project, "sports", "business", "weather")
    return runs.start(project, provider="keyword")


def address(run: LabelingRun) -> str:
    return f"/admin/labeling/labelingrun/{run.pk}/change/"


def test_the_bar_moves_without_reload_until_the_run_ends(
    visit: Visit, boss: User, run: LabelingRun, live_server: LiveServer
) -> None:
    page = visit(boss, address(run))
    expect(page, "#run-status").to_have_text("Queued")
    expect(page, "#run-notes").to_contain_text("manage.py run_worker")
    execution.execute(run)
    expect(page, "#run-status").to_have_text("Succeeded")
    expect(page, "#run-line").to_have_text("3 of 3 texts")
    expect(page, "#run-bar").to_have_js_property("value", 100)
    expect(page, "#run [data-verb=cancel]").to_be_hidden()


def test_the_way_on_appears_when_the_run_ends(
    visit: Visit, boss: User, run: LabelingRun, live_server: LiveServer
) -> None:
    page = visit(boss, reverse("runs:run", args=[run.pk]))
    expect(page, "#run-status").to_have_text("Queued")
    expect(page, "#run-next").to_be_hidden()
    execution.execute(run)
    expect(page, "#run-next").to_be_visible()


def test_a_run_is_paused_and_resumed_by_its_buttons(visit: Visit, boss: User, run: LabelingRun) -> None:
    page = visit(boss, address(run))
    page.get_by_role("button", name="Pause").click()
    expect(page, "#run-status").to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page, "#run-status").to_have_text("Queued")


@pytest.mark.parametrize("name", ["runs:run", "admin:labeling_labelingrun_change"])
def test_who_was_signed_out_is_told_so(visit: Visit, boss: User, run: LabelingRun, name: str) -> None:
    page = visit(boss, reverse(name, args=[run.pk]))
    expect(page, "#updated").to_contain_text("ago")
    Session.objects.all().delete()
    expect(page, "#trouble-text").to_contain_text("You are signed out")
    expect(page, "#sign-in").to_be_visible()


def test_a_run_that_has_ended_is_not_asked_about(visit: Visit, boss: User, run: LabelingRun) -> None:
    page = visit(boss, address(run))
    execution.execute(run)
    expect(page, "#run-status").to_have_text("Succeeded")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(2_500)
    assert asked == []


def test_a_run_with_failures_fits_the_screen_and_has_no_barriers(
    visit: Visit, boss: User, run: LabelingRun, project: Project
) -> None:
    Text.objects.filter(project=project, content="sports").update(status=TextStatus.FAILED, error=EVIL + "long" * 90)
    project.categories.filter(name="Weather").update(description="Rain.")
    chunk = take(run)
    RunChunk.objects.create(
        run=run,
        phase=RunPhase.LABEL,
        after=0,
        last=9,
        reached=9,
        state=ChunkState.DONE,
        texts=1,
        failed=1,
        heartbeat_at=chunk.heartbeat_at,
    )
    page = visit(boss, address(run))
    for look in looks(page):
        expect(page, "#run-failures").to_contain_text("<script>")
        assert too_wide(page, look) == []
        assert [found for found in barriers(page, look) if 'id="run' in found or 'class="run' in found] == []
