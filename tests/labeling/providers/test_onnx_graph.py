import importlib.util
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from labeling.providers import onnx_graph
from labeling.providers.encoder import Encoder
from labeling.providers.torch_model import TorchModel


@pytest.fixture
def tiny(random_model: Callable[..., Path]) -> str:
    return str(random_model())


def runs_in_torch(encoder: Encoder) -> bool:
    assert encoder.embed(["a text"]).shape == (1, 32)
    return isinstance(encoder._loaded(), TorchModel)


def test_the_graph_is_written_once_and_nothing_else_stays(tiny: str, tmp_path: Path) -> None:
    first = Encoder(tiny, cache_folder=tmp_path / "graphs").embed(["a text"])
    (graph,) = (tmp_path / "graphs").iterdir()
    written = graph.stat().st_mtime_ns
    np.testing.assert_array_equal(Encoder(tiny, cache_folder=tmp_path / "graphs").embed(["a text"]), first)
    assert graph.stat().st_mtime_ns == written


def test_torch_is_used_where_onnxruntime_is_absent(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without_onnxruntime(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "onnxruntime" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_onnxruntime)
    assert runs_in_torch(Encoder(tiny, cache_folder=tmp_path / "graphs"))


def test_torch_is_used_where_the_cache_cannot_be_written(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a folder cannot be made here")
    assert runs_in_torch(Encoder(tiny, cache_folder=tmp_path / "file" / "graphs"))


def test_a_graph_that_disagrees_with_torch_is_not_kept(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(onnx_graph.LEAST_COSINE, "float32", 1.1)
    assert runs_in_torch(Encoder(tiny, cache_folder=tmp_path / "graphs"))
    assert list((tmp_path / "graphs").iterdir()) == []
    assert "agrees with torch only" in caplog.text


def test_a_damaged_graph_gives_way_to_torch(tiny: str, tmp_path: Path) -> None:
    Encoder(tiny, cache_folder=tmp_path / "graphs").embed(["a text"])
    (graph,) = (tmp_path / "graphs").iterdir()
    graph.write_bytes(b"half a file")
    assert runs_in_torch(Encoder(tiny, cache_folder=tmp_path / "graphs"))
