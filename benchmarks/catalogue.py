"""The benchmarks that `benchmarks/bench.py` runs: what each is called, how it is started, and what it needs."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """Something that not every machine has. `given_in` is the variable that names it to `bench.py`."""

    given_in: str
    passed_as: str
    shown: str
    absent: str


POSTGRESQL = Need(
    "TEST_POSTGRES_URL", "DATABASE_URL", "postgres://...", "no PostgreSQL server: name one in TEST_POSTGRES_URL"
)
REDIS = Need("TEST_REDIS_URL", "Q_BROKER_URL", "redis://...", "no Redis server: name one in TEST_REDIS_URL")
MODEL = Need(
    "TEST_MODELS", "TEST_MODELS", "FOLDER", "no language model: name in TEST_MODELS a folder with SmolLM2-135M-Instruct"
)
NO_DATA_SETS = "no data sets: give their folder with --data"


@dataclass(frozen=True)
class Benchmark:
    """One command line. Its last printed line is one JSON object."""

    name: str
    title: str
    script: str
    options: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    has_one_thread: bool = False
    reads_data_sets: bool = False

    @property
    def command(self) -> str:
        """As a user types it, with words where addresses and folders differ from machine to machine."""
        data = ("--data", "FOLDER") if self.reads_data_sets else ()
        settings = {**self._threads, **{need.passed_as: need.shown for need in self.needs}}
        words = [f"{key}={value}" for key, value in settings.items()]
        return " ".join([*words, "python", f"benchmarks/{self.script}.py", *self.options, *data])

    def arguments(self, data: Path) -> list[str]:
        return [f"benchmarks/{self.script}.py", *self.options, *(["--data", str(data)] if self.reads_data_sets else [])]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """`given` with what the command line sets, and without a database, broker or threads that it does not name."""
        own = {need.passed_as: given[need.given_in] for need in self.needs}
        unnamed = {POSTGRESQL.passed_as, REDIS.passed_as, "OMP_NUM_THREADS"}
        return {**{key: value for key, value in given.items() if key not in unnamed}, **self._threads, **own}

    def absent(self, data: Path) -> str:
        """Why it cannot run here; empty when it can."""
        reasons = [need.absent for need in self.needs if not os.environ.get(need.given_in)]
        if self.reads_data_sets and not any(data.glob("*/categories.json")):
            reasons.append(NO_DATA_SETS)
        return "; ".join(reasons)

    @property
    def _threads(self) -> dict[str, str]:
        return {"OMP_NUM_THREADS": "1"} if self.has_one_thread else {}


def on_both(one: Benchmark) -> Iterator[Benchmark]:
    """The same on SQLite and on PostgreSQL."""
    yield replace(one, title=f"{one.title}, SQLite")
    yield replace(one, name=f"{one.name}_postgres", title=f"{one.title}, PostgreSQL", needs=(POSTGRESQL, *one.needs))


BENCHMARKS = [
    Benchmark("encode", "Embedding", "encode", reads_data_sets=True),
    Benchmark("accuracy", "Zero-shot accuracy", "accuracy", reads_data_sets=True),
    Benchmark("pipeline", "From file to file", "pipeline", reads_data_sets=True),
    *on_both(Benchmark("commands", "From a clean database by commands", "commands", reads_data_sets=True)),
    *on_both(Benchmark("review", "Review over HTTP", "review", ("--decided", "10000", "1000000"))),
    Benchmark("learning_curve", "Learning from reviews", "learning_curve", has_one_thread=True, reads_data_sets=True),
    Benchmark(
        "fine_tuning",
        "Learning beside fine-tuning",
        "learning_curve",
        ("snips", "--setfit", "snips"),
        has_one_thread=True,
        reads_data_sets=True,
    ),
    Benchmark(
        "stacking",
        "Learning from a model that only answers",
        "stacking",
        ("snips", "hate_offensive", "consumer_complaints"),
        has_one_thread=True,
        reads_data_sets=True,
    ),
    Benchmark("guarantee", "Certificates", "guarantee", has_one_thread=True, reads_data_sets=True),
    Benchmark("calibration", "Calibration", "calibration", has_one_thread=True, reads_data_sets=True),
    Benchmark("campaign", "A whole campaign", "campaign", has_one_thread=True, reads_data_sets=True),
    Benchmark("mistakes", "Decisions that look like mistakes", "mistakes", has_one_thread=True, reads_data_sets=True),
    *on_both(Benchmark("learning_live", "Learning while people review", "learning_live", has_one_thread=True)),
    Benchmark("runs", "Runs in the background, SQLite, the database as broker", "runs"),
    Benchmark("runs_postgres", "Runs in the background, PostgreSQL and Redis", "runs", needs=(POSTGRESQL, REDIS)),
    *on_both(Benchmark("rescoring", "Labeling a project again", "rescoring", has_one_thread=True)),
    Benchmark("llm", "Language models behind a server", "llm", needs=(MODEL,), reads_data_sets=True),
    Benchmark("valid_answers", "A category and nothing else", "valid_answers", needs=(MODEL,), reads_data_sets=True),
    Benchmark("causal_lm", "Scoring names", "causal_lm", needs=(MODEL,), reads_data_sets=True),
    *on_both(Benchmark("surface", "The API over HTTP", "surface")),
    *on_both(Benchmark("surface_pages", "Pages and lists at a million texts", "surface_pages")),
    *on_both(Benchmark("merging", "Merging two categories", "merging")),
    *on_both(Benchmark("transfer", "Imports and exports over HTTP", "transfer")),
    Benchmark("mutants", "Changes of the program that its tests notice", "mutants"),
]
