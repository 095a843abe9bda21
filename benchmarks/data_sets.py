"""Labeled texts to measure on: read from a folder, embedded once, and kept.

A data set is a folder with `train.jsonl`, `test.jsonl` ({"text", "label"} a line) and `categories.json` ([{"name",
"description"}]).
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from accuracy import embed_categories  # noqa: E402

from labeling.learning import zero_shot  # noqa: E402
from labeling.learning.classifier import LinearHead  # noqa: E402
from labeling.providers.encoder import Encoder  # noqa: E402

QUICK_TRAIN, QUICK_TEST = 300, 150

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DataSet:
    """Texts to review and texts to test on, with unit vectors (n, dim) and labels (n,) in 0..n_categories-1.

    `words` (n_categories, dim) are the categories' prototypes, `prior` the zero-shot head fitted on them and on `pool`,
    a part of the train vectors.
    """

    name: str
    texts: list[str]
    vectors: Vectors
    labels: Rows
    test_texts: list[str]
    test_vectors: Vectors
    test_labels: Rows
    words: Vectors
    pool: Vectors
    prior: LinearHead


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("datasets", nargs="*", help="names of folders below --data; default: all")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "benchmark_vectors")
    parser.add_argument("--quick", action="store_true", help="few texts and repetitions: under a minute, no figures")


def read_all(arguments: argparse.Namespace) -> list[DataSet]:
    """The sets that the arguments name, small with --quick. Ends the program when there are none."""
    folders = [arguments.data / name for name in arguments.datasets] or sorted(
        path.parent for path in arguments.data.glob("*/categories.json")
    )
    if not folders:
        sys.exit(f"No data set in {arguments.data}: give its folder with --data.")
    encoder = Encoder(cache_folder=ROOT / ".cache" / "graphs")
    return [read(folder, encoder, arguments.cache, arguments.quick) for folder in folders]


def read(folder: Path, encoder: Encoder, cache: Path, is_quick: bool = False) -> DataSet:
    """The texts of a set with their vectors, computed once and kept in `cache`."""
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    names = [category["name"] for category in categories]
    train, test = (
        read_part(folder / f"{part}.jsonl", names, limit if is_quick else None)
        for part, limit in (("train", QUICK_TRAIN), ("test", QUICK_TEST))
    )
    vectors, test_vectors = (embed(texts, encoder, cache) for texts, _ in (train, test))
    pool = vectors[: zero_shot.pool_sample_size(len(names))]
    words = embed_categories(encoder, categories)
    prior = zero_shot.fit(words, pool).head
    return DataSet(folder.name, train[0], vectors, train[1], test[0], test_vectors, test[1], words, pool, prior)


def read_part(path: Path, names: list[str], limit: int | None) -> tuple[list[str], Rows]:
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if limit and len(rows) > limit:
        rows = [rows[place] for place in np.random.default_rng(0).choice(len(rows), limit, replace=False)]
    return [row["text"] for row in rows], np.array([names.index(row["label"]) for row in rows])


def embed(texts: list[str], encoder: Encoder, cache: Path) -> Vectors:
    path = cache / (hashlib.sha256(json.dumps(texts).encode()).hexdigest() + ".npy")
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder.embed(texts))
    return np.asarray(np.load(path, allow_pickle=False))


class Stopwatch:
    """Seconds on the wall and of this process's processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        wall, processor = time.perf_counter() - self._wall, time.process_time() - self._processor
        return {"wall_seconds": round(wall, 2), "cpu_seconds": round(processor, 2)}
