"""Accuracy of zero-shot labeling on labeled data sets, plain and pool-aware, and how far its confidence holds.

    python benchmarks/accuracy.py [DATASET ...] [--data FOLDER] [--quick]

A data set is a folder with `test.jsonl` ({"text", "label"} a line) and `categories.json` ([{"name", "description"}]).
The pool is the test texts without their labels. The last line printed is one JSON object with all figures.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from labeling.learning import zero_shot  # noqa: E402
from labeling.providers.encoder import Encoder  # noqa: E402

QUICK_TEXTS = 400
HEADINGS = ("set", "n", "k", "plain", "pool_aware", "gain", "blend", "confidence", "ece", "above_80", "above_80_ok")


def main() -> None:
    arguments = parse_arguments()
    folders = [arguments.data / name for name in arguments.datasets] or sorted(
        path.parent for path in arguments.data.glob("*/categories.json")
    )
    if not folders:
        sys.exit(f"No data set in {arguments.data}: give its folder with --data.")
    encoder = Encoder(cache_folder=ROOT / ".cache" / "graphs")
    print_row(HEADINGS)
    results = []
    for folder in folders:
        result = measure(folder, encoder, QUICK_TEXTS if arguments.quick else None)
        print_row([result[heading] for heading in HEADINGS])
        results.append(result)
    gains = [result["gain"] for result in results]
    print(json.dumps({"sets": results, "mean_gain": round(float(np.mean(gains)), 4), "worst_gain": min(gains)}))


def print_row(values: Sequence[object]) -> None:
    first, *others = ("-" if value is None else str(value) for value in values)
    print(f"{first:20}", *(f"{value:>11}" for value in others), flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Zero-shot accuracy, plain and pool-aware.")
    parser.add_argument("datasets", nargs="*", help="names of folders below --data; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK_TEXTS} texts of each set")
    return parser.parse_args()


def measure(folder: Path, encoder: Encoder, limit: int | None) -> dict:
    """All figures of one data set; accuracy, confidence and error as shares of one."""
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    with (folder / "test.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if limit and len(rows) > limit:
        rows = random.Random(0).sample(rows, limit)
    names = [category["name"] for category in categories]
    truth = np.array([names.index(row["label"]) for row in rows])
    texts = encoder.embed([row["text"] for row in rows])
    words = embed_categories(encoder, categories)
    fit = zero_shot.fit(words, texts)
    plain = accuracy(zero_shot.plain_head(words).logits(texts), truth)
    probabilities = fit.head.probabilities(texts)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    above = confidence >= 0.8
    return {
        "set": folder.name,
        "n": len(rows),
        "k": len(names),
        "plain": round(plain, 4),
        "pool_aware": round(float(right.mean()), 4),
        "gain": round(float(right.mean()) - plain, 4),
        "blend": round(fit.blend, 3),
        "confidence": round(float(confidence.mean()), 4),
        "ece": round(expected_calibration_error(confidence, right), 4),
        "above_80": round(float(above.mean()), 4),
        "above_80_ok": round(float(right[above].mean()), 4) if above.any() else None,
    }


def embed_categories(encoder: Encoder, categories: list[dict]) -> np.ndarray:
    groups = [
        zero_shot.category_sentences(c["name"], c.get("description", ""), c.get("examples", ())) for c in categories
    ]
    vectors = encoder.embed([sentence for group in groups for sentence in group])
    return zero_shot.prototypes(vectors, [len(group) for group in groups])


def accuracy(scores: np.ndarray, truth: np.ndarray) -> float:
    return float((scores.argmax(axis=1) == truth).mean())


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Mean distance of confidence and accuracy in bins of equal mass [GUO17]."""
    parts = [part for part in np.array_split(np.argsort(confidence), bins) if len(part)]
    return float(sum(len(p) * abs(confidence[p].mean() - right[p].mean()) for p in parts) / len(confidence))


if __name__ == "__main__":
    main()
