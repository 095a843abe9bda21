"""Runs the benchmarks one after another, stores what they print, and writes benchmarks/RESULTS.md from what is stored.

    [TEST_POSTGRES_URL=...] [TEST_REDIS_URL=...] [TEST_MODELS=FOLDER] python benchmarks/bench.py [NAME ...]
        [--data FOLDER] [--write] [--list]

All of them, or those named. What needs something that is not there is left out, and RESULTS.md says so; figures of an
earlier time stay. TEST_POSTGRES_URL names a PostgreSQL server, where databases are made and dropped; TEST_REDIS_URL a
Redis as broker; TEST_MODELS a folder with SmolLM2-135M-Instruct. `--data` is a folder with one folder for each data set
(`train.jsonl`, `test.jsonl`, `categories.json`). With `--write` nothing is run. All of them take hours, on a machine
that does nothing else. The exit status is 1 when one failed, or missed a bar for which no reason is given.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import results, stored, surroundings  # noqa: E402
from benchmarks.catalogue import BENCHMARKS, POSTGRESQL, Benchmark  # noqa: E402

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
LONGEST_REASON = 200


class Failed(Exception):
    """A benchmark ended with an error, or printed no figures."""


def main() -> None:
    options = parse_arguments()
    if options.list:
        print(*(f"{one.name:24} {one.command}" for one in BENCHMARKS), sep="\n")
        return
    chosen = [one for one in BENCHMARKS if not options.names or one.name in options.names]
    failed = [] if options.write else [one.name for one in chosen if not run(one, options.data, stored.FOLDER)]
    records = {one.name: stored.read(one.name, stored.FOLDER) for one in BENCHMARKS}
    RESULTS.write_text(results.page(BENCHMARKS, records), encoding="utf-8")
    unexplained = results.missed_without_reason(BENCHMARKS, records)
    if failed:
        print("Failed:", ", ".join(failed), file=sys.stderr)
    if unexplained:
        print("Missed, and the bar has no reason:", *unexplained, sep="\n  ", file=sys.stderr)
    sys.exit(1 if failed or unexplained else 0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [one.name for one in BENCHMARKS]
    parser.add_argument("names", nargs="*", metavar="NAME", help="of --list; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--write", action="store_true", help="only write RESULTS.md from what is stored")
    parser.add_argument("--list", action="store_true", help="show the names and their command lines")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(names)):
        parser.error(f"There is no benchmark named {', '.join(unknown)}. --list shows the names.")
    return options


def run(benchmark: Benchmark, data: Path, folder: Path) -> bool:
    """Measure and store; False when it failed. One that cannot run here did not fail."""
    print(f"\n=== {benchmark.name}: {benchmark.command}", flush=True)
    reason = benchmark.absent(data)
    has_failed = False
    if not reason:
        try:
            stored.write(benchmark.name, measured(benchmark, data), folder)
            return True
        except Failed as error:
            reason, has_failed = str(error), True
    print(f"Not measured: {reason}", flush=True)
    not_run = stored.NotRun(reason=reason, has_failed=has_failed, date=now())
    stored.write_not_run(benchmark.name, not_run, folder, command=benchmark.command)
    return not has_failed


def measured(benchmark: Benchmark, data: Path) -> stored.Record:
    """What the benchmark printed, and with what. Raises Failed."""
    environment = benchmark.environment(os.environ)
    date, load, begun = now(), os.getloadavg()[0], time.perf_counter()
    lines, status = printed(benchmark.arguments(data.resolve()), environment)
    seconds = time.perf_counter() - begun
    figures = last_object(lines)
    if status or figures is None:
        what = f"exit status {status}" if status else "no figures were printed"
        raise Failed(f"{what}: {last_words(lines, data)}")
    return {
        "command": benchmark.command,
        "date": date,
        "load_before": round(load, 2),
        "wall_seconds": round(seconds, 1),
        "machine": surroundings.machine(),
        "versions": surroundings.versions(postgres=environment.get(POSTGRESQL.passed_as)),
        "figures": figures,
    }


def printed(arguments: list[str], environment: dict[str, str]) -> tuple[list[str], int]:
    """The lines of output and errors, which are shown as they come, and the exit status."""
    command = [sys.executable, "-u", *arguments]
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    return lines, process.returncode


def last_object(lines: list[str]) -> dict[str, Any] | None:
    """The last line that is a JSON object: a library may still say something after it."""
    for line in reversed(lines):
        if line.startswith("{"):
            try:
                return dict(json.loads(line))
            except ValueError:
                continue
    return None


def last_words(lines: list[str], data: Path) -> str:
    """The end of what was said, without the names of this machine's folders."""
    said = next((line.strip() for line in reversed(lines) if line.strip()), "nothing was said")
    return said.replace(str(data.resolve()), "FOLDER").replace(f"{ROOT}/", "")[:LONGEST_REASON]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    main()
