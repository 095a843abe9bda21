import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from httpx2 import ConnectError, ReadError, Request, Response, UnsupportedProtocol
from huggingface_hub.errors import BadRequestError, DisabledRepoError, HfHubHTTPError, LocalEntryNotFoundError

from labeling.providers import weights
from labeling.providers.base import ProviderError, ServerDown
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


def cached(hub: Path, revisions: dict[str, str]) -> None:
    """Lay a model of the hub into its cache: commits of which `main` is the first."""
    repository = hub / "models--people--model"
    for number, (commit, word) in enumerate(revisions.items()):
        folder = repository / "snapshots" / commit
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"architectures": ["BertModel"], "note": word}))
        (folder / "model.safetensors").write_bytes(b"")
        if number == 0:
            (repository / "refs").mkdir()
            (repository / "refs" / "main").write_text(commit)


def test_a_pinned_revision_is_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(tmp_path, {"a" * 40: "new", "b" * 40: "old"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folders = [
        weights.model_folder("people/model", local_files_only=True, revision=revision) for revision in (None, "b" * 40)
    ]
    assert [json.loads((folder / "config.json").read_text())["note"] for folder in folders] == ["new", "old"]


def test_an_absent_revision_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(tmp_path, {"a" * 40: "new"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ProviderError, match="in revision 'v2'") as caught:
        weights.model_folder("people/model", local_files_only=True, revision="v2")
    assert caught.value.permanent


def test_the_hub_is_not_asked_where_it_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(tmp_path, {"a" * 40: "new"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert weights.model_folder("people/model", local_files_only=False).name == "a" * 40


def test_a_model_that_is_absent_where_the_hub_is_switched_off_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ProviderError, match="not on this machine") as caught:
        weights.model_folder("people/model", local_files_only=False)
    assert caught.value.permanent


def refused(status: int, kind: type[HfHubHTTPError] = HfHubHTTPError) -> HfHubHTTPError:
    request = Request("GET", "https://hub/model?Signature=secret")
    return kind(f"{status} for url {request.url}.", response=Response(status, request=request))


def looked_for(cause: Exception) -> LocalEntryNotFoundError:
    """As the library says that it found a model neither on the hub nor here."""
    error = LocalEntryNotFoundError("An error happened.")
    error.__cause__ = cause
    return error


def not_fetched(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> ProviderError:
    monkeypatch.setattr("huggingface_hub.snapshot_download", Mock(side_effect=trouble))
    with pytest.raises(ProviderError, match="could not be fetched") as caught:
        weights.model_folder("people/model", local_files_only=False)
    return caught.value


@pytest.mark.parametrize(
    "trouble",
    [
        LocalEntryNotFoundError("No connection."),
        looked_for(ConnectError("Nobody there.")),
        looked_for(refused(503)),
        ConnectionResetError(),
        TimeoutError(),
        ReadError("It broke off."),
        refused(429),
        refused(500),
    ],
)
def test_a_hub_that_does_not_answer_is_worth_waiting_for(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    error = not_fetched(trouble, monkeypatch)
    assert isinstance(error, ServerDown)
    assert type(trouble.__cause__ or trouble).__name__ in str(error)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (OSError(30, "Read-only file system"), "Read-only file system"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (refused(403, DisabledRepoError), "DisabledRepoError: 403"),
        (refused(400, BadRequestError), "BadRequestError: 400"),
        (looked_for(refused(403)), "HfHubHTTPError: 403"),
        (UnsupportedProtocol("HF_ENDPOINT has no scheme"), "HF_ENDPOINT has no scheme"),
    ],
)
def test_what_waiting_does_not_mend_is_said_at_once(
    trouble: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = not_fetched(trouble, monkeypatch)
    assert error.permanent
    assert reason in str(error)
    assert "HUGGINGFACE_MODEL" in str(error)


def test_a_signed_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in str(not_fetched(refused(403), monkeypatch))


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", "folder"])
def test_a_revision_of_a_folder_is_refused(model: str, tmp_path: Path) -> None:
    name = model if model != "folder" else str(tmp_path)
    with pytest.raises(ProviderError, match="Remove the revision") as caught:
        weights.model_folder(name, local_files_only=True, revision="main")
    assert caught.value.permanent


def test_a_gguf_file_is_found_by_its_path_or_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    assert weights.gguf_file(str(file)) == weights.gguf_file(str(tmp_path)) == file
    assert weights.identity(file) == weights.sha256(file)


def test_safetensors_are_preferred_to_a_gguf_file(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert weights.gguf_file(str(tmp_path)) is None


def test_one_of_several_gguf_files_must_be_named(tmp_path: Path) -> None:
    for name in ("small", "large"):
        (tmp_path / f"{name}.gguf").write_bytes(b"GGUF")
    with pytest.raises(ProviderError, match=r"holds 2 \.gguf files\. Set LOCAL_MODEL_NAME") as caught:
        weights.gguf_file(str(tmp_path))
    assert caught.value.permanent


def test_an_absent_gguf_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"or of a \.gguf file") as caught:
        weights.gguf_file(str(tmp_path / "model.gguf"))
    assert caught.value.permanent
