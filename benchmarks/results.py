"""The page benchmarks/RESULTS.md, made of stored figures and of the bars that they shall reach."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks import bars_learning, bars_program
from benchmarks.bars import Figure
from benchmarks.catalogue import Benchmark
from benchmarks.stored import Record

FIGURES: dict[str, list[Figure]] = {
    "encode": bars_learning.ENCODE,
    "accuracy": bars_learning.ACCURACY,
    "pipeline": bars_program.PIPELINE,
    "commands": bars_program.COMMANDS,
    "commands_postgres": bars_program.COMMANDS,
    "review": bars_program.review(25, database=bars_program.SQLITE),
    "review_postgres": bars_program.review(60, database=bars_program.POSTGRESQL),
    "learning_curve": bars_learning.LEARNING_CURVE,
    "fine_tuning": bars_learning.FINE_TUNING,
    "stacking": bars_learning.STACKING,
    "guarantee": bars_learning.GUARANTEE,
    "calibration": bars_learning.CALIBRATION,
    "campaign": bars_learning.CAMPAIGN,
    "mistakes": bars_learning.MISTAKES,
    "learning_live": bars_program.LEARNING_LIVE,
    "learning_live_postgres": bars_program.LEARNING_LIVE,
    "runs": bars_program.runs(5_000),
    "runs_postgres": bars_program.runs(8_000),
    "rescoring": bars_program.RESCORING,
    "rescoring_postgres": bars_program.RESCORING,
    "llm": bars_learning.LLM,
    "valid_answers": bars_learning.VALID_ANSWERS,
    "causal_lm": bars_learning.CAUSAL_LM,
    "surface": bars_program.SURFACE,
    "surface_postgres": bars_program.SURFACE,
    "surface_pages": bars_program.surface_pages(300),
    "surface_pages_postgres": bars_program.surface_pages(150),
    "merging": bars_program.MERGING,
    "merging_postgres": bars_program.MERGING,
    "transfer": bars_program.TRANSFER,
    "transfer_postgres": bars_program.TRANSFER,
    "mutants": bars_program.MUTANTS,
}

HEAD = """\
# Results

`make bench` writes this page: it runs each command below and reads the figures out of what the command prints
(`benchmarks/figures/`). What lies behind the figures, and what was tried and dropped, stands in [NOTES.md](NOTES.md).

"Load" is the mean number of busy processes in the minute before: a benchmark beside other work is slower. FOLDER is a
folder of data sets after `--data`, and in `TEST_MODELS` one with SmolLM2-135M-Instruct. `make bench BENCH="NAME ..."`
runs only those named (`BENCH=--list` shows the names and commands); `TEST_POSTGRES_URL`, `TEST_REDIS_URL` and
`TEST_MODELS` say what it may use.
"""

Records = Mapping[str, Record | None]
Missed = tuple[Benchmark, Figure, Record]


def page(benchmarks: Sequence[Benchmark], records: Records) -> str:
    machines = list(dict.fromkeys(machine(record) for record in records.values() if record and is_measured(record)))
    parts = [HEAD, *machine_lines(machines)]
    for benchmark in benchmarks:
        record = records.get(benchmark.name)
        if record and is_measured(record):
            parts += section(benchmark, record, machines)
    parts += ["## Bars that are not reached\n", *reasons(missed(benchmarks, records))]
    parts += not_measured(benchmarks, records)
    return "\n".join(parts)


def missed(benchmarks: Sequence[Benchmark], records: Records) -> Iterator[Missed]:
    for benchmark in benchmarks:
        record = records.get(benchmark.name)
        if record and is_measured(record):
            for figure in FIGURES[benchmark.name]:
                if not figure.is_reached(record["figures"]):
                    yield benchmark, figure, record


def missed_without_reason(benchmarks: Sequence[Benchmark], records: Records) -> list[str]:
    """Bars of which nobody has said why they are missed, in words for a person."""
    found = missed(benchmarks, records)
    return [f"{benchmark.name}: {figure.words}" for benchmark, figure, _ in found if not figure.why_missed]


def is_measured(record: Record) -> bool:
    return "figures" in record


# --- Parts of the page ------------------------------------------------------------------------------------------------


def machine(record: Record) -> str:
    about, versions = record["machine"], record["versions"]
    programs = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "postgres")
    processor = f"{about['processor']} ({about['instructions']})" if about["instructions"] else about["processor"]
    return f"{processor}, {about['cores']} cores, {about['memory_gib']} GiB; {programs}"


def machine_lines(machines: list[str]) -> Iterator[str]:
    if len(machines) == 1:
        yield f"Machine: {machines[0]}.\n"
    elif machines:
        yield "\n".join(f"{number}. Machine: {one}." for number, one in enumerate(machines, 1)) + "\n"


def section(benchmark: Benchmark, record: Record, machines: list[str]) -> Iterator[str]:
    yield f"## {benchmark.title}\n"
    yield "| what | figure | bar | reached |\n|---|---|---|---|"
    for figure in FIGURES[benchmark.name]:
        reached = ("yes" if figure.is_reached(record["figures"]) else "**no**") if figure.has_bar else ""
        yield f"| {figure.words} | {figure_shown(figure, record)} | {bar_shown(figure)} | {reached} |"
    where = f", machine {machines.index(machine(record)) + 1}" if len(machines) > 1 else ""
    postgres = record["versions"].get("postgres")
    database = f", PostgreSQL {postgres}" if postgres else ""
    yield f"\n`{record['command']}`: {record['date']} UTC{where}{database},"
    yield f"{shown(record['wall_seconds'])} s in all, load {record['load_before']} before.\n"


def figure_shown(figure: Figure, record: Record) -> str:
    value = figure.value(record["figures"])
    return "not measured" if value is None else f"{shown(value)} {figure.unit}".strip()


def bar_shown(figure: Figure) -> str:
    bars = (("at least", figure.least), ("at most", figure.most))
    return ", ".join(f"{words} {shown(bar)}" for words, bar in bars if bar is not None)


def shown(value: float) -> str:
    """Four digits: 35,600, 124.3 as 124, 12.94, 0.8425."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{round(value, 4) + 0.0:g}"


def reasons(found: Iterator[Missed]) -> Iterator[str]:
    rows = [
        f"- {benchmark.title}: {figure.words}, {figure_shown(figure, record)}, bar {bar_shown(figure)}."
        f" {figure.why_missed or 'No reason is given in `benchmarks/bars_*.py`.'}"
        for benchmark, figure, record in found
    ]
    yield "\n".join(rows or ["None."]) + "\n"


def not_measured(benchmarks: Sequence[Benchmark], records: Records) -> Iterator[str]:
    rows = []
    for benchmark in benchmarks:
        record = records.get(benchmark.name)
        if record is None:
            rows.append(f"- {benchmark.title} (`{benchmark.command}`): not run yet.")
        elif "not_run" in record:
            last = record["not_run"]
            verb = "failed" if last["has_failed"] else "left out"
            kept = "; the figures above are of an earlier time" if is_measured(record) else ""
            named = f"{benchmark.title} (`{benchmark.command}`)"
            rows.append(f"- {named}: {verb} {last['date']} UTC, {last['reason']}{kept}.")
    if rows:
        yield "## Not measured\n"
        yield "\n".join(rows) + "\n"
