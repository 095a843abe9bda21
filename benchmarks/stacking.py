"""A model that only answers, an encoder's vectors, and both stacked, after 0 to 500 reviews.

    OMP_NUM_THREADS=1 python benchmarks/stacking.py [DATASET ...] [--data FOLDER] [--quick]

Data sets are those of `learning_curve.py`. The answering model is made up, with a fixed seed, so that its errors are
known: `good` (0.9 right), `biased` (as good, but a quarter of the categories mostly called another), `weak` (0.6
right), `sure` (0.8 right, always with probability 1 - 1e-7), `useless` (right by chance); `words` is the encoder's own
answer by the categories' words, made too sure, whose errors are those of the vectors. `gap` is the stacked head less
the better of the model and the vectors alone. The last line printed is one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from data_sets import DataSet, read  # noqa: E402
from learning_curve import mean_row, print_table  # noqa: E402

from labeling.learning import answers, calibration, stacked  # noqa: E402
from labeling.learning.classifier import LinearHead, softmax  # noqa: E402
from labeling.providers.encoder import Encoder  # noqa: E402

SIZES, SEEDS = (0, 10, 25, 50, 100, 200, 500), 5
QUICK_SIZES, QUICK_SEEDS = (10, 50, 300), 2
KINDS = ("good", "biased", "weak", "sure", "useless", "words")
COLUMNS = ("reviews", "model", "vectors", "stacked", "gap", "model_ece", "ece", "oof_gap", "seconds")
POOL = 5_000


def main() -> None:
    arguments = parse_arguments()
    folders = [arguments.data / name for name in arguments.datasets] or sorted(
        path.parent for path in arguments.data.glob("*/categories.json")
    )
    if not folders:
        sys.exit(f"No data set in {arguments.data}: give its folder with --data.")
    sizes, seeds = (QUICK_SIZES, QUICK_SEEDS) if arguments.quick else (SIZES, SEEDS)
    encoder = Encoder(cache_folder=ROOT / ".cache" / "graphs")
    results = {}
    for folder in folders:
        data = read(folder, encoder, arguments.cache)
        for kind in KINDS:
            curves = [curve(data, kind, sizes, seed) for seed in range(seeds)]
            rows = [mean_row(list(row)) for row in zip(*curves, strict=True)]
            results[f"{data.name} {kind}"] = rows
            print_table(f"{data.name} {kind}", rows, COLUMNS)
    worst = min((row["gap"], name, row["reviews"]) for name, rows in results.items() for row in rows)
    print(json.dumps({"seeds": seeds, "sets": results, "worst_gap": worst}))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stacked learning beside its parts.")
    parser.add_argument("datasets", nargs="*", help="names of folders below --data; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "learning_curve_vectors")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds, {QUICK_SIZES} reviews")
    return parser.parse_args()


def curve(data: DataSet, kind: str, sizes: tuple[int, ...], seed: int) -> list[dict]:
    """The figures of one seed; the reviews of a size are those of the size before and some more."""
    rng = np.random.default_rng(seed)
    train = answers.features(said(data, kind, data.labels, data.vectors, rng), data.vectors)
    test = answers.features(said(data, kind, data.test_labels, data.test_vectors, rng), data.test_vectors)
    order = rng.permutation(len(train))
    return [figures(data, train, test, order[:size]) for size in sizes if size <= len(order)]


def said(data: DataSet, kind: str, labels: np.ndarray, vectors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Log-probabilities (n, n_categories) of a made-up model."""
    if kind == "words":
        prior = data.prior
        return np.log(np.maximum(softmax(prior.logits(vectors) * 3), 1e-9))
    rows = confusion(kind, data.prior.n_categories)[labels]
    places = (rows.cumsum(axis=1) < rng.random((len(labels), 1))).sum(axis=1).clip(max=rows.shape[1] - 1)
    choice = np.eye(rows.shape[1])[places]
    if kind == "sure":
        return np.log(np.where(choice > 0, 1 - 1e-7, 1e-7 / max(rows.shape[1] - 1, 1)))
    scores = (4 + np.log(rows.shape[1])) * choice + rng.normal(size=rows.shape)
    return np.log(softmax(scores))


def confusion(kind: str, k: int) -> np.ndarray:
    """How often the model says each category (columns) of texts of each category (rows)."""
    right = {"good": 0.9, "biased": 0.9, "weak": 0.6, "sure": 0.8, "useless": 1 / k}[kind]
    rows = np.full((k, k), (1 - right) / (k - 1))
    np.fill_diagonal(rows, right)
    if kind == "biased":
        for category in range(0, k - 1, 4):
            rows[category] = 0.1 / k
            rows[category, [category, category + 1]] = 0.2, 0.7
            rows[category] /= rows[category].sum()
    return rows


def figures(data: DataSet, train: np.ndarray, test: np.ndarray, rows: np.ndarray) -> dict:
    """Accuracies, calibration errors and CPU seconds; `oof_gap` is what the fit says of itself less what it reaches."""
    k = data.prior.n_categories
    start = time.process_time()
    fit = stacked.fit(train[rows], data.labels[rows], data.prior, pool=train[:POOL])
    seconds = time.process_time() - start
    model, model_ece = judged(answers.own_answer(k, data.prior.dim), test, data.test_labels)
    vectors, _ = judged(fit.vectors.head, test[:, k:], data.test_labels)
    reached, ece = judged(fit.head, test, data.test_labels)
    return {
        "reviews": len(rows),
        "model": model,
        "vectors": vectors,
        "stacked": reached,
        # Without reviews it is the model's own answer, as it should be.
        "gap": reached - (max(model, vectors) if len(rows) else model),
        "model_ece": model_ece,
        "ece": ece,
        "oof_gap": fit.quality.accuracy - reached if len(rows) else None,
        "seconds": seconds,
    } | {f"part_{name}": float(part) for name, part in zip(stacked.MEMBERS, fit.parts, strict=True)}


def judged(head: LinearHead, rows: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    probabilities = head.probabilities(rows)
    right = probabilities.argmax(axis=1) == labels
    return float(right.mean()), calibration.expected_calibration_error(probabilities.max(axis=1), right)


if __name__ == "__main__":
    main()
