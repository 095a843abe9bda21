"""Whether certificates keep their promise on real texts, and how many labels they let through.

    python benchmarks/guarantee.py [DATASET ...] [--data FOLDER] [--draws N] [--audits N] [--quick]

The pool is the test texts; the head is zero-shot, or learned from `--reviews` train texts. Of the pool an audit is
drawn so many times, and each draw is certified at each budget. Broken: more wrong labels are accepted unseen than the
budget allows.

Beside it: `observed`, the loosest threshold where the audit's own error meets the budget, with no test; `bonferroni`,
every threshold tested at delta / 100 [ANG21]; `split`, a threshold chosen on one half and tested on the other. The last
line printed is one JSON object with all figures.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from data_sets import DataSet, Stopwatch, add_arguments, read_all
from numpy.typing import NDArray

from labeling.learning import learned, risk, zero_shot
from labeling.learning.risk import Promise

BUDGETS = (0.01, 0.02, 0.05, 0.1)
DELTA = 0.05
QUICK_DRAWS = 20
METHODS = ("certificate", "observed", "bonferroni", "split")

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


def main() -> None:
    arguments = parse_arguments()
    watch = Stopwatch()
    draws = min(arguments.draws, QUICK_DRAWS) if arguments.quick else arguments.draws
    print(f"{'set':20} {'head':>9} {'accuracy':>8} {'promise':>9} {'budget':>6}", end="")
    print(*(f"{method + ': broken, coverage':>29}" for method in METHODS))
    results = []
    for data in read_all(arguments):
        for head, confidence, wrong in machines(data, arguments.reviews):
            size = min(arguments.audits, len(wrong) // 2)
            for row in measure(confidence, wrong, size, draws):
                named = {"set": data.name, "head": head, "n": len(wrong), "audits": size}
                results.append(named | {"accuracy": round(float(1 - wrong.mean()), 4)} | row)
                show(results[-1])
    worst = max(row["certificate"]["broken"] for row in results)
    allowed = DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / draws)
    summary = {"worst_broken": worst, "allowed": round(float(allowed), 4), "draws": draws, "mean": summarized(results)}
    print(json.dumps({"rows": results} | summary | watch.read()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Certificates on real texts.")
    add_arguments(parser)
    parser.add_argument("--draws", type=int, default=1_000, help="audits drawn of each set")
    parser.add_argument("--audits", type=int, default=400, help="texts in each audit, at most half of the set")
    parser.add_argument("--reviews", type=int, default=300, help="train texts that the learned head is fitted on")
    return parser.parse_args()


def summarized(results: list[dict]) -> list[dict]:
    """For each promise and budget, over the sets and heads: the mean coverage and the largest share broken."""
    rows = []
    for promise, budget in dict.fromkeys((row["promise"], row["budget"]) for row in results):
        same = [row for row in results if (row["promise"], row["budget"]) == (promise, budget)]
        figures = {
            method: {
                "coverage": round(float(np.mean([row[method]["coverage"] for row in same])), 4),
                "worst_broken": max(row[method]["broken"] for row in same),
            }
            for method in METHODS
        }
        rows.append({"promise": promise, "budget": budget} | figures)
    return rows


def show(row: dict) -> None:
    print(f"{row['set']:20} {row['head']:>9} {row['accuracy']:>8} {row['promise']:>9} {row['budget']:>6}", end="")
    print(*(f"{row[m]['broken']:>20.3f} {row[m]['coverage']:>8.3f}" for m in METHODS), flush=True)


# --- The machine ------------------------------------------------------------------------------------------------------


def machines(data: DataSet, reviews: int) -> list[tuple[str, Values, Flags]]:
    """For each head its name, its confidence for each text of the pool (N,), and where it is wrong (N,)."""
    pool = data.test_vectors
    prior = zero_shot.fit(data.words, pool).head
    rows = np.random.default_rng(0).permutation(len(data.texts))[:reviews]
    heads = {"zero-shot": prior, "learned": learned.fit(data.vectors[rows], data.labels[rows], prior, pool=pool).head}
    found = []
    for name, head in heads.items():
        probabilities = head.probabilities(pool)
        wrong = probabilities.argmax(axis=1) != data.test_labels
        found.append((name, probabilities.max(axis=1).astype(float), wrong))
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
