"""Real processes on one real database: at the same time, and killed in the middle."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.background import migrated_file

ROOT = Path(__file__).resolve().parents[1]
TEXTS = 1500


class Installation:
    """A database of its own with one project, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(migrated_file(), folder / "own.sqlite3")
        self.environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'own.sqlite3'}"}
        categories = folder / "categories.json"
        categories.write_text(json.dumps([{"name": "Sports"}, {"name": "Business"}, {"name": "Weather"}]))
        texts = folder / "texts.txt"
        texts.write_text("".join(f"The match number {n} was won by the visitors.\n" for n in range(TEXTS)))
        self.run("create_project", "news", "--categories", str(categories))
        self.run("import_texts", str(texts), "--project", "news")

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> str:
        process = self.start(*command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    def exported(self) -> list[dict]:
        out = self.run("export_labels", "--project", "news", "--format", "jsonl")
        return [json.loads(line) for line in out.splitlines()]

    def wait_until_some_are_labeled(self, process: "subprocess.Popen[str]") -> None:
        while process.poll() is None:
            if any(row["category"] for row in self.exported()):
                return
            time.sleep(0.05)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_two_label_texts_at_once_label_each_text_once(installation: Installation) -> None:
    both = [installation.start("label_texts", "--project", "news") for _ in range(2)]
    answers = [process.communicate(timeout=300) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 1], [0, 0])  # the later one is told so, or finds that nothing is left to do
    if codes == [0, 1]:
        assert any("right now" in err or "unfinished run" in err for _, err in answers), answers
    versions = Counter(row["label_version"] for row in installation.exported())
    assert versions == {1: TEXTS}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_goes_on_with_the_same_command(installation: Installation, how: signal.Signals) -> None:
    first = installation.start("label_texts", "--project", "news")
    installation.wait_until_some_are_labeled(first)
    first.send_signal(how)
    first.communicate(timeout=60)
    installation.run("label_texts", "--project", "news")
    rows = installation.exported()
    assert Counter(row["label_version"] for row in rows) == {1: TEXTS}
    assert all(row["category"] for row in rows)
