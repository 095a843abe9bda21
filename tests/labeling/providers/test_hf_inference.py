from typing import Any

import pytest

from labeling.providers.base import CategorySpec, ConfidenceSource, Prompt, Provider, ProviderError
from labeling.providers.hf_inference import HFInference
from tests.stand_in_server import StandIn, Step, fails

from .contract import ProviderContract
from .servers import NEWS, hurried

MANY = tuple(CategorySpec(f"topic {number:02}") for number in range(25))


@pytest.fixture
def provider(stand_in: StandIn) -> Provider:
    return HFInference(f"{stand_in.url}/models", "team/model")


class TestHFInference(ProviderContract):
    pass


class TestHFInferenceWithObjects(ProviderContract):
    @pytest.fixture
    def provider(self, stand_in: StandIn) -> Provider:
        stand_in.hf_gives_object = True
        return HFInference(f"{stand_in.url}/models/team/model")


def test_a_request_has_the_documented_form(provider: Provider, stand_in: StandIn) -> None:
    provider.answer(["a text"], NEWS, prompt=Prompt(hypothesis="It is {}."))
    (asked,) = stand_in.questions
    assert asked.path == "/models/team/model"
    assert asked.body == {
        "inputs": "a text",
        "parameters": {
            "candidate_labels": ["Sports", "Space", "Weather"],
            "hypothesis_template": "It is {}.",
            "multi_label": False,
        },
    }
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("gives_object", [True, False])
def test_scores_are_read_by_their_labels(provider: Provider, stand_in: StandIn, gives_object: bool) -> None:
    stand_in.hf_gives_object = gives_object
    answers = provider.answer(["space", "weather", "space"], NEWS)
    assert answers.scores.argmax(axis=1).tolist() == [1, 2, 1]
    assert answers.scores[0].tolist() == pytest.approx([1 / 11, 9 / 11, 1 / 11])
    assert answers.sources == [ConfidenceSource.PROBABILITIES] * 3
    assert answers.usage.requests == len(stand_in.questions) == 2


def test_more_than_ten_categories_are_judged_each_by_itself(provider: Provider, stand_in: StandIn) -> None:
    answers = provider.answer(["topic 17"], MANY)
    sizes = [len(one.body["parameters"]["candidate_labels"]) for one in stand_in.questions]
    assert sizes == [10, 10, 5]
    assert all(one.body["parameters"]["multi_label"] for one in stand_in.questions)
    assert answers.scores.argmax() == 17
    assert answers.scores[0, 17] == pytest.approx(0.9 / (0.9 + 24 * 0.1))
    assert answers.usage.requests == 3


def test_a_model_that_loads_is_waited_for(stand_in: StandIn) -> None:
    loading = '{"error": "Model team/model is currently loading", "estimated_time": 42.0}'
    stand_in.script.append(Step(503, {}, loading))
    provider = HFInference(f"{stand_in.url}/models", "team/model")
    clock = hurried(provider)
    assert provider.predict(["space"], NEWS).argmax() == 1
    assert sum(clock.slept) >= 42


@pytest.mark.parametrize(
    "body", ["{}", "[]", '[{"label": "Sports", "score": 1}]', '{"labels": ["Sports"], "scores": [NaN]}', '["Sports"]']
)
def test_an_answer_without_the_labels_is_asked_for_again(stand_in: StandIn, body: str) -> None:
    stand_in.script.append(Step(body=body))
    provider = HFInference(f"{stand_in.url}/models", "team/model")
    hurried(provider)
    assert provider.predict(["space"], NEWS).argmax() == 1
    assert len(stand_in.questions) == 2


def test_scores_that_are_all_zero_are_even(stand_in: StandIn, provider: Provider) -> None:
    stand_in.script.append(Step(body='{"labels": ["Sports", "Space", "Weather"], "scores": [0, 0, 0]}'))
    assert provider.predict(["space"], NEWS)[0].tolist() == pytest.approx([1 / 3] * 3)


def test_a_text_that_is_refused_fails_alone(stand_in: StandIn) -> None:
    stand_in.script.append(fails(400, "too long"))
    provider = HFInference(f"{stand_in.url}/models", "team/model", concurrency=1)
    answers = provider.answer(["one", "space"], NEWS)
    assert [error is not None for error in answers.errors] == [True, False]
    assert answers.scores[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("hypothesis", ["no place", "{} and {}", "{category}", "{} {x}", "{{}}"])
def test_a_hypothesis_has_one_place_for_the_category(provider: Provider, stand_in: StandIn, hypothesis: str) -> None:
    with pytest.raises(ProviderError, match="hypothesis") as refusal:
        provider.answer(["a"], NEWS, prompt=Prompt(hypothesis=hypothesis))
    assert refusal.value.permanent
    assert stand_in.requests == []


def test_the_model_is_read_from_the_address() -> None:
    assert HFInference("https://host/hf-inference/models/team/model").model_name == "team/model"


def test_without_any_model_it_is_refused() -> None:
    with pytest.raises(ProviderError, match="FREE_API_MODEL"):
        HFInference("https://host/models")


@pytest.mark.parametrize("change", [{"url": "http://b/models"}, {"model": "other"}, {"hypothesis": "{}!"}])
def test_what_decides_answers_is_in_the_fingerprint(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"url": "http://a/models", "model": "m", "key": "one"}
    assert HFInference(**usual).fingerprint == HFInference(**usual | {"key": "two"}).fingerprint
    assert HFInference(**usual).fingerprint != HFInference(**usual | change).fingerprint
