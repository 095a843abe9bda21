"""A run whose labels come from a real model behind a real server, which is killed in the middle of it."""

import threading
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from labeling import execution, providers, run_progress, runs
from labeling.choices import RunStatus
from labeling.models import Label, Project
from tests.labeling.providers.llama_server import LlamaServer, find_model

MODEL = find_model()
TEXTS = 24
SUBJECTS = ("The striker scored", "Shares fell", "It will rain")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(MODEL is None, reason="needs xllamacpp, and the model in the folder TEST_MODELS"),
]


@pytest.fixture
def llama(settings: LazySettings) -> Iterator[LlamaServer]:
    assert MODEL is not None
    with LlamaServer(MODEL) as server:
        options = {"url": server.url, "model": "smollm2", "max_tokens": 64}
        settings.LABELING_PROVIDERS = {
            **settings.LABELING_PROVIDERS,
            "api": {"BACKEND": "labeling.providers.openai_compatible.OpenAICompatible", "OPTIONS": options},
        }
        providers.forget_all()
        yield server
    providers.forget_all()


def test_a_run_outlives_kill_9_of_the_server(llama: LlamaServer, project: Project, add_texts) -> None:
    add_texts(project, *(f"{SUBJECTS[n % 3]}, says report {n}." for n in range(TEXTS)))
    run = runs.start(project, provider="api")
    restart = threading.Timer(2.0, llama.start)
    kill = threading.Timer(1.0, lambda: (llama.kill(), restart.start()))

    def kill_once(phase: str, done: int, total: int) -> None:
        if phase == "Labeling" and not kill.ident:
            kill.start()

    execution.execute(run, on_progress=kill_once)
    kill.join()
    restart.join()
    assert (run.status, run.done, run.error) == (RunStatus.SUCCEEDED, TEXTS, "")
    assert Label.objects.filter(run=run).count() == Label.objects.values("text").distinct().count() == TEXTS
    assert set(Label.objects.values_list("confidence_source", flat=True)) == {"logprobs"}
    assert run_progress.of(run).requests >= TEXTS
