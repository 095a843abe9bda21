"""Autolabel (refuel-autolabel) over the texts that benchmarks/llm.py hands it, run by an interpreter that has it.

It needs pydantic 1, langchain and openai before 1.0, so it cannot share an environment with this program. Reads one
JSON object: the server's address, the texts and the categories. Writes one: the seconds and what each text was labeled.
"""

import csv
import json
import os
import sys
import tempfile
import time
from pathlib import Path

asked = json.load(sys.stdin)
os.environ |= {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": f"{asked['url']}/v1"}
os.chdir(tempfile.mkdtemp())

import tiktoken  # noqa: E402


class Words:
    """Counts what it would have cost; the real one downloads its vocabulary."""

    @staticmethod
    def encode(text: str) -> list[str]:
        return text.split()


tiktoken.encoding_for_model = lambda name: Words

from autolabel import AutolabelDataset, LabelingAgent  # noqa: E402

config = {
    "task_name": "benchmark",
    "task_type": "classification",
    "dataset": {"label_column": "label", "delimiter": ","},
    "model": {"provider": "openai", "name": "gpt-3.5-turbo"},  # a name that it talks to as to a chat model
    "prompt": {
        "task_guidelines": f"{asked['instructions']} Categories:\n{{labels}}\n",
        "labels": asked["categories"],
        "example_template": "Text: {example}\nOutput: {label}",
    },
}
with Path("texts.csv").open("w", newline="") as file:
    csv.writer(file).writerows([("example", "label"), *((text, "") for text in asked["texts"])])

agent, data = LabelingAgent(config=config), AutolabelDataset("texts.csv", config=config)
since = time.perf_counter()
labeled = agent.run(data)
seconds = time.perf_counter() - since
names = [name if name in asked["categories"] else None for name in labeled.df["label_label"]]
print(json.dumps({"seconds": seconds, "labels": names}))
