import json
from pathlib import Path

import pytest

from labeling.providers import weights
from labeling.providers.base import ProviderError
from labeling.providers.encoder import Encoder


def refusal(model: str | Path) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        Encoder(str(model))
    return caught.value


def test_both_names_of_the_bundled_model_are_one_folder() -> None:
    short, full = (weights.model_folder(name, local_files_only=True) for name in weights.BUNDLED_NAMES)
    assert short == full


def test_changed_weights_of_the_bundled_model_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "BUNDLED_SHA256", "0" * 64)
    error = refusal("all-MiniLM-L6-v2")
    assert error.permanent
    assert "Reinstall" in str(error)


@pytest.mark.parametrize("model", ["/no/such/folder", "no-such-model", "two/many/parts"])
def test_an_absent_model_is_refused_with_the_next_step(model: str) -> None:
    error = refusal(model)
    assert error.permanent
    assert "LOCAL_MODEL_NAME" in str(error)


def test_a_model_without_a_name_is_not_the_current_folder() -> None:
    assert "No model is named" in str(refusal(""))


def test_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert error.permanent
    assert "config.json" in str(error)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    error = refusal(tmp_path)
    assert error.permanent
    assert "safetensors" in str(error)


@pytest.mark.parametrize("config", [{"is_encoder_decoder": True}, {"architectures": ["GPT2LMHeadModel"]}])
def test_a_model_that_is_no_encoder_is_refused(tmp_path: Path, config: dict[str, object]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    error = refusal(tmp_path)
    assert error.permanent
    assert "not an encoder" in str(error)
