"""The general loader and the reference: any transformers encoder, on the GPU or on the CPU."""

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
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
        from transformers import AutoModel

        self.device = device
        self.token_budget = CPU_BUDGET if device == "cpu" else GPU_BUDGET
        self.precision = precision_on(device)
        # A vector is pooled from the tokens, never by the model's own pooler.
        self.module = load(AutoModel, folder, device=device, attention=attention, may_miss="pooler")
        self._lock = threading.Lock()

    def hidden(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return the token vectors (n, length, dim) of padded ids and mask (n, length)."""
        import torch

        with self._lock, threads_within_quota(self.device), torch.inference_mode():
            states = self.module(
                input_ids=torch.from_numpy(ids).to(self.device), attention_mask=torch.from_numpy(mask).to(self.device)
            ).last_hidden_state
            result: FloatArray = states.float().cpu().numpy()
            return result


def has_gpu() -> bool:
    """True when torch sees a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


def precision_on(device: str, *, half_on_cpu: bool = False) -> str:
    """The name of torch's type that models compute in: a half on the GPU, 32 bits on the CPU.

    With `half_on_cpu` a half on processors that multiply such numbers by themselves: there products take a quarter
    of the time and weights half of the memory, elsewhere it is slower.
    """
    if device == "cpu":
        return "bfloat16" if half_on_cpu and _multiplies_halves() else "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"


def _multiplies_halves() -> bool:
    import torch

    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


@contextmanager
def threads_within_quota(device: str) -> Iterator[None]:
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


def load(
    loader: Any,
    folder: Path,
    *,
    device: str,
    precision: str | None = None,
    attention: str = "sdpa",
    may_miss: str | None = None,
) -> Any:
    """Return a module of transformers, ready to answer, read by one of its Auto classes from a folder or a GGUF file.

    Raises ProviderError (permanent) when it cannot be read or weights are missing from its files; `may_miss` is a part
    of the names of those that are not used.
    """
    import torch
    from safetensors import SafetensorError

    try:
        module, report = _from_pretrained(loader, folder, getattr(torch, precision or precision_on(device)), attention)
    # struct.error is what a GGUF file that ends too early gives.
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError, struct.error) as error:
        raise _unreadable(folder, error) from error
    # Weights that are not in the file start at random: the answers would look right and mean nothing.
    missing = [
        key
        for key in sorted(report["missing_keys"])
        if not key.endswith("position_ids") and not (may_miss and may_miss in key)
    ]
    if missing:
        raise _unreadable(folder, f"{len(missing)} weights are missing from its files, such as {missing[0]}")
    return module.eval().to(device)


def _from_pretrained(loader: Any, folder: Path, dtype: Any, attention: str) -> tuple[Any, dict[str, Any]]:
    is_gguf = folder.suffix == ".gguf"
    source: dict[str, Any] = {"gguf_file": folder.name} if is_gguf else {"use_safetensors": True}
    read = partial(
        loader.from_pretrained,
        str(folder.parent if is_gguf else folder),
        dtype=dtype,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
        **source,
    )
    found: tuple[Any, dict[str, Any]]
    try:
        found = read(attn_implementation=attention)
    except ValueError as error:
        if "attention" not in str(error) and "attn" not in str(error):
            raise
        found = read()  # older architectures have one way only
    return found


def _unreadable(folder: Path, reason: object) -> ProviderError:
    return ProviderError(
        f"The model in {folder.name!r} cannot be loaded: {reason}. Set LOCAL_MODEL_NAME to another model.",
        permanent=True,
    )
