"""What people decided, read by the model of a run."""

from unittest.mock import Mock

import pytest

from labeling import decided, drifting, execution, runs
from labeling.asking import CachedAnswers
from labeling.choices import RunStatus
from labeling.embeddings import CachedEncoder
from labeling.features import StackedEncoder
from labeling.models import Embedding, LabelingRun, Project, Text
from labeling.providers import get_provider
from labeling.providers.base import ServerDown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

REFUSED = [f"nothing number {n}" for n in range(3)]


@pytest.fixture
def run(project: Project, add_texts, decide) -> LabelingRun:
    """Over one text, by a model that refuses three of the four that people decided."""
    for content in (*REFUSED, "sports news"):
        decide(content, "Sports")
    add_texts(project, "weather report")
    return runs.start(project, provider="talkative")


def test_what_a_model_refuses_is_asked_once_a_run_however_short_the_turns(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = get_provider("talkative")
    asked = Mock(side_effect=provider.predict)
    monkeypatch.setattr(provider, "predict", asked)
    monkeypatch.setattr(decided, "AT_ONCE", 1)
    for _ in range(10):
        before = asked.call_count
        if execution.execute(run, is_over=lambda before=before: asked.call_count > before):
            break
    assert run.status == RunStatus.SUCCEEDED
    contents = [content for call in asked.call_args_list for content in call.args[0]]
    assert sorted(contents) == [*REFUSED, "sports news", "weather report"]


def test_a_server_that_is_down_is_asked_once_and_the_rest_is_left_to_a_later_run(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(side_effect=ServerDown("The server does not answer."))
    monkeypatch.setattr(decided, "_read", read)
    monkeypatch.setattr(decided, "AT_ONCE", 1)
    for _ in range(10):
        before = read.call_count
        if execution.execute(run, is_over=lambda before=before: read.call_count > before):
            break
    assert (run.status, read.call_count) == (RunStatus.SUCCEEDED, 1)


def test_what_was_read_does_not_hide_that_finishing_fails_each_time(
    run: LabelingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = [ZeroDivisionError("division by zero")] * 5
    monkeypatch.setattr(drifting, "compare", Mock(side_effect=[*breaks, None]))
    execution.execute(run)
    assert (run.status, run.error) == (
        RunStatus.FAILED,
        "Finishing failed 3 times. ZeroDivisionError: division by zero",
    )


def test_a_text_that_the_model_refuses_takes_no_vector_from_the_others(run: LabelingRun) -> None:
    asked = CachedAnswers(get_provider("talkative"), run.project.active_categories())
    encoder = CachedEncoder(get_provider("keyword"), explained=False)
    newest = Text.objects.get(content="sports news")
    assert list(decided.read(run, StackedEncoder(asked, encoder), after=0)) == [(newest.pk, 4)]
    vectors = Embedding.objects.filter(model_fingerprint=encoder.provider.fingerprint)
    assert vectors.get().content_hash == newest.content_hash
