"""Whether the tests notice when the mathematics of the guarantee, or a decision, is changed.

    python benchmarks/mutants.py [--sample N]

cosmic-ray lists all small changes of a module (another operator, another number, `break` for `continue`, no decorator).
N of them, drawn at random, are made one after another in a copy of the project, and the tests of the module run until
the first that fails. What all tests pass has lived, and is printed: it is a gap in the tests, or the same program in
other words. The last line printed is one JSON object.
"""

import argparse
import difflib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
TESTS_OF = {
    "labeling/learning/risk.py": "tests/labeling/learning/test_risk.py",
    "reviews/decisions.py": "tests/reviews/test_decisions.py",
}
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "uploads", "*.sqlite3*")
NOT_MADE = {"core/ExceptionReplacer"}  # cosmic-ray fails at exceptions that are named with their module
SEED = 1
SLOWEST = 5  # times as long as the tests take unchanged: a loop without end is noticed as well


@dataclass(frozen=True)
class Result:
    """`killed` is the share of those tried that a test noticed."""

    module: str
    mutants: int
    tried: int
    lived: int
    killed: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=40, help="mutants of each module; default: 40")
    sample = parser.parse_args().sample
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(ROOT, Path(folder) / "project", ignore=LEFT_OUT))
        results = [of_module(project, module, sample) for module in TESTS_OF]
    print(json.dumps({"modules": [asdict(result) for result in results]}))


def of_module(project: Path, module: str, sample: int) -> Result:
    """Try a sample of the module's mutants; afterwards it is as it was."""
    source = (project / module).read_text(encoding="utf-8")
    begun = perf_counter()
    if not passes(project, module, source, seconds=None):
        sys.exit(f"{TESTS_OF[module]} fails without any change. Mend that first.")
    limit = SLOWEST * (perf_counter() - begun)
    found = changes(source)
    drawn = random.Random(SEED).sample(found, min(sample, len(found)))
    tried = [mutate_code(source, get_operator(name)(), place) for name, place in drawn]
    lived = [mutant for mutant in tried if passes(project, module, mutant, seconds=limit)]
    (project / module).write_text(source, encoding="utf-8")
    for mutant in lived:
        print(*difference(source, mutant, module), sep="\n")
    return Result(module, len(found), len(tried), len(lived), round(1 - len(lived) / len(tried), 4))


def changes(source: str) -> list[tuple[str, int]]:
    """All that cosmic-ray knows and that need no settings: the name of each, and where it is made (its how manieth)."""
    nodes = list(ast_nodes(get_ast(source)))
    found = []
    for name in sorted(set(operator_names()) - NOT_MADE):
        if not (operator := get_operator(name)).arguments():
            places = sum(len(list(operator().mutation_positions(node))) for node in nodes)
            found += [(name, place) for place in range(places)]
    return found


def passes(project: Path, module: str, source: str, *, seconds: float | None) -> bool:
    """Whether all tests of the module pass in time with this source of it."""
    (project / module).write_text(source, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", TESTS_OF[module]]
    try:
        return subprocess.run(command, cwd=project, capture_output=True, timeout=seconds).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def difference(source: str, mutant: str, module: str) -> Iterator[str]:
    return difflib.unified_diff(source.splitlines(), mutant.splitlines(), module, "lived", n=0, lineterm="")


if __name__ == "__main__":
    main()
