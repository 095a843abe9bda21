import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from labeling.providers.base import ProviderError
from labeling.providers.causal_lm import CausalLM
from labeling.providers.masked_lm import MaskedLM
from labeling.providers.nli import Nli
from labeling.providers.sequence_classifier import SequenceClassifier

from . import tiny_models
from .contract import COLOURS

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ["red roses", "", "the sky is blue " * 40]


@pytest.fixture
def copied(nli_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(nli_model, tmp_path / "copied"))


def refusal(folder: Path) -> str:
    with pytest.raises(ProviderError) as caught:
        Nli(str(folder)).predict(["roses"], COLOURS)
    assert caught.value.permanent
    return str(caught.value)


def test_making_a_provider_loads_nothing() -> None:
    code = (
        "import sys, labeling.providers.local as local\n"
        "local.open_model(model='all-MiniLM-L6-v2', local_files_only=True)\n"
        "print([name for name in ('torch', 'transformers', 'tokenizers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("fixture", "made"),
    [
        ("nli_model", Nli),
        ("classifier_model", SequenceClassifier),
        ("masked_model", MaskedLM),
        ("causal_model", CausalLM),
    ],
)
def test_eight_threads_get_what_one_gets(fixture: str, made: type[MaskedLM], request: pytest.FixtureRequest) -> None:
    folder = str(request.getfixturevalue(fixture))
    expected, fresh = made(folder).predict(TEXTS, COLOURS), made(folder)
    with ThreadPoolExecutor(8) as threads:
        for scores in threads.map(lambda _: fresh.predict(TEXTS, COLOURS), range(8)):
            np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_head_without_weights_is_refused(nli_model: Path, masked_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(nli_model, tmp_path / "headless"))
    shutil.copy(masked_model / "model.safetensors", folder)
    assert "weights are missing" in refusal(folder)


def test_a_file_that_ends_too_early_is_refused(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "cannot be loaded" in refusal(copied)


def test_a_model_without_a_tokenizer_is_refused(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    (copied / "tokenizer_config.json").unlink()
    assert "has no tokenizer" in refusal(copied)


def test_code_in_a_model_is_not_run(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    ran = copied / "ran"
    (copied / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n")
    config["auto_map"] = {"AutoModelForSequenceClassification": "evil.Evil", "AutoConfig": "evil.Evil"}
    (copied / "config.json").write_text(json.dumps(config | {"model_type": "evil"}))
    refusal(copied)
    assert not ran.exists()


def test_the_fingerprint_is_that_of_the_files_wherever_they_are(nli_model: Path, copied: Path) -> None:
    assert Nli(str(nli_model)).fingerprint == Nli(str(copied)).fingerprint


def test_another_configuration_has_another_fingerprint(nli_model: Path, copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"note": "another"}))
    assert Nli(str(nli_model)).fingerprint != Nli(str(copied)).fingerprint


def test_another_way_of_asking_has_another_fingerprint(nli_model: Path) -> None:
    assert Nli(str(nli_model)).fingerprint != SequenceClassifier(str(nli_model)).fingerprint


def test_a_missing_gpu_is_stated_and_done_without(nli_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    scores = Nli(str(nli_model), use_gpu=True).predict(TEXTS, COLOURS)
    np.testing.assert_array_equal(scores, Nli(str(nli_model)).predict(TEXTS, COLOURS))
    assert "runs on the CPU" in caplog.text


def test_positions_that_begin_after_the_padding_shorten_the_limit(tmp_path: Path) -> None:
    provider = MaskedLM(str(tiny_models.roberta(tmp_path)))
    assert provider._head.max_length == 64
    assert np.isfinite(provider.predict(["the sky is blue " * 40], COLOURS)).all()


def test_half_a_surrogate_pair_is_answered(nli_model: Path, masked_model: Path, causal_model: Path) -> None:
    for made, folder in ((Nli, nli_model), (MaskedLM, masked_model), (CausalLM, causal_model)):
        assert np.isfinite(made(str(folder)).predict(["broken \ud83d text"], COLOURS)).all()
