"""The general loader and the reference: any transformers encoder, on the GPU or on the CPU."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import FloatArray, ProviderError
from labeling.providers.cpus import available_cpus

CPU_BUDGET = 1024
GPU_BUDGET = 32_768


class TorchModel:
    """An encoder in torch: float32 on the CPU, half precision on the GPU. One pass at a time."""

    workers = 1  # torch splits each pass by itself

    def __init__(self, folder: Path, *, device: str = "cpu", attention: str = "sdpa") -> None:
        import torch

        self.device = device
        self.token_budget = CPU_BUDGET if device == "cpu" else GPU_BUDGET
        self.precision = "float32"
        if device != "cpu":
            self.precision = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        self.module = _load(folder, getattr(torch, self.precision), attention).to(device)
        self._lock = threading.Lock()

    def hidden(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return the token vectors (n, length, dim) of padded ids and mask (n, length)."""
        import torch

        with self._lock, _threads_within_quota(self.device), torch.inference_mode():
            states = self.module(
                input_ids=torch.from_numpy(ids).to(self.device), attention_mask=torch.from_numpy(mask).to(self.device)
            ).last_hidden_state
            result: FloatArray = states.float().cpu().numpy()
            return result


def has_gpu() -> bool:
    """True when torch sees a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


@contextmanager
def _threads_within_quota(device: str) -> Iterator[None]:
    """torch counts the host's processors; in a container with fewer its threads would wait for each other.

    The number of threads belongs to the whole process, so it is put back for others who use torch.
    """
    import torch

    before = torch.get_num_threads()
    if device != "cpu" or before <= available_cpus():
        yield
        return
    torch.set_num_threads(available_cpus())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _load(folder: Path, dtype: Any, attention: str) -> Any:
    from transformers import AutoModel

    options: dict[str, Any] = {"attn_implementation": attention}
    try:
        module, report = _from_pretrained(AutoModel, folder, dtype, options)
    except ValueError as error:
        if "attention" not in str(error) and "attn" not in str(error):
            raise _unreadable(folder, error) from error
        module, report = _from_pretrained(AutoModel, folder, dtype, {})  # older architectures have one way only
    # Weights that are not in the file start at random: the vectors would look right and mean nothing.
    missing = [key for key in report["missing_keys"] if "pooler" not in key and not key.endswith("position_ids")]
    if missing:
        raise _unreadable(folder, f"{len(missing)} weights are missing from its files, such as {missing[0]}")
    return module.eval()


def _from_pretrained(loader: Any, folder: Path, dtype: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    try:
        found: tuple[Any, dict[str, Any]] = loader.from_pretrained(
            str(folder),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    except (OSError, KeyError) as error:
        raise _unreadable(folder, error) from error
    return found


def _unreadable(folder: Path, reason: object) -> ProviderError:
    return ProviderError(
        f"The model in {folder.name!r} cannot be loaded: {reason}. Set LOCAL_MODEL_NAME to another encoder.",
        permanent=True,
    )
