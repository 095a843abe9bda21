from typing import Any

import pytest

from labeling.providers.base import ConfidenceSource, Prompt, Provider, ProviderError
from labeling.providers.ollama import Ollama
from tests.stand_in_server import StandIn, fails, is_cut_at

from .contract import ProviderContract
from .servers import NEWS, hurried


@pytest.fixture
def provider(stand_in: StandIn) -> Provider:
    return Ollama(stand_in.url, "stand-in")


class TestOllama(ProviderContract):
    pass


class TestOldOllama(ProviderContract):
    @pytest.fixture
    def provider(self, stand_in: StandIn) -> Provider:
        stand_in.version = "0.3.14"
        return Ollama(stand_in.url, "stand-in")


def test_a_request_has_the_documented_form(stand_in: StandIn) -> None:
    Ollama(stand_in.url, "stand-in", num_ctx=4096, seed=7, max_tokens=99).answer(["a"], NEWS)
    (asked,) = stand_in.questions
    assert asked.path == "/api/chat"
    rest = {key: value for key, value in asked.body.items() if key not in ("messages", "format")}
    assert rest == {
        "model": "stand-in",
        "stream": False,
        "keep_alive": "10m",
        "think": False,
        "options": {"temperature": 0.0, "seed": 7, "num_predict": 99, "num_ctx": 4096},
        "logprobs": True,
        "top_logprobs": 20,
    }
    assert asked.body["format"]["properties"]["category"]["enum"] == ["Sports", "Space", "Weather"]


@pytest.mark.parametrize(
    ("version", "form", "has_logprobs"),
    [
        ("0.12.11", dict, True),
        ("0.13.0", dict, True),
        ("1.0.0", dict, True),
        ("0.12.10", dict, False),
        ("0.5.0", dict, False),
        ("0.4.7", str, False),
    ],
)
def test_what_the_version_knows_is_used(stand_in: StandIn, version: str, form: type, has_logprobs: bool) -> None:
    stand_in.version = version
    answers = Ollama(stand_in.url, "stand-in").answer(["space"], NEWS)
    (asked,) = stand_in.questions
    assert isinstance(asked.body["format"], form)
    assert ("logprobs" in asked.body) == has_logprobs
    assert answers.sources == [ConfidenceSource.LOGPROBS if has_logprobs else ConfidenceSource.NONE]
    assert answers.scores.argmax() == 1


def test_a_format_that_is_refused_is_not_tried_again(stand_in: StandIn) -> None:
    stand_in.refuses = {"format"}
    provider = Ollama(stand_in.url, "stand-in")
    assert provider.predict(["space"], NEWS).argmax() == 1
    assert provider.predict(["weather"], NEWS).argmax() == 2
    forms = [one.body.get("format", "none") for one in stand_in.questions]
    assert forms[1:] == ["json", "none", "none"]


def test_version_and_model_are_asked_for_once(stand_in: StandIn) -> None:
    provider = Ollama(stand_in.url, "stand-in")
    provider.predict(["space"], NEWS)
    provider.predict(["weather"], NEWS)
    assert [one.path for one in stand_in.requests if not one.body] == ["/api/version", "/api/tags"]


def test_a_model_that_was_not_pulled_is_refused_with_the_command(stand_in: StandIn) -> None:
    with pytest.raises(ProviderError, match="ollama pull llama9") as refusal:
        Ollama(stand_in.url, "llama9").predict(["space"], NEWS)
    assert refusal.value.permanent
    assert "OLLAMA_MODEL" in str(refusal.value)
    assert stand_in.questions == []


def test_a_model_that_was_pulled_since_is_found(stand_in: StandIn) -> None:
    provider = Ollama(stand_in.url, "llama9")
    with pytest.raises(ProviderError):
        provider.predict(["space"], NEWS)
    stand_in.models.append("llama9:latest")
    assert provider.predict(["space"], NEWS).argmax() == 1


def test_an_address_that_is_no_ollama_is_refused_with_the_setting(stand_in: StandIn) -> None:
    with pytest.raises(ProviderError, match="OLLAMA_BASE_URL") as refusal:
        Ollama(f"{stand_in.url}/elsewhere", "stand-in").predict(["space"], NEWS)
    assert refusal.value.permanent


def test_a_full_queue_is_tried_again(stand_in: StandIn) -> None:
    stand_in.script.append(fails(503, "server busy, please try again. maximum pending requests exceeded"))
    provider = Ollama(stand_in.url, "stand-in")
    hurried(provider)
    assert provider.predict(["space"], NEWS).argmax() == 1


@pytest.mark.parametrize(("written", "sent"), [("10m", "10m"), ("-1", -1), ("0", 0), (600, 600), ("-1m", "-1m")])
def test_numbers_are_sent_as_numbers(stand_in: StandIn, written: Any, sent: Any) -> None:
    Ollama(stand_in.url, "stand-in", keep_alive=written).predict(["space"], NEWS)
    assert stand_in.questions[0].body["keep_alive"] == sent


def test_a_build_from_source_is_taken_for_the_newest(stand_in: StandIn) -> None:
    stand_in.version = "0.0.0"
    Ollama(stand_in.url, "stand-in").answer(["space"], NEWS, prompt=Prompt(wants_reason=True))
    assert "logprobs" in stand_in.questions[0].body


def test_an_answer_that_is_cut_tells_what_to_raise(stand_in: StandIn) -> None:
    stand_in.always = is_cut_at('{"category": "Sp')
    (error,) = Ollama(stand_in.url, "stand-in").answer(["space"], NEWS).errors
    assert "max_tokens" in str(error)


def test_tokens_are_counted(stand_in: StandIn) -> None:
    usage = Ollama(stand_in.url, "stand-in").answer(["space", "weather"], NEWS).usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 20, 6)


def test_how_much_it_reads_decides_answers_and_how_long_it_stays_does_not() -> None:
    usual = Ollama("http://host", "m").fingerprint
    assert Ollama("http://host", "m", num_ctx=1024).fingerprint != usual
    assert Ollama("http://host", "m", keep_alive=0).fingerprint == usual
