from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labeling.providers.base import CategorySpec, Prompt, Provider, ProviderError
from labeling.providers.nli import Nli, entailment_label
from tests.fakes import KeywordEncoder

from .contract import COLOURS, ProviderContract

TEXTS = ["red roses", "", "Stocks fell on Wednesday [SEP] after the committee said so.", "the sky is blue " * 40]
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
HUES = ["red", "green", "blue", "black", "white", "grey"]
MANY = [CategorySpec(f"number {word}") for word in NUMBERS] + [CategorySpec(f"colour {word}") for word in HUES]


@pytest.fixture
def provider(nli_model: Path) -> Provider:
    return Nli(str(nli_model))


class TestNli(ProviderContract):
    pass


def one_pair_at_a_time(folder: Path, texts: list[str], hypotheses: list[str]) -> NDArray[np.float32]:
    """Zero-shot classification by entailment with nothing of ours."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    options = {"truncation": "only_first", "max_length": 64, "split_special_tokens": True, "return_tensors": "pt"}
    rows = []
    for text in texts:
        with torch.inference_mode():
            logits = [model(**tokenizer(text, hypothesis, **options)).logits[0, 2] for hypothesis in hypotheses]
        rows.append(torch.stack(logits).softmax(0).numpy())
    return np.array(rows)


def test_probabilities_are_those_of_one_pair_at_a_time(nli_model: Path) -> None:
    ours = Nli(str(nli_model)).predict(TEXTS, COLOURS)
    expected = one_pair_at_a_time(nli_model, TEXTS, [f"This text is about {one.name}." for one in COLOURS])
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01  # the model has opinions


def test_the_projects_hypothesis_is_used(nli_model: Path) -> None:
    ours = Nli(str(nli_model)).answer(TEXTS, COLOURS, prompt=Prompt(hypothesis="The colour of grass is {}")).scores
    expected = one_pair_at_a_time(nli_model, TEXTS, [f"The colour of grass is {one.name}" for one in COLOURS])
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_a_hypothesis_without_a_place_for_the_category_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match=r"Put \{\} in its place") as refusal:
        provider.answer(["roses"], COLOURS, prompt=Prompt(hypothesis="It is red."))
    assert refusal.value.permanent


def test_a_hypothesis_that_leaves_no_room_for_the_text_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match="Shorten the category's name") as refusal:
        provider.predict(["roses"], [CategorySpec("red and green " * 40)])
    assert refusal.value.permanent


def test_of_many_categories_the_ten_nearest_are_asked_about(nli_model: Path) -> None:
    encoder = KeywordEncoder()
    provider = Nli(str(nli_model), encoder=encoder)
    scores = provider.predict(["what colour is it", "what number is it"], MANY)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)
    assert (scores > 0).sum(axis=1).tolist() == [10, 10]
    assert (scores[0, 10:] > 0).all()
    assert (scores[1, :10] > 0).all()


def test_of_those_kept_the_shares_are_the_models(nli_model: Path) -> None:
    plain, narrowed = Nli(str(nli_model)), Nli(str(nli_model), encoder=KeywordEncoder())
    all_of_them, kept = (one.predict(["what number is it"], MANY)[0] for one in (plain, narrowed))
    np.testing.assert_allclose(kept[:10], all_of_them[:10] / all_of_them[:10].sum(), atol=1e-4)


def test_fifteen_categories_are_all_asked_about(nli_model: Path) -> None:
    assert (Nli(str(nli_model), encoder=KeywordEncoder()).predict(["what colour is it"], MANY[:15]) > 0).all()


def test_preselection_is_stated_and_has_its_own_fingerprint(nli_model: Path) -> None:
    plain, narrowed = Nli(str(nli_model)), Nli(str(nli_model), encoder=KeywordEncoder())
    assert narrowed.preselects
    assert not plain.preselects
    assert narrowed.model_name == f"{plain.model_name} + keyword"
    assert narrowed.fingerprint != plain.fingerprint


def test_preselection_can_be_turned_off(nli_model: Path) -> None:
    provider = Nli(str(nli_model), encoder=KeywordEncoder(), preselect=False)
    assert not provider.preselects
    assert (provider.predict(["what colour is it"], MANY) > 0).all()


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], 2),
        (["entailment", "not_entailment"], 0),
        (["not_entailment", "entailment"], 1),
        (["non-entailment", "is_entailment"], 1),
        (["LABEL_0", "LABEL_1"], None),
    ],
)
def test_the_label_of_entailment_is_found(labels: list[str], index: int | None) -> None:
    assert entailment_label({"id2label": {str(place): label for place, label in enumerate(labels)}}) == index


def test_a_model_without_a_label_for_entailment_is_refused(classifier_model: Path) -> None:
    with pytest.raises(ProviderError, match="no label for entailment") as refusal:
        Nli(str(classifier_model))
    assert refusal.value.permanent
