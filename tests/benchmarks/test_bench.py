"""A benchmark's figures are stored with how they came about; one that gives none is named, and takes nothing away."""

from pathlib import Path

import pytest

from benchmarks import bench, stored
from benchmarks.catalogue import POSTGRESQL, Benchmark

SURFACE = Benchmark("surface", "The API", "surface")


def prints(monkeypatch: pytest.MonkeyPatch, *lines: str, status: int = 0) -> None:
    monkeypatch.setattr(bench, "printed", lambda arguments, environment: (list(lines), status))


def test_the_figures_are_the_last_object_that_was_printed() -> None:
    assert bench.last_object(["{'a': 1}", '{"a": 1}', '{"a": 2}', "a warning", "{no json"]) == {"a": 2}
    assert bench.last_object(["nothing"]) is None


def test_figures_are_stored_with_their_command_and_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, "label: 12", '{"label": 12}')
    assert bench.run(SURFACE, tmp_path, tmp_path)
    record = stored.read("surface", tmp_path)
    assert record is not None
    assert (record["command"], record["figures"]) == ("python benchmarks/surface.py", {"label": 12})
    assert record["machine"]["cores"] > 0
    assert {"python", "torch", "onnxruntime", "transformers", "django", "sqlite"} == set(record["versions"])


def test_one_that_fails_is_named_and_its_earlier_figures_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, '{"label": 12}')
    bench.run(SURFACE, tmp_path, tmp_path)
    prints(monkeypatch, f"No such file: {tmp_path}/news", "", status=1)
    assert not bench.run(SURFACE, tmp_path, tmp_path)
    record = stored.read("surface", tmp_path)
    assert record is not None
    assert record["figures"] == {"label": 12}
    assert record["not_run"]["reason"] == "exit status 1: No such file: FOLDER/news"
    assert record["not_run"]["has_failed"]


def test_one_that_prints_no_figures_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, "done")
    assert not bench.run(SURFACE, tmp_path, tmp_path)


def test_one_that_cannot_run_here_is_left_out_and_did_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)
    assert bench.run(Benchmark("one", "One", "surface", needs=(POSTGRESQL,)), tmp_path, tmp_path)
    record = stored.read("one", tmp_path)
    assert record is not None
    assert "figures" not in record
    assert not record["not_run"]["has_failed"]


def test_figures_end_what_was_said_of_an_attempt_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, status=1)
    bench.run(SURFACE, tmp_path, tmp_path)
    prints(monkeypatch, '{"label": 12}')
    bench.run(SURFACE, tmp_path, tmp_path)
    assert "not_run" not in (stored.read("surface", tmp_path) or {})
