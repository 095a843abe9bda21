"""The fast way on the CPU: the encoder as an ONNX graph, written once, proven against torch, then run without torch."""

import importlib.util
import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import FloatArray
from labeling.providers.cpus import available_cpus
from labeling.providers.pooling import normalized, pool
from labeling.providers.tokenizing import padded
from labeling.providers.torch_model import TorchModel

logger = logging.getLogger(__name__)

# Part of the file's name: raise it when the export changes, so that graphs written before are not used.
EXPORT_VERSION = 1
OPSET = 17
# Least cosine between a text's vector from the graph and from torch. The int8 bound only catches a broken graph:
# MiniLM measures 0.97 at worst over many texts.
LEAST_COSINE = {"float32": 0.9999, "int8": 0.93}


class GraphError(Exception):
    """No graph can be used here; the message says why. Torch gives the same answers, more slowly."""


class OnnxModel:
    """An encoder as a session of ONNX Runtime.

    The session has one thread and whole batches run beside each other in `workers` threads: measured 1.0 to 1.5 times
    the rate of one batch split over two threads, most where other processes want the processors too. A session
    without threads of its own also survives a fork.
    """

    # Larger batches were slower: 512 tokens keep the activations in the processor's cache.
    token_budget = 512

    def __init__(self, graph: Path, precision: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self.precision = precision
        self.workers = available_cpus()
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def hidden(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return the token vectors (n, length, dim) of padded ids and mask (n, length)."""
        found: FloatArray = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return found


def open_or_export(
    folder: Path, *, identity: str, precision: str, cache_folder: Path, samples: Sequence[NDArray[np.int64]]
) -> OnnxModel:
    """Return the model's graph from the cache; write it there first when it is not yet.

    `samples` are token ids of a few texts of different lengths, on which a new graph must agree with torch.
    Raises GraphError when packages are missing, the export fails or the graph disagrees.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise GraphError("onnxruntime is not installed")
    graph = cache_folder / f"{identity[:20]}-{precision}-v{EXPORT_VERSION}.onnx"
    try:
        return OnnxModel(graph, precision) if graph.exists() else _export(folder, graph, precision, samples)
    except GraphError:
        raise
    # The exporter and the runtime raise classes of their own, straight from Exception, for every model they cannot
    # take. Torch remains as the reference, and the caller logs the reason.
    except Exception as error:
        raise GraphError(f"{type(error).__name__}: {str(error)[:300]}") from error


def _export(folder: Path, graph: Path, precision: str, samples: Sequence[NDArray[np.int64]]) -> OnnxModel:
    """Write the graph beside its place, prove it, then move it there: two processes may do so at the same time."""
    if importlib.util.find_spec("onnx") is None:
        raise GraphError("onnx is not installed, so the graph cannot be written")
    started = time.monotonic()
    graph.parent.mkdir(parents=True, exist_ok=True)
    reference = TorchModel(folder, attention="eager")  # its graph is the simplest, and ONNX Runtime fuses it
    with tempfile.TemporaryDirectory(dir=graph.parent, prefix=".export-") as scratch:
        written = Path(scratch) / "float32.onnx"
        _write(reference.module, written, samples)
        if precision == "int8":
            written = _quantized(written)
        model = OnnxModel(written, precision)
        _prove(model, reference, samples)
        written.replace(graph)
    logger.info("Wrote the %s graph %s in %.1f s", precision, graph.name, time.monotonic() - started)
    return model


def _write(module: Any, target: Path, samples: Sequence[NDArray[np.int64]]) -> None:
    import inspect
    import warnings

    import torch

    takes_types = "token_type_ids" in inspect.signature(module.forward).parameters

    class TokenVectors(torch.nn.Module):
        """Ids and mask in, token vectors out: the only inputs and output that the graph should have."""

        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            extra = {"token_type_ids": torch.zeros_like(input_ids)} if takes_types else {}
            return self.module(input_ids=input_ids, attention_mask=attention_mask, **extra).last_hidden_state

    ids, mask = padded(samples[:2])
    names = ["input_ids", "attention_mask", "token_vectors"]
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            TokenVectors().eval(),
            (torch.from_numpy(ids), torch.from_numpy(mask)),
            str(target),
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names},
            opset_version=OPSET,
            dynamo=False,  # the newer exporter needs one more package, onnxscript
        )


def _quantized(graph: Path) -> Path:
    """Write the graph with 8-bit weights beside it and return its path.

    Seven bits are used (`reduce_range`), because AVX2 without VNNI overflows with eight; with VNNI they were neither
    slower nor less exact.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = graph.with_name("int8.onnx")
    quantize_dynamic(
        graph,
        target,
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul"],
        extra_options={"MatMulConstBOnly": True},
    )
    return target


def _prove(model: OnnxModel, reference: TorchModel, samples: Sequence[NDArray[np.int64]]) -> None:
    """Raise GraphError unless each sample, alone and padded beside the others, gets torch's vector."""
    worst = 1.0
    for rows in [list(samples), *([row] for row in samples)]:
        ids, mask = padded(rows)
        ours = normalized(pool(model.hidden(ids, mask), mask, "mean"))[0]
        theirs = normalized(pool(reference.hidden(ids, mask), mask, "mean"))[0]
        worst = min(worst, float((ours * theirs).sum(axis=1).min()))
    if not worst >= LEAST_COSINE[model.precision]:  # also when it is not a number
        raise GraphError(f"the {model.precision} graph agrees with torch only to a cosine of {worst:.4f}")
