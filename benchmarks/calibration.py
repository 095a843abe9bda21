"""Whether of the labels with confidence 0.8 eight in ten are right, when the review queue chose what was reviewed.

    python benchmarks/calibration.py [DATASET ...] [--data FOLDER] [--most N] [--quick]

Reviews come as the queue shows them: most doubtful first by the head of that moment, learning every 25 (later on every
50 and every 250, to save time), and one in ten of them from the blind audit, drawn at random before, which is not
learned from. Each seed has another four fifths of the train texts. Calibration is measured on the test texts, which
nobody chose: the expected calibration error in 15 bins of equal mass [GUO17], the Brier score of all probabilities, and
`over`, the mean confidence less the accuracy.

`program` is the head as the program learns it, with weights by strata that are flattened while reviews are few;
`unflattened` has them in full, `unweighted` none; `lr_c10` is scikit-learn's logistic regression with C = 10 on the
same reviews. From 1,000 reviews on, `isotonic` is a free monotone curve [ZAD02] in place of the program's confidence,
fitted on what is out of fold with the program's weights, and `iso_even` without. The last line printed is one JSON
object, with the points of the program's reliability diagrams, means over the seeds.
"""

import argparse
import json
import warnings
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from data_sets import DataSet, Rows, Stopwatch, add_arguments, read_all
from reviewing import EVERY, Lesson, by_margin, learn, review, stratum_weights
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from labeling.learning import calibration, weighting

SIZES, QUICK_SIZES = (50, 100, 200, 500, 1_000, 2_000), (50, 200)
SEEDS, QUICK_SEEDS = 3, 1
AUDIT_SHARE = 0.1
BAR, BAR_AT = 0.06, 200
ENOUGH_FOR_ISOTONIC = 1_000  # a free curve fitted on fewer follows their noise [NIC05]
FIGURES = ("ece", "brier", "over", "accuracy")
METHODS = ("program", "unweighted", "unflattened", "lr_c10", "isotonic", "iso_even")


