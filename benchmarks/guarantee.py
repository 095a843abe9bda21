"""Whether certificates keep their promise on real texts, and how many labels they let through.

    python benchmarks/guarantee.py [DATASET ...] [--data FOLDER] [--draws N] [--audits N] [--cache FOLDER]

A data set is a folder with `train.jsonl`, `test.jsonl` ({"text", "label"} a line) and `categories.json`. The pool is
the test texts; the head is zero-shot, or learned from `--reviews` train texts. Of the pool an audit is drawn so many
times, and each draw is certified at each budget. Broken: more wrong labels are accepted unseen than the budget allows.

Beside it: `observed`, the loosest threshold where the audit's own error meets the budget, with no test; `bonferroni`,
every threshold tested at delta / 100 [ANG21]; `split`, a threshold chosen on one half and tested on the other. The last
line printed is one JSON object with all figures.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import embed_categories  # noqa: E402
from labeling.learning import learned, risk, zero_shot  # noqa: E402
from labeling.learning.risk import Promise  # noqa: E402
from labeling.providers.encoder import Encoder  # noqa: E402

BUDGETS = (0.01, 0.02, 0.05, 0.1)
DELTA = 0.05
METHODS = ("certificate", "observed", "bonferroni", "split")

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


def main() -> None:
    arguments = parse_arguments()
    folders = [arguments.data / name for name in arguments.datasets] or sorted(
        path.parent for path in arguments.data.glob("*/categories.json")
    )
    if not folders:
        sys.exit(f"No data set in {arguments.data}: give its folder with --data.")
    print(f"{'set':20} {'head':>9} {'accuracy':>8} {'promise':>9} {'budget':>6}", end="")
    print(*(f"{method + ': broken, coverage':>29}" for method in METHODS))
    results = []
    for folder in folders:
        for head, confidence, wrong in machines(folder, arguments.reviews, arguments.cache):
            size = min(arguments.audits, len(wrong) // 2)
            for row in measure(confidence, wrong, size, arguments.draws):
                named = {"set": folder.name, "head": head, "n": len(wrong), "audits": size}
                results.append(named | {"accuracy": round(float(1 - wrong.mean()), 4)} | row)
                show(results[-1])
    worst = max(row["certificate"]["broken"] for row in results)
    allowed = DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / arguments.draws)
    print(json.dumps({"rows": results, "worst_broken": worst, "allowed": round(allowed, 4), "draws": arguments.draws}))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Certificates on real texts.")
    parser.add_argument("datasets", nargs="*", help="names of folders below --data; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--draws", type=int, default=1_000, help="audits drawn of each set")
    parser.add_argument("--audits", type=int, default=400, help="texts in each audit, at most half of the set")
    parser.add_argument("--reviews", type=int, default=300, help="train texts that the learned head is fitted on")
    parser.add_argument("--cache", type=Path, help="folder to keep vectors in, for the next time")
    return parser.parse_args()


def show(row: dict) -> None:
    print(f"{row['set']:20} {row['head']:>9} {row['accuracy']:>8} {row['promise']:>9} {row['budget']:>6}", end="")
    print(*(f"{row[m]['broken']:>20.3f} {row[m]['coverage']:>8.3f}" for m in METHODS), flush=True)


# --- The machine ------------------------------------------------------------------------------------------------------


def machines(folder: Path, reviews: int, cache: Path | None) -> list[tuple[str, Values, Flags]]:
    """For each head its name, its confidence for each text of the pool (N,), and where it is wrong (N,)."""
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    names = [category["name"] for category in categories]
    pool_texts, truth = read(folder / "test.jsonl", names, None)
    train_texts, train_labels = read(folder / "train.jsonl", names, reviews)
    words, pool, train = vectors(folder, categories, pool_texts, train_texts, cache)
    prior = zero_shot.fit(words, pool).head
    heads = {"zero-shot": prior, "learned": learned.fit(train, train_labels, prior, pool=pool).head}
    found = []
    for name, head in heads.items():
        probabilities = head.probabilities(pool)
        found.append((name, probabilities.max(axis=1).astype(float), probabilities.argmax(axis=1) != truth))
    return found


def read(path: Path, names: list[str], size: int | None) -> tuple[list[str], NDArray[np.int64]]:
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if size is not None and size < len(rows):
        rows = [rows[place] for place in np.random.default_rng(0).choice(len(rows), size, replace=False)]
    return [row["text"] for row in rows], np.array([names.index(row["label"]) for row in rows])


def vectors(
    folder: Path, categories: list[dict], pool: list[str], train: list[str], cache: Path | None
) -> tuple[NDArray[np.float32], ...]:
    """Of the categories, the pool and the train texts; from the cache where it holds as many."""
    kept = cache / f"{folder.name}-{len(pool)}-{len(train)}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept) as arrays:
            return arrays["words"], arrays["pool"], arrays["train"]
    encoder = Encoder(cache_folder=ROOT / ".cache" / "graphs")
    found = embed_categories(encoder, categories), encoder.embed(pool), encoder.embed(train)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, words=found[0], pool=found[1], train=found[2])
    return found


# --- Drawing and certifying -------------------------------------------------------------------------------------------


def measure(confidence: Values, wrong: Flags, size: int, draws: int) -> list[dict]:
    """One row for each promise and budget: for each method the share of broken draws, and the mean coverage."""
    random = np.random.default_rng(2026)
    grid = np.array(risk.thresholds(np.sort(confidence)))
    broken: dict[tuple, int] = defaultdict(int)
    coverage: dict[tuple, float] = defaultdict(float)
    for _ in range(draws):
        audit = random.choice(len(confidence), size, replace=False)
        unseen = np.ones(len(confidence), dtype=bool)
        unseen[audit] = False
        for promise in Promise:
            for budget, method, threshold in chosen(confidence, wrong, audit, grid, promise):
                accepted = unseen & (confidence >= threshold)
                labels = len(confidence) if promise == Promise.DATASET else int(accepted.sum())
                is_broken = int((accepted & wrong).sum()) > risk.may_be_wrong(budget, labels)
                broken[promise, budget, method] += is_broken
                coverage[promise, budget, method] += float(np.mean(confidence >= threshold))
    return [
        {"promise": promise.value, "budget": budget}
        | {
            method: {
                "broken": round(broken[promise, budget, method] / draws, 4),
                "coverage": round(coverage[promise, budget, method] / draws, 4),
            }
            for method in METHODS
        }
        for promise in Promise
        for budget in BUDGETS
    ]


def chosen(
    confidence: Values, wrong: Flags, audit: NDArray[np.int64], grid: Values, promise: Promise
) -> Iterator[tuple[float, str, float]]:
    """For each budget the methods that accept labels, and from which threshold on."""
    whole = Counts(confidence, wrong, audit, grid, promise)
    half, other = (Counts(confidence, wrong, part, grid, promise) for part in np.array_split(audit, 2))
    strict = whole.at_most(DELTA / risk.STEPS)
    for budget in BUDGETS:
        verdict = risk.certify(confidence, confidence[audit], wrong[audit], promise=promise, budget=budget, level=DELTA)
        if verdict.accepted:
            yield budget, "certificate", verdict.accepted.threshold
        observed = whole.wrong <= budget * whole.audited
        if observed.any():
            yield budget, "observed", grid[last(observed)]
        proven = strict <= budget * whole.labels
        if proven.any():
            yield budget, "bonferroni", grid[last(proven)]
        guess = last(half.wrong <= budget * half.audited)
        if other.at_most_at(guess, DELTA) <= budget * other.labels[guess]:
            yield budget, "split", grid[guess]


class Counts:
    """At each threshold: texts in the population, audited and wrong among them, and labels that a promise is about."""

    def __init__(
        self, confidence: Values, wrong: Flags, audit: NDArray[np.int64], grid: Values, promise: Promise
    ) -> None:
        is_above = confidence[audit] >= grid[:, None]
        self.wrong = (is_above & wrong[audit]).sum(axis=1)
        if promise == Promise.DATASET:
            self.population = np.full(len(grid), len(confidence))
            self.audited = np.full(len(grid), len(audit))
            self.labels = self.population
        else:
            ordered = np.sort(confidence)
            self.population = len(ordered) - np.searchsorted(ordered, grid, side="left")
            self.audited = is_above.sum(axis=1)
            self.labels = self.population - self.audited

    def at_most_at(self, place: int, level: float) -> int:
        """How many wrong labels are left at most, besides those that were found."""
        found = int(self.wrong[place])
        return risk.most_wrong(found, int(self.audited[place]), int(self.population[place]), level) - found

    def at_most(self, level: float) -> NDArray[np.int64]:
        return np.array([self.at_most_at(place, level) for place in range(len(self.wrong))])


def last(passed: Flags) -> int:
    return int(np.flatnonzero(passed)[-1]) if passed.any() else 0


if __name__ == "__main__":
    main()
