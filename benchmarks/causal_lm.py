"""Texts per second of a causal language model that scores the categories' names, beside one that generates a name.

    TEST_MODELS=FOLDER python benchmarks/causal_lm.py [--data FOLDER] [--set ag_news] [--texts 40]

SmolLM2-135M-Instruct from its .gguf file for both, one thread each, in turns on slices of the same texts. The rival is
`transformers.pipeline("text-generation")` with the same prompt through the same chat template, greedy, at most as many
new tokens as the longest name has and the end of the answer. Counted besides: generated answers that are no category.
The last line printed is one JSON object.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from labeling.providers.base import CategorySpec  # noqa: E402
from labeling.providers.causal_lm import INSTRUCTIONS, TEMPLATE, CausalLM  # noqa: E402
from tests.labeling.providers.llama_server import find_model  # noqa: E402

SLICES = 4


class Timed:
    """Wall and processor seconds spent, and the labels."""

    def __init__(self, label: Callable[[list[str]], list[str]]) -> None:
        self._label = label
        self.wall = self.processor = 0.0
        self.labels: list[str] = []

    def go_on(self, texts: list[str]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.labels += self._label(texts)
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor


def by_likelihood(model_file: Path, categories: list[CategorySpec]) -> Callable[[list[str]], list[str]]:
    provider = CausalLM(str(model_file))
    return lambda texts: [categories[row.argmax()].name for row in provider.predict(texts, categories)]


def by_generating(model_file: Path, categories: list[CategorySpec]) -> Callable[[list[str]], list[str]]:
    import transformers

    where = {"pretrained_model_name_or_path": model_file.parent, "gguf_file": model_file.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**where)
    model = transformers.AutoModelForCausalLM.from_pretrained(**where)
    generate = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)
    longest = max(len(tokenizer.encode(one.name, add_special_tokens=False)) for one in categories)
    listed = "\n".join(f"- {one.name}: {one.description}" for one in categories)

    def asked(text: str) -> list[dict[str, str]]:
        values = {"instructions": INSTRUCTIONS, "categories": listed, "examples": "", "text": text}
        return [{"role": "user", "content": TEMPLATE.format(**values)}]

    def label(texts: list[str]) -> list[str]:
        options = {"max_new_tokens": longest + 1, "do_sample": False, "return_full_text": False}
        found = generate([asked(text) for text in texts], **options)
        return [one[0]["generated_text"].strip() for one in found]

    return label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--set", default="ag_news")
    parser.add_argument("--texts", type=int, default=40)
    chosen = parser.parse_args()
    model_file, folder = find_model(), chosen.data / chosen.set
    if not model_file:
        parser.error("Name in TEST_MODELS a folder with SmolLM2-135M-Instruct.")
    if not folder.is_dir():
        parser.error(f"There is no {folder}. Name the folder of the sets with --data.")
    rows = [json.loads(line) for line in (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = rows[: chosen.texts]
    words = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    categories = [CategorySpec(one["name"], one["description"]) for one in words]
    print(json.dumps(compare(model_file, categories, rows)))


def compare(model_file: Path, categories: list[CategorySpec], rows: list[dict[str, str]]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    ours, rival = Timed(by_likelihood(model_file, categories)), Timed(by_generating(model_file, categories))
    for warm in (by._label for by in (ours, rival)):
        warm([rows[0]["text"]])
    size = -(-len(rows) // SLICES)
    for start in range(0, len(rows), size):
        texts = [row["text"] for row in rows[start : start + size]]
        ours.go_on(texts)
        rival.go_on(texts)
        print(f"likelihoods {len(ours.labels) / ours.wall:.2f} texts/s, generated {len(rival.labels) / rival.wall:.2f}")
    names = {one.name for one in categories}
    return {
        "texts": len(rows),
        "texts_per_second": round(len(rows) / ours.wall, 2),
        "rival_texts_per_second": round(len(rows) / rival.wall, 2),
        "times": round(rival.wall / ours.wall, 2),
        "times_processor": round(rival.processor / ours.processor, 2),
        "rival_no_category": sum(label not in names for label in rival.labels),
        "accuracy": round(sum(a == row["label"] for a, row in zip(ours.labels, rows, strict=True)) / len(rows), 3),
    }


if __name__ == "__main__":
    main()