def main() -> None:
    arguments = parse_arguments()
    watch = Stopwatch()
    sizes, seeds = (QUICK_SIZES, QUICK_SEEDS) if arguments.quick else (SIZES, SEEDS)
    sizes = tuple(size for size in sizes if size <= max(arguments.most, BAR_AT))
    rows = []
    for data in read_all(arguments):
        found = [row for seed in range(seeds) for row in measure(data, sizes, seed)]
        rows += [mean_row(data.name, n, [row for row in found if row["reviews"] == n]) for n in sizes]
        rows = [row for row in rows if row["seeds"]]
        show(data.name, [row for row in rows if row["set"] == data.name])
    means = [summarized(n, [row for row in rows if row["reviews"] == n]) for n in sizes]
    show("mean of the sets", means)
    at_bar = next(row["program"]["ece"] for row in means if row["reviews"] == BAR_AT)
    print(json.dumps({"seeds": seeds, "rows": rows, "mean": means, "ece_at_200": at_bar, "bar": BAR} | watch.read()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Calibration of the learned head under the review queue.")
    add_arguments(parser)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of reviews, at least 200")
    return parser.parse_args()


def measure(data: DataSet, sizes: tuple[int, ...], seed: int) -> Iterator[dict]:
    """For each number of reviews that there are texts for, the figures of each method."""
    rng = np.random.default_rng(seed)
    texts = rng.permutation(len(data.texts))[: len(data.texts) * 4 // 5]
    routine = np.sort(texts[int(AUDIT_SHARE * len(texts)) :])
    learned_from = {round(size * (1 - AUDIT_SHARE)): size for size in sizes}
    stops = [*range(EVERY, 201, EVERY), *range(250, 501, 2 * EVERY), *range(750, max(learned_from), 10 * EVERY)]
    stops = sorted(stop for stop in {*stops, *learned_from} if stop <= max(learned_from))
    for lesson in review(data, by_margin, stops, rng, routine):
        if len(lesson.rows) in learned_from:
            yield {"reviews": learned_from[len(lesson.rows)]} | figures(data, lesson)


def figures(data: DataSet, lesson: Lesson) -> dict:
    found = {
        "program": lesson.fit.head.probabilities(data.test_vectors),
        "unweighted": learn(data, lesson.rows, weights=None).head.probabilities(data.test_vectors),
        "unflattened": learn(data, lesson.rows, unflattened(data, lesson.rows)).head.probabilities(data.test_vectors),
        "lr_c10": regression(data, lesson.rows),
    }
    result = {name: scored(rows, data.test_labels) for name, rows in found.items()}
    if len(lesson.rows) >= ENOUGH_FOR_ISOTONIC * (1 - AUDIT_SHARE):
        result["isotonic"] = isotonic(data, lesson, stratum_weights(data, lesson.rows))
        result["iso_even"] = isotonic(data, lesson, None)
    confidence = found["program"].max(axis=1)
    right = found["program"].argmax(axis=1) == data.test_labels
    bins = calibration.reliability(confidence, right)
    return result | {"bins": [[one.confidence, one.accuracy, one.share] for one in bins]}


def unflattened(data: DataSet, rows: Rows) -> np.ndarray:
    return stratum_weights(data, rows) ** ((len(rows) + weighting.FEW) / len(rows))


def regression(data: DataSet, rows: Rows) -> np.ndarray:
    """Probabilities (n, n_categories) of plain logistic regression; a category without reviews has 0."""
    held = data.labels[rows]
    found = np.zeros((len(data.test_labels), data.prior.n_categories))
    if len(np.unique(held)) < 2:
        found[:, held[0]] = 1.0
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge, that most texts are of a category of their own
        model = LogisticRegression(C=10.0, max_iter=300).fit(data.vectors[rows], held)
    found[:, model.classes_] = model.predict_proba(data.test_vectors)
    return found


def isotonic(data: DataSet, lesson: Lesson, weights: np.ndarray | None) -> dict:
    """The curve changes how sure the head is and not what it says, so there is no Brier score of all probabilities."""
    own = lesson.fit.probabilities
    curve = IsotonicRegression(out_of_bounds="clip")
    curve.fit(own.max(axis=1), own.argmax(axis=1) == data.labels[lesson.rows], sample_weight=weights)
    probabilities = lesson.fit.head.probabilities(data.test_vectors)
    right = probabilities.argmax(axis=1) == data.test_labels
    confidence = curve.predict(probabilities.max(axis=1))
    return {
        "ece": calibration.expected_calibration_error(confidence, right),
        "over": float(confidence.mean() - right.mean()),
        "accuracy": float(right.mean()),
    }


def scored(probabilities: np.ndarray, labels: Rows) -> dict:
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    return {
        "ece": calibration.expected_calibration_error(confidence, right),
        "brier": calibration.brier_score(probabilities, labels),
        "over": float(confidence.mean() - right.mean()),
        "accuracy": float(right.mean()),
    }


# --- Figures ----------------------------------------------------------------------------------------------------------


def mean_row(name: str, size: int, found: list[dict]) -> dict:
    """Means over the seeds of one set and number of reviews."""
    row = {"set": name, "reviews": size, "seeds": len(found)}
    methods = [method for method in METHODS if found and method in found[0]]
    row |= {method: averaged([one[method] for one in found]) for method in methods}
    if found and len({len(one["bins"]) for one in found}) == 1:
        row["bins"] = np.round(np.mean([one["bins"] for one in found], axis=0), 4).tolist()
    return row


def summarized(size: int, rows: list[dict]) -> dict:
    """Means over the sets, and of each method the largest error of a set."""
    by_method = defaultdict(list)
    for row in rows:
        for method in METHODS:
            if method in row:
                by_method[method].append(row[method])
    means = {name: averaged(each) | {"worst": max(one["ece"] for one in each)} for name, each in by_method.items()}
    return {"set": f"{len(rows)} sets", "reviews": size} | means


def averaged(found: list[dict]) -> dict:
    return {name: round(float(np.mean([one[name] for one in found])), 4) for name in FIGURES if name in found[0]}


def show(title: str, rows: list[dict]) -> None:
    print(f"\n{title}: calibration error, mean confidence less accuracy\n", f"{'reviews':>9}", end="")
    print(*(f"{method:>15}" for method in METHODS))
    for row in rows:
        print(f"{row['reviews']:>10}", end="")
        print(*(f"{row[m]['ece']:>8.3f} {row[m]['over']:>+6.2f}" if m in row else f"{'-':>15}" for m in METHODS))


if __name__ == "__main__":
    main()
