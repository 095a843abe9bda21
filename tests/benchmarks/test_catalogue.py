"""Every benchmark is in the table, and a command line is what a user would type."""

from pathlib import Path

import pytest

from benchmarks import catalogue, results
from benchmarks.catalogue import BENCHMARKS, MODEL, POSTGRESQL, Benchmark

SCRIPTS = Path(catalogue.__file__).parent
NO_BENCHMARKS = {"bench", "surface_database"}  # the runner, and what fills the database of surface_pages
ON_POSTGRESQL = Benchmark("one", "One", "surface", ("label",), (POSTGRESQL,), has_one_thread=True, reads_data_sets=True)


def test_every_script_that_measures_is_in_the_table() -> None:
    programs = {path.stem for path in SCRIPTS.glob("*.py") if "\ndef main()" in path.read_text(encoding="utf-8")}
    assert {one.script for one in BENCHMARKS} == programs - NO_BENCHMARKS


def test_every_benchmark_has_a_name_of_its_own_and_figures() -> None:
    names = [one.name for one in BENCHMARKS]
    assert len(set(names)) == len(names)
    assert names == list(results.FIGURES)
    assert all(results.FIGURES.values())


def test_a_command_has_words_where_machines_differ() -> None:
    assert ON_POSTGRESQL.command == (
        "OMP_NUM_THREADS=1 DATABASE_URL=postgres://... python benchmarks/surface.py label --data FOLDER"
    )


def test_what_runs_is_what_the_command_says() -> None:
    given = {
        "TEST_POSTGRES_URL": "postgres://here",
        "DATABASE_URL": "sqlite:///mine",
        "OMP_NUM_THREADS": "8",
        "HOME": "h",
    }
    environment = ON_POSTGRESQL.environment(given)
    assert (environment["DATABASE_URL"], environment["OMP_NUM_THREADS"]) == ("postgres://here", "1")
    assert ON_POSTGRESQL.arguments(Path("sets")) == ["benchmarks/surface.py", "label", "--data", "sets"]


def test_a_benchmark_on_sqlite_sees_no_database_or_threads_of_the_user() -> None:
    given = {"DATABASE_URL": "postgres://mine", "Q_BROKER_URL": "redis://mine", "OMP_NUM_THREADS": "8", "HOME": "h"}
    assert Benchmark("one", "One", "surface").environment(given) == {"HOME": "h"}


@pytest.mark.parametrize("need", [POSTGRESQL, MODEL])
def test_what_needs_something_absent_says_how_to_name_it(
    need: catalogue.Need, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(need.given_in, raising=False)
    benchmark = Benchmark("one", "One", "surface", needs=(need,), reads_data_sets=True)
    assert need.given_in in benchmark.absent(tmp_path)
    assert "--data" in benchmark.absent(tmp_path)


def test_with_all_that_it_needs_nothing_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgres://here")
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "categories.json").write_text("[]")
    assert ON_POSTGRESQL.absent(tmp_path) == ""
