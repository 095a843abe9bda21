from collections.abc import Callable
from io import StringIO
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from labeling import phases, prompts, runs
from labeling.models import Label, LabelingRun, Project
from labeling.phases import Work
from labeling.providers.base import ProviderError
from tests.labeling.working import take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def news(project: Project, add_texts) -> Project:
    add_texts(project, "sports", "business", "weather", "weather and sports")
    return project


def label(**options: object) -> str:
    out = StringIO()
    call_command("label_texts", project="news", provider="keyword", stdout=out, **options)
    return out.getvalue()


def test_the_summary_says_what_was_done_and_how_the_texts_stand(news: Project) -> None:
    out = label()
    assert "labeled 4 texts (succeeded)" in out
    assert f"Project {news}:" in out


def test_a_second_call_labels_nothing_again(news: Project) -> None:
    label()
    assert "Nothing to label" in label()
    assert (Label.objects.count(), LabelingRun.objects.count()) == (4, 1)


def test_relabel_writes_only_what_changed(news: Project) -> None:
    label()
    assert "read 4 texts again and changed 0" in label(relabel=True)
    news.categories.filter(name="Sports").update(name="Weather report", description="Rain and sun.")
    assert "read 4 texts again and changed" in label(relabel=True)
    assert Label.objects.count() > 4


def test_an_archived_project_is_refused_in_words(news: Project) -> None:
    Project.objects.filter(pk=news.pk).update(is_archived=True)
    with pytest.raises(CommandError, match="is archived"):
        label()


def test_limit_bounds_the_texts(news: Project) -> None:
    label(limit=1)
    assert Label.objects.count() == 1


def test_an_unknown_project_is_answered_with_the_known_ones(news: Project) -> None:
    with pytest.raises(CommandError, match=r"Default, News.*create_project"):
        call_command("label_texts", project="olds")


def test_an_unknown_provider_is_answered_with_the_known_ones(news: Project) -> None:
    with pytest.raises(CommandError, match="local"):
        call_command("label_texts", project="news", provider="oracle")


def test_a_project_without_categories_is_told_what_to_do() -> None:
    with pytest.raises(CommandError, match="no active categories"):
        call_command("label_texts")


def test_a_run_that_failed_after_several_attempts_fails_the_command(
    news: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = ProviderError("Too many requests.", permanent=False)
    monkeypatch.setattr(prompts, "provider_of", Mock(side_effect=trouble))
    with pytest.raises(CommandError, match=r"Preparing failed 3 times\. Too many requests\."):
        label()


def test_two_calls_at_once_do_not_label_twice(news: Project) -> None:
    take(runs.start(news, provider="keyword"))
    with pytest.raises(CommandError, match="right now"):
        label()
    assert not Label.objects.exists()


def test_ctrl_c_says_how_to_go_on(news: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(phases, "SLICE", 2)
        patched.setattr(Work, "_label", interrupting_the_second_call(Work._label))
        with pytest.raises(CommandError, match="2 of 4 texts are done") as stopped:
            label()
    assert stopped.value.returncode == 130
    assert "labeled 4 texts" in label()


def interrupting_the_second_call(work: Callable[..., int]) -> Callable[..., int]:
    calls = iter([work])

    def call(*args: object) -> int:
        try:
            return next(calls)(*args)
        except StopIteration:
            raise KeyboardInterrupt from None

    return call
