"""Accuracy after 0 to 1,000 reviews: the learned head beside plain logistic regression and the head before any review.

    python benchmarks/learning_curve.py [DATASET ...] [--data FOLDER] [--strategy random] [--quick] [--setfit]

A data set is a folder with `train.jsonl`, `test.jsonl` ({"text", "label"} a line) and `categories.json` ([{"name",
"description"}]). Reviews are drawn from the train texts, which are also the unlabeled pool; accuracy and calibration
are measured on the test texts. A set with too few train texts is left out of the mean at that number of reviews.

`lr` is logistic regression with scikit-learn's C of 1, `lr_c10` with 10, which suits unit vectors better; `gap` is the
learned head less the best of the three beside it, `oof_gap` what it says of itself less what it reaches. With --setfit,
fine-tuning with the package `setfit` stands beside, where it is installed. The last line printed is one JSON object.
"""

import argparse
import hashlib
import importlib.util
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from accuracy import embed_categories  # noqa: E402

from labeling.learning import calibration, learned, zero_shot  # noqa: E402
from labeling.learning.classifier import LinearHead  # noqa: E402
from labeling.providers import weights as model_weights  # noqa: E402
from labeling.providers.encoder import Encoder  # noqa: E402

SIZES = (0, 10, 25, 50, 100, 200, 500, 1000)
QUICK_SIZES = (0, 25, 200)
SEEDS, QUICK_SEEDS = 5, 2
COLUMNS = ("reviews", "lr", "lr_c10", "prior", "learned", "gap", "ece", "oof_gap", "mix", "seconds", "slowest")


@dataclass(frozen=True)
class DataSet:
    name: str
    texts: list[str]
    vectors: np.ndarray
    labels: np.ndarray
    test_texts: list[str]
    test_vectors: np.ndarray
    test_labels: np.ndarray
    prior: LinearHead


@dataclass(frozen=True)
class Choice:
    """Rows of the train texts to review next, and the chance with which each was chosen."""

    rows: np.ndarray
    probabilities: np.ndarray


# Chooses `count` of the `left` rows, knowing the head learned so far: (vectors, left, count, head, rng) -> Choice.
Strategy = Callable[[np.ndarray, np.ndarray, int, LinearHead, np.random.Generator], Choice]


def choose_at_random(
    vectors: np.ndarray, left: np.ndarray, count: int, head: LinearHead, rng: np.random.Generator
) -> Choice:
    return Choice(rng.permutation(left)[:count], np.full(count, count / len(left)))


STRATEGIES: dict[str, Strategy] = {"random": choose_at_random}


