from typing import Any

import pytest

from labeling.providers.base import ConfidenceSource, Provider, ProviderError
from labeling.providers.openai_compatible import OpenAICompatible, base_url
from tests.stand_in_server import StandIn, fails

from .contract import ProviderContract
from .servers import NEWS, hurried


@pytest.fixture
def provider(stand_in: StandIn) -> Provider:
    return OpenAICompatible(stand_in.url, "stand-in")


class TestOpenAICompatible(ProviderContract):
    pass


class TestWithoutLogprobsAndSchemas(ProviderContract):
    @pytest.fixture
    def provider(self, stand_in: StandIn) -> Provider:
        stand_in.refuses |= {"json_schema", "json_object", "logprobs"}
        return OpenAICompatible(stand_in.url, "stand-in")


class TestWithSeveralTextsInARequest(ProviderContract):
    @pytest.fixture
    def provider(self, stand_in: StandIn) -> Provider:
        stand_in.refuses |= {"logprobs"}
        return OpenAICompatible(stand_in.url, "stand-in", texts_per_request=3)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("http://host:8000/v1/", "http://host:8000/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai"),
        ("https://host/api/paas/v4", "https://host/api/paas/v4"),
        ("https://v1.host.com", "https://v1.host.com/v1"),
        ("https://host/v1?api-version=3", "https://host/v1?api-version=3"),
        (" https://host \n", "https://host/v1"),
    ],
)
def test_the_version_is_added_where_it_is_missing(url: str, base: str) -> None:
    assert base_url(url) == base


def test_a_request_has_the_documented_form(stand_in: StandIn) -> None:
    OpenAICompatible(stand_in.url, "stand-in", seed=7, max_tokens=99, extra_body={"top_p": 0.5}).answer(["a"], NEWS)
    (asked,) = stand_in.questions
    assert asked.path == "/v1/chat/completions"
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]
    rest = {key: value for key, value in asked.body.items() if key not in ("messages", "response_format")}
    assert rest == {
        "model": "stand-in",
        "temperature": 0.0,
        "seed": 7,
        "max_tokens": 99,
        "logprobs": True,
        "top_logprobs": 20,
        "top_p": 0.5,
    }
    form = asked.body["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("refused", "formats"),
    [
        (set(), ["json_schema"]),
        ({"json_schema"}, ["json_schema", "json_object"]),
        ({"json_schema", "json_object"}, ["json_schema", "json_object", None]),
        ({"response_format"}, ["json_schema", "json_object", None]),
    ],
)
def test_the_best_format_that_the_server_takes_is_found_once(
    stand_in: StandIn, refused: set[str], formats: list[str | None]
) -> None:
    stand_in.refuses = refused
    provider = OpenAICompatible(stand_in.url, "stand-in", concurrency=1)
    assert provider.predict(["space", "weather"], NEWS).argmax(axis=1).tolist() == [1, 2]
    sent = [one.body.get("response_format", {}).get("type") for one in stand_in.questions]
    assert sent == [*formats, formats[-1]]


def test_only_requests_that_were_under_way_are_refused(stand_in: StandIn) -> None:
    stand_in.refuses = {"json_schema"}
    OpenAICompatible(stand_in.url, "stand-in", concurrency=2).predict([f"text {i}" for i in range(50)], NEWS)
    assert len(stand_in.questions) <= 52


def test_requests_side_by_side_lower_the_format_by_one_step_only(stand_in: StandIn) -> None:
    stand_in.refuses = {"json_schema"}
    stand_in.seconds = 0.05
    OpenAICompatible(stand_in.url, "stand-in", concurrency=8).predict([f"text {i}" for i in range(8)], NEWS)
    assert {one.body.get("response_format", {}).get("type") for one in stand_in.questions} == {
        "json_schema",
        "json_object",
    }


def test_logprobs_are_left_out_where_they_are_refused(stand_in: StandIn) -> None:
    stand_in.refuses = {"logprobs", "response_format"}
    provider = OpenAICompatible(stand_in.url, "stand-in")
    assert provider.answer(["space"], NEWS).sources == [ConfidenceSource.NONE]
    asked = len(stand_in.questions)
    provider.answer(["weather"], NEWS)
    assert len(stand_in.questions) == asked + 1
    assert "logprobs" not in stand_in.questions[-1].body
    assert "top_logprobs" not in stand_in.questions[-1].body


@pytest.mark.parametrize("field", ["temperature", "seed", "max_tokens"])
def test_what_reasoning_models_refuse_is_left_out(stand_in: StandIn, field: str) -> None:
    stand_in.refuses = {field}
    provider = OpenAICompatible(stand_in.url, "stand-in")
    assert provider.predict(["space"], NEWS).argmax() == 1
    last = stand_in.questions[-1].body
    assert field not in last
    assert ("max_completion_tokens" in last) == (field == "max_tokens")


def test_a_text_that_is_refused_in_every_way_changes_nothing_for_others(stand_in: StandIn) -> None:
    refusal = fails(400, "response_format, logprobs and everything else are wrong")
    stand_in.script.extend([refusal] * 4)
    provider = OpenAICompatible(stand_in.url, "stand-in")
    assert provider.answer(["space"], NEWS).errors[0] is not None
    assert provider.answer(["weather"], NEWS).sources == [ConfidenceSource.LOGPROBS]
    assert len(stand_in.questions) == 5


def test_an_unknown_model_is_refused_with_the_setting(stand_in: StandIn) -> None:
    with pytest.raises(ProviderError, match="FREE_API_MODEL") as refusal:
        OpenAICompatible(stand_in.url, "no-such-model").predict(["space"], NEWS)
    assert refusal.value.permanent
    assert "no-such-model does not exist" in str(refusal.value)


def test_a_model_has_to_be_named(stand_in: StandIn) -> None:
    with pytest.raises(ProviderError, match="FREE_API_MODEL"):
        OpenAICompatible(stand_in.url, " ")


def test_an_error_in_a_good_status_is_tried_again(stand_in: StandIn) -> None:
    stand_in.script.append(fails(200, "Provider returned error"))
    provider = OpenAICompatible(stand_in.url, "stand-in")
    hurried(provider)
    assert provider.predict(["space"], NEWS).argmax() == 1


def test_the_key_decides_no_answers_and_is_not_shown() -> None:
    one, other = (OpenAICompatible("http://host", "m", key) for key in ("sk-one", "sk-other"))
    assert one.fingerprint == other.fingerprint
    assert "sk-one" not in f"{one!r} {one.server!r} {one.model_name} {one.fingerprint}"


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://other"},
        {"model": "other"},
        {"temperature": 0.5},
        {"seed": 1},
        {"samples": 3},
        {"reason_first": True},
        {"states_confidence": True},
        {"texts_per_request": 2},
        {"extra_body": {"top_p": 0.5}},
    ],
)
def test_what_decides_answers_is_in_the_fingerprint(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"url": "http://host", "model": "m"}
    assert OpenAICompatible(**usual).fingerprint != OpenAICompatible(**usual | change).fingerprint


def test_how_it_is_sent_is_not_in_the_fingerprint() -> None:
    usual = OpenAICompatible("http://host", "m")
    assert OpenAICompatible("http://host/v1/", "m", concurrency=9, timeout_seconds=5).fingerprint == usual.fingerprint
