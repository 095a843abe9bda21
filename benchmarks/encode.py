"""Texts per second of our encoder beside sentence-transformers, and the accuracy that the fast mode costs.

    python benchmarks/encode.py [--data FOLDER] [--quick]

The same model, the same texts of mixed length, one process. The contestants take turns (A B C, A B C, ...), each figure
is a median over the rounds, wall and processor seconds. sentence-transformers runs at its best batch size. FOLDER holds
one folder a set with train.jsonl and test.jsonl, lines {"text", "label"}. The last line printed is one JSON object.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from labeling.providers.encoder import Encoder  # noqa: E402
from labeling.providers.weights import BUNDLED_NAMES, model_folder  # noqa: E402

Vectors = NDArray[np.float32]
Encode = Callable[[list[str]], Vectors]
BATCH_SIZES = (16, 32, 64, 128)


@dataclass
class Timing:
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, encode: Encode, texts: list[str]) -> Vectors:
        wall, cpu = time.perf_counter(), time.process_time()
        vectors = encode(texts)
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        return vectors


def read(file: Path, limit: int) -> list[dict[str, str]]:
    """A random `limit` of the rows, the same ones every time."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(rows)
    return rows[:limit]


def mixed_texts(data: Path, each: int) -> list[str]:
    texts = [row["text"] for file in sorted(data.glob("*/test.jsonl")) for row in read(file, each)]
    random.Random(1).shuffle(texts)
    return texts


def rival() -> Callable[[int], Encode]:
    """sentence-transformers on the same weights, for a batch size."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder(BUNDLED_NAMES[0], local_files_only=True)), device="cpu")

    def with_batch_size(size: int) -> Encode:
        return lambda texts: model.encode(texts, batch_size=size, normalize_embeddings=True, show_progress_bar=False)

    return with_batch_size


def best_batch_size(make: Callable[[int], Encode], texts: list[str]) -> int:
    """The batch size with the least processor time, which other processes disturb less than wall time."""
    spent = {}
    for size in BATCH_SIZES:
        timings = Timing()
        for _ in range(2):
            timings.measure(make(size), texts)
        spent[size] = min(timings.cpu)
        print(f"  sentence-transformers, batch size {size}: {spent[size]:.2f} processor seconds")
    return min(spent, key=spent.__getitem__)


def take_turns(
    contestants: dict[str, Encode], texts: list[str], rounds: int
) -> tuple[dict[str, Timing], dict[str, Vectors]]:
    timings = {name: Timing() for name in contestants}
    vectors = {}
    for _ in range(rounds):
        for name, encode in contestants.items():
            vectors[name] = timings[name].measure(encode, texts)
    return timings, vectors


def accuracies(data: Path, exact: Encode, fast: Encode, *, n_train: int, n_test: int) -> dict[str, dict[str, float]]:
    """Test accuracy by set, both modes, of two classifiers: nearest category description and logistic regression."""
    found = {}
    for folder in sorted(file.parent for file in data.glob("*/test.jsonl")):
        train, test = read(folder / "train.jsonl", n_train), read(folder / "test.jsonl", n_test)
        found[folder.name] = {
            f"{mode} {way}": accuracy
            for mode, encode in (("exact", exact), ("fast", fast))
            for way, accuracy in classify(encode, folder, train, test).items()
        }
        print(f"  {folder.name}: " + ", ".join(f"{key} {value:.3f}" for key, value in found[folder.name].items()))
    return found


def classify(encode: Encode, folder: Path, train: list[dict[str, str]], test: list[dict[str, str]]) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression

    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    names = [category["name"] for category in categories]
    described = encode([f"{category['name']}: {category['description']}" for category in categories])
    truth = np.array([row["label"] for row in test])
    vectors = encode([row["text"] for row in test])
    guessed = np.array(names)[(vectors @ described.T).argmax(axis=1)]
    learned = LogisticRegression(C=10, max_iter=300).fit(
        encode([row["text"] for row in train]), [row["label"] for row in train]
    )
    return {
        "described": float((guessed == truth).mean()),
        "learned": float((learned.predict(vectors) == truth).mean()),
    }


def points_lost(found: dict[str, dict[str, float]], way: str) -> float:
    return 100 * statistics.mean(each[f"exact {way}"] - each[f"fast {way}"] for each in found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--quick", action="store_true", help="under a minute, with larger uncertainty")
    chosen = parser.parse_args()
    texts = mixed_texts(chosen.data, 15 if chosen.quick else 60)
    if not texts:
        parser.error(f"There is no */test.jsonl in {chosen.data}. Name a folder of sets with --data.")

    graphs = ROOT / ".cache" / "graphs"
    exact, fast = Encoder(mode="exact", cache_folder=graphs), Encoder(mode="fast", cache_folder=graphs)
    make_rival = rival()
    print(f"{len(texts)} texts, {sum(map(len, texts))} characters")
    size = 32 if chosen.quick else best_batch_size(make_rival, texts[: len(texts) // 2])
    contestants: dict[str, Encode] = {"rival": make_rival(size), "exact": exact.embed, "fast": fast.embed}
    for encode in contestants.values():
        encode(texts[:20])
    timings, vectors = take_turns(contestants, texts, 3)

    result: dict[str, object] = {"texts": len(texts), "rival_batch_size": size}
    for name, timing in timings.items():
        wall, cpu = statistics.median(timing.wall), statistics.median(timing.cpu)
        result[name] = {"texts_per_second": round(len(texts) / wall, 1), "cpu_seconds": round(cpu, 2)}
        result[f"{name}_times_rival_wall"] = round(statistics.median(timings["rival"].wall) / wall, 2)
        result[f"{name}_times_rival_cpu"] = round(statistics.median(timings["rival"].cpu) / cpu, 2)
        result[f"{name}_least_cosine_to_torch"] = round(float((vectors[name] * vectors["rival"]).sum(axis=1).min()), 6)
        print(f"  {name}: {result[name]}, {result[f'{name}_times_rival_wall']} times sentence-transformers")

    limits = {"n_train": 150, "n_test": 150} if chosen.quick else {"n_train": 600, "n_test": 500}
    found = accuracies(chosen.data, exact.embed, fast.embed, **limits)
    result["accuracy"] = {name: {key: round(value, 4) for key, value in each.items()} for name, each in found.items()}
    for way in ("described", "learned"):
        result[f"fast_points_lost_{way}"] = round(points_lost(found, way), 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
