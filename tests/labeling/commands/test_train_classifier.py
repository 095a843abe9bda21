import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from labeling import annotations, execution, runs
from labeling.models import Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


def run() -> str:
    out = io.StringIO()
    call_command("train_classifier", "--project", "News", stdout=out)
    return out.getvalue()


@pytest.fixture
def reviewed(project: Project, add_texts, manager: User) -> Project:
    """Thirty texts of which a model that only answers knows nothing, all decided."""
    Project.objects.filter(pk=project.pk).update(provider="scores")
    project.refresh_from_db()
    texts = add_texts(project, *(f"{word} {n}" for n in range(10) for word in ("goal", "market", "storm")))
    execution.execute(runs.start(project))
    for place, text in enumerate(texts):
        label = annotations.record_human_label(text, project.active_categories()[place % 3], annotator=manager)
        annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    return project


def test_the_first_version_is_told_beside_the_model_by_itself(reviewed: Project) -> None:
    printed = run()
    assert "learned from 30 reviewed texts." in printed
    assert "the model by itself 1." in printed
    assert "It labels from now on" in printed
    assert "The rounds of learning cannot be compared" in printed


def test_too_few_reviews_are_told(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    with pytest.raises(CommandError, match="Review 10 first"):
        run()