def main() -> None:
    arguments = parse_arguments()
    folders = [arguments.data / name for name in arguments.datasets] or sorted(
        path.parent for path in arguments.data.glob("*/categories.json")
    )
    if not folders:
        sys.exit(f"No data set in {arguments.data}: give its folder with --data.")
    with_setfit = arguments.setfit and importlib.util.find_spec("setfit") is not None
    sizes, seeds = (QUICK_SIZES, QUICK_SEEDS) if arguments.quick else (SIZES, SEEDS)
    columns = (*COLUMNS, "setfit") if with_setfit else COLUMNS
    encoder = Encoder(cache_folder=ROOT / ".cache" / "graphs")
    results = {}
    for folder in folders:
        data = read(folder, encoder, arguments.cache)
        rows = measure(data, STRATEGIES[arguments.strategy], sizes, seeds, with_setfit)
        results[data.name] = rows
        print_table(data.name, rows, columns)
    means = [mean_row([rows[place] for rows in results.values() if len(rows) > place]) for place in range(len(sizes))]
    print_table(f"mean of {len(results)} sets", means, columns)
    print(json.dumps({"strategy": arguments.strategy, "seeds": seeds, "sets": results, "mean": means}))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Accuracy by number of reviews.")
    parser.add_argument("datasets", nargs="*", help="names of folders below --data; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "learning_curve_vectors")
    parser.add_argument("--strategy", choices=sorted(STRATEGIES), default="random", help="which text is reviewed next")
    parser.add_argument("--setfit", action="store_true", help="fine-tuning beside, where setfit is installed (slow)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds, {QUICK_SIZES} reviews")
    return parser.parse_args()


def read(folder: Path, encoder: Encoder, cache: Path) -> DataSet:
    """The texts of a set with their vectors, computed once and kept in `cache`."""
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    names = [category["name"] for category in categories]
    parts = []
    for part in ("train", "test"):
        with (folder / f"{part}.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts = [row["text"] for row in rows]
        parts.append((texts, embed(texts, encoder, cache), np.array([names.index(row["label"]) for row in rows])))
    pool = parts[0][1][: zero_shot.pool_sample_size(len(names))]
    return DataSet(folder.name, *parts[0], *parts[1], zero_shot.fit(embed_categories(encoder, categories), pool).head)


def embed(texts: list[str], encoder: Encoder, cache: Path) -> np.ndarray:
    path = cache / (hashlib.sha256(json.dumps(texts).encode()).hexdigest() + ".npy")
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder.embed(texts))
    return np.asarray(np.load(path, allow_pickle=False))


def measure(data: DataSet, choose: Strategy, sizes: Sequence[int], seeds: int, with_setfit: bool) -> list[dict]:
    """One row for each number of reviews that the set has texts for, as means over the seeds."""
    curves = [curve(data, choose, sizes, seed, with_setfit) for seed in range(seeds)]
    return [mean_row(list(rows)) for rows in zip(*curves, strict=True)]


def curve(data: DataSet, choose: Strategy, sizes: Sequence[int], seed: int, with_setfit: bool) -> list[dict]:
    """The figures of one seed; the reviews of a size are those of the size before and some more."""
    rng = np.random.default_rng(seed)
    head, rows, chances, found = data.prior, np.empty(0, dtype=int), np.empty(0), []
    for size in sizes:
        if size > len(data.texts):
            break
        left = np.setdiff1d(np.arange(len(data.texts)), rows)
        choice = choose(data.vectors, left, size - len(rows), head, rng)
        rows, chances = np.concatenate([rows, choice.rows]), np.concatenate([chances, choice.probabilities])
        is_even = choose is choose_at_random  # of growing random samples each is a random sample
        fit, seconds = timed(data, rows, None if is_even else calibration.inverse_probability_weights(chances), seed)
        head = fit.head
        figures = evaluate(data, fit, rows) | {"seconds": seconds, "slowest": seconds}
        found.append(figures | ({"setfit": setfit_accuracy(data, rows, seed)} if with_setfit and size else {}))
    return found


def timed(data: DataSet, rows: np.ndarray, weights: np.ndarray | None, seed: int) -> tuple[learned.LearnedFit, float]:
    pool = data.vectors[: zero_shot.pool_sample_size(data.prior.n_categories)]
    start = time.perf_counter()
    fit = learned.fit(data.vectors[rows], data.labels[rows], data.prior, weights=weights, pool=pool, seed=seed)
    return fit, time.perf_counter() - start


def evaluate(data: DataSet, fit: learned.LearnedFit, rows: np.ndarray) -> dict:
    """Accuracies and calibration as shares of one; `gap` is learned less the better of the two it stands beside."""
    probabilities = fit.head.probabilities(data.test_vectors)
    right = probabilities.argmax(axis=1) == data.test_labels
    prior = float((data.prior.logits(data.test_vectors).argmax(axis=1) == data.test_labels).mean())
    plain, weak = (regression_accuracy(data, rows, strength) for strength in (1.0, 10.0))
    reached = float(right.mean())
    return {
        "reviews": len(rows),
        "lr": plain,
        "lr_c10": weak,
        "prior": prior,
        "learned": reached,
        "gap": reached - max(prior, plain or 0, weak or 0),
        "ece": calibration.expected_calibration_error(probabilities.max(axis=1), right),
        "oof_gap": fit.quality.accuracy - reached if len(rows) else None,
        "mix": fit.mix,
    }


def regression_accuracy(data: DataSet, rows: np.ndarray, strength: float) -> float | None:
    """Plain logistic regression with C = `strength`; the only category where there is one, None without reviews."""
    held = data.labels[rows]
    if len(np.unique(held)) < 2:
        return float((data.test_labels == held[0]).mean()) if len(held) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge, that most texts are of a category of their own
        model = LogisticRegression(C=strength, max_iter=300).fit(data.vectors[rows], held)
    return float(model.score(data.test_vectors, data.test_labels))


def setfit_accuracy(data: DataSet, rows: np.ndarray, seed: int) -> float:
    """Contrastive fine-tuning of the bundled encoder on the same reviews."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    folder = model_weights.model_folder(model_weights.BUNDLED_NAMES[0], local_files_only=True)
    model = SetFitModel.from_pretrained(str(folder))
    reviewed = {"text": [data.texts[row] for row in rows], "label": data.labels[rows].tolist()}
    settings = TrainingArguments(batch_size=16, num_epochs=1, seed=seed)
    Trainer(model=model, args=settings, train_dataset=Dataset.from_dict(reviewed)).train()
    return float(np.mean(np.asarray(model.predict(data.test_texts)) == data.test_labels))


def mean_row(rows: list[dict]) -> dict:
    """The mean of each figure over the rows that have it; of `slowest` the greatest."""
    row = {}
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        summed = max if name == "slowest" else np.mean
        row[name] = round(float(summed(values)), 4) if values else None
    return row


def print_table(title: str, rows: list[dict], columns: Sequence[str]) -> None:
    print(f"\n{title}\n", *(f"{column:>8}" for column in columns))
    for row in rows:
        values = (row.get(column) for column in columns)
        print(
            " ",
            *(
                "       -" if v is None else f"{v:8.0f}" if c == "reviews" else f"{v:8.3f}"
                for c, v in zip(columns, values, strict=True)
            ),
        )


if __name__ == "__main__":
    main()
