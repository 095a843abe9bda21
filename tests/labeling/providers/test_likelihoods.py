from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labeling.providers import likelihoods
from labeling.providers.likelihoods import Reading, exclusive

from . import tiny_models

PROMPT = [40, 41, 42, 43, 44, 45, 46, 47, 48, 49] * 4  # longer than the sliding window
CONTINUATIONS = [[50], [50, 51], [50, 51, 52, 53], [60, 61], [60]]


@pytest.fixture(params=["Llama", "GPT2", "Gemma3"])
def module(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.inference_mode():
        yield AutoModelForCausalLM.from_pretrained(tiny_models.causal(tmp_path, request.param)).eval()


def one_pass_each(module: Any, prompt: list[int], continuations: list[list[int]]) -> list[float]:
    """No cache, no batch: the whole sequence, read once for each continuation."""
    import torch

    found = []
    for tokens in continuations:
        logits = module(input_ids=torch.tensor([[*prompt, *tokens]]), use_cache=False).logits[0].log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(tokens) - 1)
        found.append(sum(float(logits[place, token]) for place, token in zip(places, tokens, strict=True)))
    return found


def test_likelihoods_are_those_of_whole_passes(module: Any) -> None:
    reading = Reading(module, PROMPT[:7]).read(PROMPT[7:30]).read(PROMPT[30:])
    expected = one_pass_each(module, PROMPT, CONTINUATIONS)
    np.testing.assert_allclose(reading.log_likelihoods(CONTINUATIONS), expected, atol=1e-4)


def test_a_tree_of_continuations_is_judged_as_rows_are(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(module, PROMPT)
    by_default = reading.log_likelihoods(CONTINUATIONS)
    monkeypatch.setattr(likelihoods, "NODES_AT_ONCE", 0)
    np.testing.assert_allclose(by_default, reading.log_likelihoods(CONTINUATIONS), atol=1e-4)
    assert reading._takes_a_mask() == (module.config.model_type != "gemma3_text")  # which has a sliding window


def test_a_prefix_is_not_changed_by_what_is_read_after_it(module: Any) -> None:
    prefix = Reading(module, PROMPT)
    before = prefix.log_likelihoods(CONTINUATIONS)
    prefix.read([70, 71, 72]).log_likelihoods(CONTINUATIONS)
    prefix.greedy(5, stop=frozenset())
    np.testing.assert_array_equal(prefix.log_likelihoods(CONTINUATIONS), before)
    expected = one_pass_each(module, [*PROMPT, 80], CONTINUATIONS)
    np.testing.assert_allclose(prefix.read([80]).log_likelihoods(CONTINUATIONS), expected, atol=1e-4)


def test_one_continuation_at_a_time_gives_the_same(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Reading(module, PROMPT).log_likelihoods(CONTINUATIONS)
    monkeypatch.setattr(likelihoods, "BYTES_AT_ONCE", 1)
    np.testing.assert_allclose(Reading(module, PROMPT).log_likelihoods(CONTINUATIONS), together, atol=1e-5)


def test_the_probabilities_of_all_second_tokens_sum_to_that_of_the_first(module: Any) -> None:
    vocabulary = module.config.vocab_size
    logs = Reading(module, PROMPT).log_likelihoods([[50], *([50, second] for second in range(vocabulary))])
    np.testing.assert_allclose(np.exp(logs[1:]).sum(), np.exp(logs[0]), rtol=1e-3)


def test_greedy_tokens_are_those_of_generate(module: Any) -> None:
    import torch

    ids = torch.tensor([PROMPT])
    options = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    expected = module.generate(ids, attention_mask=torch.ones_like(ids), **options)[0, len(PROMPT) :].tolist()
    assert Reading(module, PROMPT).greedy(6, stop=frozenset()) == expected
    assert Reading(module, PROMPT).greedy(6, stop=frozenset([expected[0]])) == []


def test_what_a_name_shares_with_longer_ones_counts_once() -> None:
    names = [[1], [1, 2], [1, 2, 3], [1, 4], [5]]
    logs = np.log([0.5, 0.3, 0.1, 0.05, 0.2])
    np.testing.assert_allclose(np.exp(exclusive(names, logs)), [0.15, 0.2, 0.1, 0.05, 0.2], atol=1e-9)


def test_a_name_of_which_only_longer_ones_are_likely_is_unlikely_but_possible() -> None:
    found = exclusive([[1], [1, 2]], np.log([0.5, 0.5]))
    assert np.isfinite(found).all()
    assert found[0] < found[1] - 10


def test_equal_names_share_nothing_away() -> None:
    np.testing.assert_allclose(exclusive([[1], [1]], np.log([0.5, 0.5])), np.log([0.5, 0.5]))
