import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labeling.providers.base import Provider
from labeling.providers.encoder import Encoder
from labeling.providers.torch_model import TorchModel
from labeling.providers.weights import model_folder

from .conftest import GRAPHS
from .contract import ProviderContract

ROOT = Path(__file__).resolve().parents[3]

TEXTS = [
    "Stocks fell.",
    "",
    "The card that I ordered last week has still not arrived, although the app says that it was delivered.",
    "🙂 مرحبا بالعالم",
    "Naïve café, 東京 — what a price!",
    "a long sentence about nothing in particular " * 60,
    "Stocks fell.",
]


@pytest.fixture
def provider(minilm: Encoder) -> Provider:
    return minilm


class TestEncoder(ProviderContract):
    pass


def plain_mean_pooling(texts: list[str]) -> NDArray[np.float32]:
    """What the model's card tells to do, with nothing of ours."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(model_folder("all-MiniLM-L6-v2", local_files_only=True))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=256, padding=False, return_tensors="pt")
        with torch.inference_mode():
            mean = model(**inputs).last_hidden_state[0].mean(dim=0)
        rows.append((mean / mean.norm()).numpy())
    return np.array(rows)


def test_rows_have_unit_length(minilm: Encoder) -> None:
    vectors = minilm.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(minilm: Encoder) -> None:
    found = minilm.encode([], with_states=True)
    assert found.vectors.shape == (0, 384)
    assert found.truncated.shape == (0,)
    assert found.states == []


def test_a_vector_is_the_same_alone_and_in_a_batch(minilm: Encoder) -> None:
    together = minilm.embed(TEXTS)
    alone = np.concatenate([minilm.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("name", ["minilm", "minilm_in_torch"])
def test_vectors_are_those_of_plain_mean_pooling(name: str, request: pytest.FixtureRequest) -> None:
    ours = request.getfixturevalue(name).embed(TEXTS)
    assert (ours * plain_mean_pooling(TEXTS)).sum(axis=1).min() >= 0.9999


def test_a_text_beyond_the_limit_is_stated_as_truncated(minilm: Encoder) -> None:
    assert minilm.encode(TEXTS).truncated.tolist() == [False, False, False, False, False, True, False]


@pytest.mark.parametrize("name", ["minilm", "minilm_in_torch"])
def test_contributions_sum_to_the_score(name: str, request: pytest.FixtureRequest) -> None:
    direction = np.where(np.arange(384) % 2, 0.03, -0.07).astype(np.float32)  # about unit length, as a head's
    found = request.getfixturevalue(name).encode(TEXTS, with_states=True)
    assert found.states is not None
    sums = [states.contributions(direction).weights.sum() for states in found.states]
    np.testing.assert_allclose(sums, found.vectors @ direction, atol=1e-4)


def test_states_are_kept_only_where_asked_for(minilm: Encoder) -> None:
    assert minilm.encode(TEXTS).states is None


def test_spans_point_at_the_words_of_the_text(minilm: Encoder) -> None:
    text = "🙂 Naïve 東京 refund"
    found = minilm.encode([text], with_states=True).states
    assert found is not None
    pieces = [text[start:end] for start, end in found[0].spans]
    assert pieces == ["", "🙂", "Naïve", "東", "京", "ref", "und", ""]
    assert found[0].spans.dtype == np.int32


def test_half_a_surrogate_pair_is_embedded(minilm: Encoder) -> None:
    assert np.isfinite(minilm.embed(["broken \ud83d text"])).all()


def test_eight_threads_get_what_one_gets(minilm: Encoder) -> None:
    expected = minilm.embed(TEXTS)
    fresh = Encoder(cache_folder=GRAPHS)
    with ThreadPoolExecutor(8) as threads:
        for vectors in threads.map(lambda _: fresh.embed(TEXTS), range(8)):
            np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_an_interrupt_passes_through(minilm: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(minilm._loaded(), "hidden", interrupted)
        minilm.encode(TEXTS * 20)
    assert minilm.embed(["still alive"]).shape == (1, 384)


def test_fast_mode_is_close_and_has_its_own_fingerprint(minilm: Encoder) -> None:
    fast = Encoder(mode="fast", cache_folder=GRAPHS)
    assert (fast.embed(TEXTS) * minilm.embed(TEXTS)).sum(axis=1).min() > 0.93
    assert fast.fingerprint != minilm.fingerprint


@pytest.mark.parametrize("pooling", ["cls_token", "max_tokens", "lasttoken"])
def test_a_model_with_another_pooling_is_pooled_its_own_way(
    pooling: str, random_model: Callable[..., Path], tmp_path: Path
) -> None:
    folder = random_model(pooling)
    encoder = Encoder(str(folder), cache_folder=tmp_path / "graphs")
    found = encoder.encode(["a short text", "x"], with_states=True)
    ids = encoder._tokenizer(["a short text"])[0].ids[None]
    hidden = TorchModel(folder).hidden(ids, np.ones_like(ids))[0]
    expected = {"cls_token": hidden[0], "max_tokens": hidden.max(axis=0), "lasttoken": hidden[-1]}[pooling]
    np.testing.assert_allclose(found.vectors[0], expected / np.linalg.norm(expected), atol=1e-4)
    assert not encoder.can_explain
    assert found.states is None


def test_a_model_without_sentence_settings_is_pooled_by_the_mean(random_model: Callable[..., Path]) -> None:
    encoder = Encoder(str(random_model(kind="DistilBert")))
    assert encoder.can_explain
    assert encoder.encode(["word " * 100]).truncated.tolist() == [True]


def test_importing_it_imports_no_model_library() -> None:
    code = "import sys, labeling.providers, labeling.providers.encoder; print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}'" in modules for name in ("torch", "transformers", "onnxruntime", "tokenizers"))


def test_a_later_start_does_not_import_torch(minilm: Encoder) -> None:
    minilm.embed(["the graph is there now"])
    code = (
        "import sys; from labeling.providers.encoder import Encoder\n"
        f"Encoder(cache_folder={str(GRAPHS)!r}).embed(['a', 'b'])\n"
        "print([name for name in ('torch', 'transformers', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
