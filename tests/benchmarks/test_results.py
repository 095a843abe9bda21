"""RESULTS.md is made of stored figures: nobody edits it, and no bar is missed without a reason."""

from typing import Any

import pytest

from benchmarks import bench, results, stored
from benchmarks.bars import Figure, at
from benchmarks.catalogue import BENCHMARKS, Benchmark

ONE = Benchmark("one", "One", "surface")
MACHINE = {"processor": "A processor", "instructions": "AVX2", "cores": 2, "memory_gib": 8}


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = [Figure("wait", at("ms"), "ms", most=25, why_missed="The machine is slow."), Figure("rate", at("rate"))]
    monkeypatch.setitem(results.FIGURES, "one", figures)


def record(*, cores: int = 2, **figures: float) -> Any:
    return {
        "command": "python benchmarks/surface.py",
        "date": "2026-11-28 12:00",
        "load_before": 0.5,
        "wall_seconds": 61.2,
        "machine": MACHINE | {"cores": cores},
        "versions": {"python": "3.11.2", "postgres": "15.1"},
        "figures": figures,
    }


def stored_records() -> results.Records:
    return {one.name: stored.read(one.name, stored.FOLDER) for one in BENCHMARKS}


def test_the_page_is_what_the_stored_figures_make_of_it() -> None:
    page = bench.RESULTS.read_text(encoding="utf-8")
    assert page == results.page(BENCHMARKS, stored_records()), "run: python benchmarks/bench.py --write"


def test_every_bar_that_is_missed_has_its_reason() -> None:
    assert results.missed_without_reason(BENCHMARKS, stored_records()) == []


def test_every_stored_file_is_of_a_benchmark_of_the_table() -> None:
    assert {path.stem for path in stored.FOLDER.glob("*.json")} <= {one.name for one in BENCHMARKS}


@pytest.mark.usefixtures("bar")
def test_a_figure_stands_beside_its_bar_with_command_and_date() -> None:
    page = results.page([ONE], {"one": record(ms=12.94, rate=35_600)})
    assert "| wait | 12.94 ms | at most 25 | yes |\n| rate | 35,600 |  |  |" in page
    assert "`python benchmarks/surface.py`: 2026-11-28 12:00 UTC, PostgreSQL 15.1,\n61.2 s in all, load 0.5" in page
    assert "Machine: A processor (AVX2), 2 cores, 8 GiB; python 3.11.2." in page
    assert "## Bars that are not reached\n\nNone." in page


@pytest.mark.usefixtures("bar")
def test_a_missed_bar_stands_at_the_end_with_its_reason() -> None:
    page = results.page([ONE], {"one": record(ms=30, rate=1)})
    assert "| wait | 30 ms | at most 25 | **no** |" in page
    assert "- One: wait, 30 ms, bar at most 25. The machine is slow." in page


def test_a_missed_bar_without_a_reason_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(results.FIGURES, "one", [Figure("wait", at("ms"), most=25)])
    assert results.missed_without_reason([ONE], {"one": record(ms=25)}) == []
    assert results.missed_without_reason([ONE], {"one": record(ms=26)}) == ["one: wait"]
    assert results.missed_without_reason([ONE], {"one": record(rate=1)}) == ["one: wait"]


@pytest.mark.usefixtures("bar")
def test_figures_of_several_machines_name_theirs() -> None:
    two = Benchmark("two", "Two", "surface")
    results.FIGURES["two"] = results.FIGURES["one"]
    try:
        page = results.page([ONE, two], {"one": record(ms=1, rate=1), "two": record(ms=1, rate=1, cores=8)})
    finally:
        del results.FIGURES["two"]
    assert "1. Machine: A processor (AVX2), 2 cores" in page
    assert "2. Machine: A processor (AVX2), 8 cores" in page
    assert "UTC, machine 2, PostgreSQL 15.1" in page


@pytest.mark.usefixtures("bar")
@pytest.mark.parametrize(
    ("has_failed", "words"),
    [(False, "left out 2026-11-29 10:00 UTC, no server"), (True, "failed 2026-11-29 10:00 UTC")],
)
def test_what_gave_no_figures_is_named_with_its_reason(has_failed: bool, words: str) -> None:
    attempt = {"reason": "no server", "has_failed": has_failed, "date": "2026-11-29 10:00"}
    page = results.page([ONE], {"one": {"command": ONE.command, "not_run": attempt}})  # type: ignore[dict-item]
    assert words in page
    assert "## One" not in page
    again = results.page([ONE], {"one": record(ms=1, rate=1) | {"not_run": attempt}})
    assert f"{words.split(',')[0]}" in again
    assert "the figures above are of an earlier time" in again


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (35_600, "35,600"),
        (124.3, "124"),
        (12.94, "12.94"),
        (0.84251, "0.8425"),
        (-0.00001, "0"),
        (2.0, "2"),
        (100, "100"),
    ],
)
def test_four_digits_are_shown(value: float, words: str) -> None:
    assert results.shown(value) == words
