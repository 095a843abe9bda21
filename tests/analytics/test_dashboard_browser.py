"""The start page in a real browser: it follows what happens while somebody looks at it."""

from typing import Any

from django.contrib.auth.models import User

from labeling.choices import RunPhase, RunStatus
from labeling.models import LabelingRun, Project
from tests.browser import IN_BROWSER, Visit, expect
from tests.labeling.certificates import add_machine_labeled

pytestmark = IN_BROWSER


def start(project: Project, **more: Any) -> LabelingRun:
    shared = {"threshold": 0.8, "audit_share": 0.0, "status": RunStatus.RUNNING, "phase": RunPhase.LABEL}
    return LabelingRun.objects.create(project=project, provider="keyword", total=40, **shared, **more)


def test_the_next_step_comes_by_itself(visit: Visit, boss: User, project: Project, add_texts: Any) -> None:
    add_texts(project, "Not labeled yet")
    page = visit(boss, "/")
    expect(page, "[aria-current=step]").to_have_text("Label")
    run = start(project)
    expect(page, ".dashboard-steps button").to_be_disabled()
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.FAILED)
    expect(page, ".dashboard-steps button").to_be_enabled()
    add_machine_labeled(project, [0.9, 0.5])
    expect(page, "[aria-current=step]").to_have_text("Review")


def test_the_link_of_a_run_leads_to_the_one_that_is_told_of(visit: Visit, boss: User, project: Project) -> None:
    add_machine_labeled(project, [0.9, 0.5])
    first = start(project)
    page = visit(boss, "/")
    expect(page, ".dashboard-run a").to_have_attribute("href", f"/runs/{first.pk}/")
    LabelingRun.objects.filter(pk=first.pk).update(status=RunStatus.SUCCEEDED)
    second = start(project)
    expect(page, ".dashboard-run a").to_have_attribute("href", f"/runs/{second.pk}/")
