"""Accuracy after 0 to 1,000 reviews: the learned head beside plain logistic regression and the head before any review.

    python benchmarks/learning_curve.py [DATASET ...] [--data FOLDER] [--quick] [--setfit [DATASET ...]]

Reviews are drawn from the train texts, which are also the unlabeled pool; accuracy and calibration are measured on the
test texts. A set with too few train texts is left out of the mean at that number of reviews.

Reviewed at random: `lr` is logistic regression with scikit-learn's C of 1, `lr_c10` with 10, which suits unit vectors
better; `gap` is the learned head less the best of the three beside it, `oof_gap` what it says of itself less what it
reaches.

Reviewed as the queue shows them, learning every 25 reviews: `queue` is the accuracy with 70 % of the reviews, of four
fifths of the train texts, another four fifths for each seed; `random` that of random reviews in full number. `needed`
is the share of the reviews from which on the queue's accuracy is not below (both curves made monotone first; none: more
than was tried). The last line printed is one JSON object.

With --setfit, fine-tuning with the package `setfit` stands beside, on these sets, with the first seed's reviews.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import warnings
from collections.abc import Sequence

import numpy as np
from data_sets import DataSet, Rows, Stopwatch, add_arguments, read_all
from reviewing import EVERY, Lesson, at_random, by_margin, review
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from labeling.learning import calibration
from labeling.providers import weights as model_weights

SIZES = (0, 10, 25, 50, 100, 200, 500, 1000)
QUICK_SIZES = (0, 25, 200)
SEEDS, QUEUE_SEEDS, QUICK_SEEDS = 5, 2, 1
SAVED_AT = (200, 500, 1000)  # random reviews that the queue is to match with ENOUGH of them
ENOUGH = 0.7
FINE_TUNED_AT = (50, 200)
PAIRS = 2_000  # of texts that fine-tuning sees: at 50 reviews the published 20 of each kind a text, later fewer
COLUMNS = (
    "reviews",
    "lr",
    "lr_c10",
    "prior",
    "learned",
    "gap",
    "ece",
    "oof_gap",
    "mix",
    "seconds",
    "slowest",
    "slowest_cpu",
)
SAVED_COLUMNS = ("set", "reviews", "random", "queue", "gain", "needed", "same_n")
FINE_TUNED_COLUMNS = ("set", "reviews", "learned", "setfit", "learned_cpu", "setfit_wall", "setfit_cpu")


def main() -> None:
    arguments = parse_arguments()
    watch = Stopwatch()
    sizes, seeds = (QUICK_SIZES, QUICK_SEEDS) if arguments.quick else (SIZES, SEEDS)
    random_rows: dict[str, list[dict]] = {}
    savings: list[dict] = []
    fine_tuned: list[dict] = []
    for data in read_all(arguments):
        random_rows[data.name] = measure(data, sizes, seeds)
        print_table(data.name, random_rows[data.name], COLUMNS)
        savings += saved(data, random_rows[data.name], min(seeds, QUEUE_SEEDS))
        if data.name in arguments.setfit:
            fine_tuned += beside_fine_tuning(data)
    means = [mean_row([rows[at] for rows in random_rows.values() if len(rows) > at]) for at in range(len(sizes))]
    print_table(f"mean of {len(random_rows)} sets", means, COLUMNS)
    print_table(f"the queue, with {ENOUGH:.0%} of the reviews", savings, SAVED_COLUMNS)
    reached = {
        size: [sum(row["gain"] >= 0 for row in savings if row["reviews"] == size), of]
        for size in SAVED_AT
        if (of := sum(row["reviews"] == size for row in savings))
    }
    print_table("fine-tuning", fine_tuned, FINE_TUNED_COLUMNS)
    figures = {"seeds": seeds, "random": random_rows, "mean": means, "queue": savings, "reached": reached}
    print(json.dumps(figures | {"fine_tuned": fine_tuned} | watch.read()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Accuracy by number of reviews.")
    add_arguments(parser)
    parser.add_argument("--setfit", nargs="+", default=[], help="sets to fine-tune on beside, with setfit (slow)")
    arguments = parser.parse_args()
    if arguments.setfit and importlib.util.find_spec("setfit") is None:
        sys.exit("The package setfit is not installed. See requirements-dev.txt.")
    return arguments


# --- Reviewed at random -----------------------------------------------------------------------------------------------


def measure(data: DataSet, sizes: Sequence[int], seeds: int) -> list[dict]:
    """One row for each number of reviews that the set has texts for, as means over the seeds."""
    curves = [curve(data, sizes, seed) for seed in range(seeds)]
    return [mean_row(list(rows)) for rows in zip(*curves, strict=True)]


def curve(data: DataSet, sizes: Sequence[int], seed: int) -> list[dict]:
    """The figures of one seed; the reviews of a size are those of the size before and some more."""
    return [evaluate(data, lesson) for lesson in review(data, at_random, sizes, np.random.default_rng(seed))]


def evaluate(data: DataSet, lesson: Lesson) -> dict:
    """Accuracies and calibration as shares of one; `gap` is learned less the better of those it stands beside."""
    probabilities = lesson.fit.head.probabilities(data.test_vectors)
    right = probabilities.argmax(axis=1) == data.test_labels
    prior = float((data.prior.logits(data.test_vectors).argmax(axis=1) == data.test_labels).mean())
    plain, weak = (regression_accuracy(data, lesson.rows, strength) for strength in (1.0, 10.0))
    reached = float(right.mean())
    return {
        "reviews": len(lesson.rows),
        "lr": plain,
        "lr_c10": weak,
        "prior": prior,
        "learned": reached,
        "gap": reached - max(prior, plain or 0, weak or 0),
        "ece": calibration.expected_calibration_error(probabilities.max(axis=1), right),
        "oof_gap": lesson.fit.quality.accuracy - reached if len(lesson.rows) else None,
        "mix": lesson.fit.mix,
        "seconds": lesson.wall_seconds,
        "slowest": lesson.wall_seconds,
        "cpu": lesson.cpu_seconds,
        "slowest_cpu": lesson.cpu_seconds,
    }


def regression_accuracy(data: DataSet, rows: Rows, strength: float) -> float | None:
    """Plain logistic regression with C = `strength`; the only category where there is one, None without reviews."""
    held = data.labels[rows]
    if len(np.unique(held)) < 2:
        return float((data.test_labels == held[0]).mean()) if len(held) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge, that most texts are of a category of their own
        model = LogisticRegression(C=strength, max_iter=300).fit(data.vectors[rows], held)
    return float(model.score(data.test_vectors, data.test_labels))


# --- Reviewed as the queue shows them ---------------------------------------------------------------------------------


def saved(data: DataSet, random_rows: list[dict], seeds: int) -> list[dict]:
    """For each number of random reviews that the set has texts for: what the queue reaches with ENOUGH of them."""
    by_random = {row["reviews"]: row["learned"] for row in random_rows}
    sizes = [size for size in SAVED_AT if size in by_random and ENOUGH * size <= len(data.texts) * 4 // 5]
    stops = sorted({*range(EVERY, max(sizes) + 1, EVERY), *(round(ENOUGH * size) for size in sizes)})
    stops = [stop for stop in stops if stop <= max(round(ENOUGH * size) for size in sizes)]
    curves = [queue_curve(data, stops, seed) for seed in range(seeds)]
    reached = dict(zip(stops, np.mean(curves, axis=0), strict=True))
    smooth_random = dict(zip(by_random, monotone(by_random), strict=True))
    rows = []
    for size in sizes:
        enough = [stop for stop, value in zip(stops, monotone(reached), strict=True) if value >= smooth_random[size]]
        gain = reached[round(ENOUGH * size)] - by_random[size]
        rows.append(
            {
                "set": data.name,
                "reviews": size,
                "random": by_random[size],
                "queue": round(float(reached[round(ENOUGH * size)]), 4),
                "gain": round(float(gain), 4),
                "needed": round(enough[0] / size, 3) if enough else None,
                "same_n": round(float(reached[size] - by_random[size]), 4) if size in reached else None,
            }
        )
    return rows


def monotone(accuracies: dict[int, float]) -> np.ndarray:
    """The accuracies by number of reviews, without the noise that would let more reviews look worse."""
    return IsotonicRegression().fit_transform(list(accuracies), list(accuracies.values()))


def queue_curve(data: DataSet, stops: Sequence[int], seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    texts = np.sort(rng.permutation(len(data.texts))[: len(data.texts) * 4 // 5])
    return [accuracy(data, lesson) for lesson in review(data, by_margin, stops, rng, texts)]


def accuracy(data: DataSet, lesson: Lesson) -> float:
    return float((lesson.fit.head.logits(data.test_vectors).argmax(axis=1) == data.test_labels).mean())


# --- Fine-tuning ------------------------------------------------------------------------------------------------------


def beside_fine_tuning(data: DataSet) -> list[dict]:
    """The first seed's random reviews, learned from by us and by contrastive fine-tuning of the same encoder."""
    rows = []
    for lesson in review(data, at_random, FINE_TUNED_AT, np.random.default_rng(0)):
        watch = Stopwatch()
        reached = fine_tuned_accuracy(data, lesson.rows)
        seconds = watch.read()
        rows.append(
            {
                "set": data.name,
                "reviews": len(lesson.rows),
                "learned": round(accuracy(data, lesson), 4),
                "setfit": round(reached, 4),
                "learned_cpu": round(lesson.cpu_seconds, 2),
                "setfit_wall": seconds["wall_seconds"],
                "setfit_cpu": seconds["cpu_seconds"],
            }
        )
    return rows


