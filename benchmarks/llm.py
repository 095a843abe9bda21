"""Labels per second of our OpenAI-compatible provider beside a plain loop over the official client.

    TEST_MODELS=FOLDER python benchmarks/llm.py [--data FOLDER] [--quick] [--url URL --model NAME] [--autolabel PYTHON]

The same prompt and JSON schema for both, who take turns on slices of the texts. The loop asks for no logprobs: it has a
label and no confidence. With --autolabel, the interpreter of an environment that has refuel-autolabel, Autolabel labels
the same texts with its own prompt. Two servers, since they limit a client differently: llama.cpp with
SmolLM2-135M-Instruct on one processor core, which has to read each text whoever asks, and one without a model that
answers after 0.2 seconds, as a server far away does. With --url another server takes the place of llama.cpp. Counted
besides: answers that are no category, which must be none. The last line printed is one JSON object.
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from labeling.providers import parsing  # noqa: E402
from labeling.providers.base import CategorySpec, Prompt  # noqa: E402
from labeling.providers.openai_compatible import OpenAICompatible  # noqa: E402
from labeling.providers.prompting import INSTRUCTIONS, Briefing, Form  # noqa: E402
from tests.labeling.providers.llama_server import LlamaServer, find_model  # noqa: E402
from tests.stand_in_server import StandIn  # noqa: E402

SLICES = 4
MAX_TOKENS = 64

Complete = Callable[[dict[str, Any]], str]


@dataclass
class Contestant:
    """Time spent, and the names that were answered; None where the answer was no category."""

    seconds: float
    labels: list[str | None]

    @property
    def per_second(self) -> float:
        return len(self.labels) / self.seconds


def official_client(url: str) -> tuple[str, Complete]:
    """One completion after the other by the `openai` package, or by httpx where that is not installed."""
    try:
        from openai import OpenAI
    except ImportError:
        client = httpx.Client(base_url=url, timeout=120)
        return "httpx, sequential", lambda body: client.post("/v1/chat/completions", json=body).json()["choices"][0][
            "message"
        ]["content"]
    official = OpenAI(base_url=f"{url}/v1", api_key="none")
    name = f"openai {importlib.metadata.version('openai')}, sequential"
    return name, lambda body: official.chat.completions.create(**body).choices[0].message.content or ""


def label_one_by_one(complete: Complete, texts: list[str], briefing: Briefing, form: Form, model: str) -> Contestant:
    schema = {"name": "answer", "strict": True, "schema": parsing.schema(form)}
    common = {
        "model": model,
        "temperature": 0,
        "seed": 0,
        "max_tokens": MAX_TOKENS,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }
    since = time.perf_counter()
    contents = [complete(common | {"messages": briefing.messages([text])}) for text in texts]
    return Contestant(time.perf_counter() - since, [_named(content, form) for content in contents])


def label_together(provider: OpenAICompatible, texts: list[str], categories: list[CategorySpec]) -> Contestant:
    since = time.perf_counter()
    answers = provider.answer(texts, categories)
    seconds = time.perf_counter() - since
    found = zip(answers.scores, answers.errors, strict=True)
    return Contestant(seconds, [None if error else categories[scores.argmax()].name for scores, error in found])


def _named(content: str, form: Form) -> str | None:
    try:
        name = json.loads(content)["category"]
    except (ValueError, KeyError, TypeError):
        return None
    return name if name in form.names else None


def label_with_autolabel(interpreter: str, url: str, texts: list[str], names: list[str]) -> Contestant:
    asked = {"url": url, "texts": texts, "categories": names, "instructions": INSTRUCTIONS}
    command = [interpreter, str(Path(__file__).with_name("llm_autolabel.py"))]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return Contestant(**json.loads(done.stdout.splitlines()[-1]))


def added(parts: list[Contestant]) -> Contestant:
    return Contestant(sum(part.seconds for part in parts), [label for part in parts for label in part.labels])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--set", default="ag_news")
    parser.add_argument("--quick", action="store_true", help="40 texts instead of 200")
    parser.add_argument("--url", help="a server that runs already")
    parser.add_argument("--model", default="smollm2", help="its model")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--autolabel", metavar="PYTHON", help="of an environment that has refuel-autolabel")
    chosen = parser.parse_args()

    folder = chosen.data / chosen.set
    if not folder.is_dir():
        parser.error(f"There is no {folder}. Name the folder of the sets with --data.")
    rows = [json.loads(line) for line in (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = rows[: 40 if chosen.quick else 200]
    words = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    categories = [CategorySpec(one["name"], one["description"]) for one in words]
    model_file = None if chosen.url else find_model()
    if not chosen.url and not model_file:
        parser.error("Install xllamacpp, and name in TEST_MODELS a folder with SmolLM2-135M-Instruct, or give --url.")

    with StandIn() as far_away:
        far_away.seconds = 0.2
        print(f"a server that answers after {far_away.seconds} seconds")
        far = compare(far_away.url, "stand-in", rows, categories, chosen.concurrency)
    print("llama.cpp" if model_file else chosen.url)
    with LlamaServer(model_file) if model_file else nullcontext() as server:
        url = server.url if server else chosen.url
        near = compare(url, chosen.model, rows, categories, chosen.concurrency)
        if chosen.autolabel:
            near["autolabel"] = against_autolabel(chosen.autolabel, url, rows, categories)
    print(json.dumps({"texts": len(rows), "concurrency": chosen.concurrency, "model": near, "latency": far}))


def against_autolabel(
    interpreter: str, url: str, rows: list[dict[str, str]], categories: list[CategorySpec]
) -> dict[str, Any]:
    found = label_with_autolabel(
        interpreter, url, [row["text"] for row in rows], [category.name for category in categories]
    )
    usable = len(rows) - found.labels.count(None)
    return {
        "answers_per_second": round(found.per_second, 2),
        "labels_per_second": round(usable / found.seconds, 2),
        "no_category": found.labels.count(None),
    }


def compare(
    url: str, model: str, rows: list[dict[str, str]], categories: list[CategorySpec], concurrency: int
) -> dict[str, Any]:
    form = Form(tuple(category.name for category in categories))
    briefing = Briefing(Prompt(), categories, form)
    rival, complete = official_client(url)
    # A call ends after 1.25 times the timeout: a slow machine shall not be cut off in the middle of a slice.
    provider = OpenAICompatible(url, model, concurrency=concurrency, timeout_seconds=1200, max_tokens=MAX_TOKENS)
    texts = [row["text"] for row in rows]
    # Each of the server's slots reads the fixed part of the prompt once.
    label_one_by_one(complete, texts[:1], briefing, form, model)
    label_together(provider, texts[:concurrency], categories)

    sequential, ours = [], []
    size = -(-len(texts) // SLICES)
    for start in range(0, len(texts), size):
        part = texts[start : start + size]
        sequential.append(label_one_by_one(complete, part, briefing, form, model))
        ours.append(label_together(provider, part, categories))
        print(f"  {rival}: {sequential[-1].per_second:.2f} labels/s, ours: {ours[-1].per_second:.2f}")
    one, many = added(sequential), added(ours)
    truth = [row["label"] for row in rows]
    return {
        "rival": rival,
        "rival_labels_per_second": round(one.per_second, 2),
        "labels_per_second": round(many.per_second, 2),
        "times_rival": round(many.per_second / one.per_second, 2),
        "rival_no_category": one.labels.count(None),
        "no_category": many.labels.count(None),
        "rival_accuracy": round(sum(a == b for a, b in zip(one.labels, truth, strict=True)) / len(truth), 3),
        "accuracy": round(sum(a == b for a, b in zip(many.labels, truth, strict=True)) / len(truth), 3),
    }


if __name__ == "__main__":
    main()
