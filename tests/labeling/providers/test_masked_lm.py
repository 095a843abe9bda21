from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labeling.providers.base import CategorySpec, ConfidenceSource, Prompt, Provider, ProviderError
from labeling.providers.masked_lm import LOGIT_BYTES, MaskedLM

from . import tiny_models
from .contract import COLOURS, ProviderContract

TEXTS = ["red roses", "", "Stocks fell on Wednesday [MASK] after the committee said so."]
NAMES = ["sports", "world_news", "red meadows", "red refund"]
CATEGORIES = [CategorySpec(name) for name in NAMES]


@pytest.fixture
def provider(masked_model: Path) -> Provider:
    return MaskedLM(str(masked_model))


class TestMaskedLM(ProviderContract):
    pass


class Reference:
    """Cloze scores with nothing of ours: whole strings, one pass of the model for each token of each name."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        self.model = AutoModelForMaskedLM.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def log_likelihood(self, before: str, name: str, after: str) -> float:
        import torch

        mask = self.tokenizer.mask_token_id
        ids = self.tokenizer(f"{before}{self.tokenizer.mask_token}{after}").input_ids
        place = len(ids) - 1 - ids[::-1].index(mask)
        tokens = self.tokenizer(before[-1:] + name, add_special_tokens=False).input_ids
        total = 0.0
        for index, token in enumerate(tokens):
            row = [*ids[:place], *tokens[:index], *[mask] * (len(tokens) - index), *ids[place + 1 :]]
            with torch.inference_mode():
                logits = self.model(input_ids=torch.tensor([row])).logits[0, place + index]
            total += float(logits.log_softmax(0)[token])
        return total

    def scores(self, texts: list[str], before: str = "", after: str = " This is about ", end: str = ".") -> Any:
        def logs(text: str) -> list[float]:
            return [self.log_likelihood(before + text + after, name.replace("_", " "), end) for name in NAMES]

        free = np.array([logs(text) for text in ("N/A", "", self.tokenizer.mask_token)])
        prior = (np.exp(free) / np.exp(free).sum(axis=1, keepdims=True)).mean(axis=0)
        divided = np.exp([logs(text) for text in texts]) / prior
        return divided / divided.sum(axis=1, keepdims=True)


def test_scores_are_those_of_one_pass_for_each_token(masked_model: Path) -> None:
    texts = TEXTS[:2]  # a whole string cannot hold a mask's name as plain words
    expected = Reference(masked_model).scores(texts)
    np.testing.assert_allclose(MaskedLM(str(masked_model)).predict(texts, CATEGORIES), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01  # the model has opinions


def test_a_vocabulary_whose_words_begin_with_a_space_is_scored_the_same_way(tmp_path: Path) -> None:
    folder = tiny_models.roberta(tmp_path)
    texts = ["red roses", "Stocks fell"]
    expected = Reference(folder).scores(texts)
    np.testing.assert_allclose(MaskedLM(str(folder)).predict(texts, CATEGORIES), expected, atol=1e-4)


def test_names_are_tokens_as_within_a_sentence(tmp_path: Path) -> None:
    provider = MaskedLM(str(tiny_models.roberta(tmp_path)))
    names = provider._cloze([CategorySpec("red"), CategorySpec("green")], "{text} This is about {mask}.").names
    assert [provider._head.tokenizer.decode(name) for name in names] == [" red", " green"]


def test_a_text_may_name_the_mask(provider: Provider) -> None:
    scores = provider.predict(TEXTS, CATEGORIES)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)


def test_the_projects_template_is_used(masked_model: Path) -> None:
    prompt = Prompt(template="the sky: {text} is named {mask}!")
    ours = MaskedLM(str(masked_model)).answer(TEXTS[:2], CATEGORIES, prompt=prompt).scores
    expected = Reference(masked_model).scores(TEXTS[:2], before="the sky: ", after=" is named ", end="!")
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_the_gap_may_come_before_the_text(masked_model: Path) -> None:
    provider = MaskedLM(str(masked_model))
    first = provider.answer(TEXTS[:1], CATEGORIES, prompt=Prompt(template="{mask}: {text}")).scores
    cloze = provider._cloze([CategorySpec("red")], "{mask}: {text}")
    row, place = cloze.row(provider._head.plain("red roses"), next(iter(cloze.gaps)))
    assert provider._head.tokenizer.decode(row) == "[CLS] [MASK] : red roses [SEP]"
    assert place == 1
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-4)


def test_the_template_of_models_that_follow_instructions_is_not_meant(masked_model: Path) -> None:
    provider = MaskedLM(str(masked_model))
    told = provider.answer(TEXTS, CATEGORIES, prompt=Prompt(template="Classify: {text}")).scores
    np.testing.assert_array_equal(told, provider.predict(TEXTS, CATEGORIES))


def test_a_template_without_a_place_for_the_text_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match=r"must hold \{text\} once") as refusal:
        provider.answer(TEXTS, CATEGORIES, prompt=Prompt(template="It is {mask}."))
    assert refusal.value.permanent


def test_a_template_that_fills_the_model_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match="Shorten them") as refusal:
        provider.answer(TEXTS, CATEGORIES, prompt=Prompt(template="the sky " * 40 + "{text} {mask}"))
    assert refusal.value.permanent


def test_a_long_text_is_cut_so_that_the_template_stays(masked_model: Path) -> None:
    provider = MaskedLM(str(masked_model))
    cloze = provider._cloze(CATEGORIES, "{text} This is about {mask}.")
    longest = max(cloze.gaps, key=lambda gap: (gap.size, -len(gap.filled)))
    row, _ = cloze.row(provider._head.plain("grass and sky " * 100, provider._room(cloze)), longest)
    assert len(row) == 64
    masks = " ".join(["[MASK]"] * longest.size)
    assert provider._head.tokenizer.decode(row).endswith(f"this is about {masks}. [SEP]")


def test_a_text_without_content_favours_no_category(masked_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.providers.masked_lm.CONTENT_FREE", ("N/A",))
    scores = MaskedLM(str(masked_model)).predict(["N/A", "red roses"], CATEGORIES)
    np.testing.assert_allclose(scores[0], 1 / len(CATEGORIES), atol=1e-4)
    assert np.ptp(scores[1]) > 0.01


def test_small_batches_change_nothing(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = provider.predict(TEXTS, CATEGORIES)
    monkeypatch.setattr("labeling.providers.masked_lm.ROWS_AT_ONCE", 1)
    monkeypatch.setattr("labeling.providers.masked_lm.LOGIT_BYTES", LOGIT_BYTES // 10_000)
    np.testing.assert_allclose(provider.predict(TEXTS, CATEGORIES), expected, atol=1e-5)


def test_it_says_that_its_scores_are_likelihoods(provider: Provider) -> None:
    assert provider.answer(["roses"], COLOURS).sources == [ConfidenceSource.LIKELIHOOD]


def test_a_model_that_fills_no_gaps_is_refused(causal_model: Path) -> None:
    with pytest.raises(ProviderError, match="is a LlamaForCausalLM") as refusal:
        MaskedLM(str(causal_model))
    assert refusal.value.permanent