def fine_tuned_accuracy(data: DataSet, rows: Rows) -> float:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    folder = model_weights.model_folder(model_weights.BUNDLED_NAMES[0], local_files_only=True)
    model = SetFitModel.from_pretrained(str(folder))
    reviewed = {"text": [data.texts[row] for row in rows], "label": data.labels[rows].tolist()}
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            batch_size=16,
            num_epochs=1,
            num_iterations=max(1, PAIRS // (2 * len(rows))),
            seed=0,
            output_dir=folder,
            report_to="none",
        )
        Trainer(model=model, args=settings, train_dataset=Dataset.from_dict(reviewed)).train()
    return float(np.mean(np.asarray(model.predict(data.test_texts)) == data.test_labels))


# --- Figures ----------------------------------------------------------------------------------------------------------


def mean_row(rows: list[dict]) -> dict:
    """The mean of each figure over the rows that have it; of the slowest the greatest."""
    row = {}
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        summed = max if name.startswith("slowest") else np.mean
        row[name] = round(float(summed(values)), 4) if values else None
    return row


def print_table(title: str, rows: list[dict], columns: Sequence[str]) -> None:
    if not rows:
        return
    print(f"\n{title}\n", *(f"{column:>11}" for column in columns))
    for row in rows:
        print(" ", *(f"{shown(row.get(column)):>11}" for column in columns), flush=True)


def shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}".replace(".000", "") if isinstance(value, float) else str(value)[:11]


if __name__ == "__main__":
    main()
