"""1,000 answers of each provider, and how many of them are no category of the project: there must be none.

    TEST_MODELS=FOLDER python benchmarks/valid_answers.py [--data FOLDER] [--texts 1000] [--only NAME,NAME]

SmolLM2-135M-Instruct for whatever generates or scores, behind llama.cpp for the servers' wire formats; all-MiniLM-L6-v2
for the encoder; small random models for the kinds of which no weights come in a package, which answer nonsense, but
through the same code. Besides: a stand-in whose every third answer is prose, half an answer, a wrong category or
nothing. A text may fail with a reason; it may not get what is no category. The last line printed is one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from labeling.providers.base import Answers, CategorySpec, Provider  # noqa: E402
from labeling.providers.hf_inference import HFInference  # noqa: E402
from labeling.providers.local import open_model  # noqa: E402
from labeling.providers.ollama import Ollama  # noqa: E402
from labeling.providers.openai_compatible import OpenAICompatible  # noqa: E402
from tests.labeling.providers import tiny_models  # noqa: E402
from tests.labeling.providers.llama_server import LlamaServer, OllamaProxy, find_model  # noqa: E402
from tests.stand_in_server import StandIn  # noqa: E402

FAULTS: list[str | None] = ["It is certainly sport.", '{"category": "Cook', '{"category": "Cooking"}', "", "null", "[]"]
CHUNK = 100


@dataclass(frozen=True)
class Tally:
    """What became of the texts: answered with probabilities over the categories, failed with a reason, or neither."""

    answered: int = 0
    failed: int = 0
    invalid: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def tally(answers: Answers, n_categories: int, seconds: float) -> Tally:
    failed = np.array([error is not None for error in answers.errors])
    scores = answers.scores[~failed]
    assert answers.scores.shape == (len(failed), n_categories)
    valid = np.isfinite(scores).all(1) & (scores >= 0).all(1) & (abs(scores.sum(1) - 1) < 1e-3)
    # A text that failed has no scores: nothing could take them for an answer.
    quiet = (answers.scores[failed] == 0).all(1)
    return Tally(int(valid.sum()), int(failed.sum()), int((~valid).sum() + (~quiet).sum()), seconds)


def ask(provider: Provider, texts: list[str], categories: list[CategorySpec]) -> Tally:
    total = Tally()
    for start in range(0, len(texts), CHUNK):
        since = time.perf_counter()
        answers = provider.answer(texts[start : start + CHUNK], categories)
        total += tally(answers, len(categories), time.perf_counter() - since)
    return total


def opened(model: Path | str) -> Provider:
    return open_model(model=str(model), local_files_only=True, cache_folder=ROOT / ".cache" / "graphs")


def local(folder: Path, categories: list[CategorySpec], model_file: Path) -> dict[str, Callable[[], Provider]]:
    labels = dict(enumerate(category.name for category in categories))
    entails = {0: "contradiction", 1: "neutral", 2: "entailment"}
    judging = "ForSequenceClassification"
    return {
        "encoder": lambda: opened("all-MiniLM-L6-v2"),
        "nli (random weights)": lambda: opened(tiny_models.bert(folder / "nli", judging, id2label=entails)),
        "sequence_classifier (random weights)": lambda: opened(
            tiny_models.bert(folder / "classifier", judging, id2label=labels)
        ),
        "masked_lm (random weights)": lambda: opened(tiny_models.bert(folder / "masked", "ForMaskedLM")),
        "causal_lm": lambda: opened(model_file),
    }


@contextmanager
def faulty() -> Iterator[StandIn]:
    """A server whose every third answer is of no use."""
    numbers = count()
    with StandIn() as server:
        usual = server.next_step

        def next_step() -> Any:
            number = next(numbers)
            step = usual()
            return says_instead(step, FAULTS[number // 3 % len(FAULTS)]) if number % 3 == 0 else step

        server.next_step = next_step  # type: ignore[method-assign]
        yield server


def says_instead(step: Any, content: str | None) -> Any:
    return type(step)(content=content)


def remote(url: str, model: str) -> dict[str, Callable[[], Provider]]:
    long = {"timeout_seconds": 1200.0, "max_tokens": 64}
    return {
        "openai_compatible": lambda: OpenAICompatible(url, model, **long),
        "ollama": lambda: Ollama(url, model, **long),
        "hf_inference": lambda: HFInference(f"{url}/models/facebook/bart-large-mnli", ""),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--set", default="snips")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--only", default="", help="words of the names of the providers to ask")
    chosen = parser.parse_args()
    model_file = find_model()
    if not model_file:
        parser.error("Install xllamacpp, and name in TEST_MODELS a folder with SmolLM2-135M-Instruct.")
    folder = chosen.data / chosen.set
    if not folder.is_dir():
        parser.error(f"There is no {folder}. Name the folder of the sets with --data.")
    lines = [line for name in ("test", "train") for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))[: chosen.texts]
    words = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    categories = [CategorySpec(one["name"], one["description"]) for one in words]

    with (
        tempfile.TemporaryDirectory() as made,
        LlamaServer(model_file) as llama,
        OllamaProxy(llama.url) as proxy,
        faulty() as bad,
    ):
        misled = {f"{name}, faulty server": make for name, make in remote(bad.url, "stand-in").items()}
        behind_llama = {
            "openai_compatible, llama.cpp": remote(llama.url, "smollm2")["openai_compatible"],
            "ollama, llama.cpp": remote(proxy.url, "smollm2")["ollama"],
        }
        every = local(Path(made), categories, model_file) | misled | behind_llama
        found = {}
        for name, make in every.items():
            if any(word in name for word in chosen.only.split(",")):
                one = found[name] = ask(make(), texts, categories)
                print(
                    f"{name}: {one.answered} answered, {one.failed} failed, {one.invalid} invalid, {one.seconds:.0f} s"
                )
    print(json.dumps({name: one.__dict__ | {"seconds": round(one.seconds, 1)} for name, one in found.items()}))


if __name__ == "__main__":
    main()
