"""Runs whose labels come from a server: a real one, over HTTP, which is stopped and started again."""

import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from labeling import execution, providers, run_progress, runs
from labeling.choices import RunStatus
from labeling.models import Label, LabelingRun, Project
from labeling.providers import get_provider
from labeling.providers.base import ProviderError
from tests.labeling.providers.servers import hurried
from tests.stand_in_server import StandIn, fails

pytestmark = pytest.mark.django_db

TEXTS = 40


@pytest.fixture
def server(settings: LazySettings) -> Iterator[StandIn]:
    with StandIn() as server:
        settings.LABELING_PROVIDERS = {
            **settings.LABELING_PROVIDERS,
            "api": {
                "BACKEND": "labeling.providers.free_api.open_free_api",
                "OPTIONS": {"url": server.url, "model": "stand-in"},
            },
        }
        providers.forget_all()
        yield server
    providers.forget_all()


@pytest.fixture
def run(server: StandIn, project: Project, add_texts) -> LabelingRun:
    add_texts(project, *(f"News of Sports, number {n}" for n in range(TEXTS)))
    return runs.start(project, provider="api")


def test_each_text_is_asked_about_once_and_says_what_its_confidence_is(run: LabelingRun, server: StandIn) -> None:
    execution.execute(run)
    assert (run.status, run.done, len(server.questions)) == (RunStatus.SUCCEEDED, TEXTS, TEXTS)
    assert set(Label.objects.values_list("category__name", "confidence_source")) == {("Sports", "logprobs")}
    assert run_progress.of(run).requests == TEXTS
    assert run_progress.of(run).tokens > TEXTS


def test_a_run_goes_on_when_a_server_that_died_is_back(run: LabelingRun, server: StandIn) -> None:
    servers = [server]

    def come_back() -> None:
        servers.append(StandIn(port=urlsplit(server.url).port or 0).__enter__())

    comes_back = threading.Timer(1.5, come_back)

    def die(phase: str, done: int, total: int) -> None:
        if phase == "Labeling" and not comes_back.ident:
            server.__exit__()
            comes_back.start()

    execution.execute(run, on_progress=die)
    [_, later] = servers
    later.__exit__()
    assert (run.status, run.done, run.error) == (RunStatus.SUCCEEDED, TEXTS, "")
    assert Label.objects.values("text").distinct().count() == TEXTS
    assert len(server.questions) + len(later.questions) == TEXTS


def test_while_the_server_is_away_the_run_says_so(run: LabelingRun, server: StandIn) -> None:
    hurried(get_provider("api"))  # type: ignore[arg-type]
    server.__exit__()
    begun = time.monotonic()
    execution.execute(run, is_over=lambda: time.monotonic() > begun + 1)
    assert (run.status, run.done) == (RunStatus.RUNNING, 0)
    assert "cannot be reached (ConnectError). Start it, or correct FREE_API_URL." in run.error
    assert run_progress.of(run).notes[0] == run.error


def test_a_wrong_key_stops_the_run_and_says_what_to_change(run: LabelingRun, server: StandIn) -> None:
    server.always = fails(401, "invalid key")
    with pytest.raises(ProviderError):
        execution.execute(run)
    assert run.status == RunStatus.FAILED
    assert "Set FREE_API_KEY to a key that may use this model." in run.error
