"""Whether decisions whose category was changed are found, and how many others are listed beside them.

    OMP_NUM_THREADS=1 python benchmarks/mistakes.py [DATASET ...] [--data FOLDER] [--quick]

Of 200, 1,000 and 5,000 texts a share gets another category: at random (2, 5, 10 %), or the one that the head before any
review finds likeliest (5, 10 %). Then `labeling.learning.mistakes` puts the decisions in order. `first_20` and
`first_50` are the shares of changed ones among the first, `recall` the share of the n changed ones among the first 2n,
`auc` the chance that a changed one stands before another, `listed` the share that is shown to people as an issue when
nothing was changed, which the sets' own mistakes are part of. Means over the sets that have so many texts. The last
line printed is one JSON object.
"""

import argparse
import json

import numpy as np
from data_sets import DataSet, Rows, Stopwatch, Vectors, add_arguments, read_all

from labeling.learning import mistakes
from labeling.learning.classifier import LinearHead

SIZES, QUICK_SIZES = (200, 1_000, 5_000), (200,)
CHANGES = (("random", 0.02), ("random", 0.05), ("random", 0.1), ("likeliest", 0.05), ("likeliest", 0.1))
FIGURES = ("first_20", "first_50", "recall", "auc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    arguments = parser.parse_args()
    watch = Stopwatch()
    sizes = QUICK_SIZES if arguments.quick else SIZES
    rows = [measure(data, size) for data in read_all(arguments) for size in sizes if size <= len(all_texts(data)[1])]
    means = [mean_row(size, [row for row in rows if row["reviews"] == size]) for size in sizes]
    for row in [*rows, *means]:
        print(*(f"{value:>20}" for value in row.values()))
    print(json.dumps({"rows": rows, "mean": means} | watch.read()))


def measure(data: DataSet, size: int) -> dict:
    """Means over the changes, for one set and number of decisions."""
    rng = np.random.default_rng(0)
    vectors, labels = all_texts(data)
    rows = rng.permutation(len(labels))[:size]
    vectors, labels = vectors[rows], labels[rows]
    found = []
    for how, share in CHANGES:
        places = rng.choice(size, round(share * size), replace=False)
        others = other_categories(data.prior, vectors, labels, how, rng)
        found.append(judged(vectors, np.where(np.isin(np.arange(size), places), others, labels), places))
    watch = Stopwatch()
    unchanged = mistakes.find(vectors, labels)
    seconds = watch.read()["wall_seconds"]
    means = {name: round(float(np.mean([one[name] for one in found])), 4) for name in FIGURES}
    listed = round(float(unchanged.is_issue.sum()) / size, 4)
    return {"set": data.name, "reviews": size, **means, "listed": listed, "seconds": seconds}


def all_texts(data: DataSet) -> tuple[Vectors, Rows]:
    """Vectors (n, dim) and labels (n,) of the train and the test texts."""
    return np.concatenate([data.vectors, data.test_vectors]), np.concatenate([data.labels, data.test_labels])


def other_categories(prior: LinearHead, vectors: Vectors, labels: Rows, how: str, rng: np.random.Generator) -> Rows:
    """For each text (n,) a category that is not its own."""
    if how == "random":
        return (labels + rng.integers(1, prior.n_categories, len(labels))) % prior.n_categories
    probabilities = prior.probabilities(vectors)
    probabilities[np.arange(len(labels)), labels] = -1
    return probabilities.argmax(axis=1)


def judged(vectors: Vectors, labels: Rows, places: Rows) -> dict[str, float]:
    """How early the changed `places` come. Texts that could not be judged come last."""
    findings = mistakes.find(vectors, labels)
    left_out = np.setdiff1d(np.arange(len(labels)), findings.rows)
    is_changed = np.isin(np.concatenate([findings.rows, left_out]), places)
    ranks = np.flatnonzero(is_changed)
    n, others = len(places), len(labels) - len(places)
    before = ranks - np.arange(n)  # unchanged ones that stand before each of the changed
    return {
        "first_20": float(is_changed[:20].mean()),
        "first_50": float(is_changed[:50].mean()),
        "recall": float(is_changed[: 2 * n].sum() / n),
        "auc": float(1 - before.mean() / others),
    }


def mean_row(size: int, rows: list[dict]) -> dict:
    names = (*FIGURES, "listed", "seconds")
    return {
        "set": f"{len(rows)} sets",
        "reviews": size,
        **{name: round(float(np.mean([row[name] for row in rows])), 4) for name in names if rows},
    }


if __name__ == "__main__":
    main()
