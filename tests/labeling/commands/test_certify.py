import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from labeling.models import Certificate, Project, Text
from tests.labeling.certificates import add_machine_labeled, decide, evenly

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, "--project", "News", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def audited(project: Project, manager: User) -> list[Text]:
    """401 texts, every second audited and found right."""
    texts = add_machine_labeled(project, evenly(401), audit_every=2)
    decide([text for text in texts if text.is_audit], manager)
    return texts


def test_it_prints_every_threshold_and_the_promise(audited: list[Text]) -> None:
    printed = run("certify", "--budget", "0.05")
    assert printed.count("passed") == 100
    assert "Look 1 at this audit, at level 0.025 of 0.05." in printed
    assert "Of the 401 labels of this dataset, at most 5 % are wrong, with 95 % confidence" in printed


def test_as_json_it_is_one_object(audited: list[Text]) -> None:
    printed = json.loads(run("certify", "--promise", "precision", "--json"))
    assert printed["is_granted"] is True
    assert printed["id"] == Certificate.objects.get().pk


def test_applied_it_sets_the_threshold(audited: list[Text], project: Project) -> None:
    run("certify", "--apply")
    project.refresh_from_db()
    assert project.threshold == Certificate.objects.get().threshold


def test_nothing_proven_is_exit_code_1_and_says_what_is_needed(project: Project) -> None:
    add_machine_labeled(project, evenly(401), audit_every=2)
    with pytest.raises(CommandError, match="draw_audit --size") as stopped:
        run("certify", "--apply")
    assert stopped.value.returncode == 1
    assert Certificate.objects.get().threshold is None


def test_a_budget_outside_of_0_and_1_is_refused(audited: list[Text]) -> None:
    with pytest.raises(CommandError, match=r"not between 0\.0001 and 0\.9999"):
        run("certify", "--budget", "5")


def test_nothing_to_certify_is_another_exit_code(project: Project) -> None:
    with pytest.raises(CommandError, match="label_texts") as stopped:
        run("certify")
    assert stopped.value.returncode == 2


def test_draw_audit_says_how_many_wait(project: Project) -> None:
    add_machine_labeled(project, evenly(50), audit_every=10)
    assert "7 texts drawn. 12 audit texts of project News wait to be decided." in run("draw_audit", "--size", "7")


def test_draw_audit_says_why_it_cannot(project: Project) -> None:
    with pytest.raises(CommandError, match="Only 0 texts"):
        run("draw_audit", "--size", "7")
