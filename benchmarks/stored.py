"""What each benchmark gave when it was last measured: one file each in `benchmarks/figures/`."""

import json
from pathlib import Path
from typing import Any, NotRequired, TypedDict

FOLDER = Path(__file__).resolve().parent / "figures"


class NotRun(TypedDict):
    """Why the last attempt gave no figures."""

    reason: str
    has_failed: bool
    date: str


class Record(TypedDict):
    """`figures` is the JSON object that was printed, with how and where it came about; none before the first time."""

    command: str
    date: NotRequired[str]
    load_before: NotRequired[float]
    wall_seconds: NotRequired[float]
    machine: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, str]]
    figures: NotRequired[dict[str, Any]]
    not_run: NotRequired[NotRun]


def read(name: str, folder: Path) -> Record | None:
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write(name: str, record: Record, folder: Path) -> None:
    """One key a line, so that a change shows what changed."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def write_not_run(name: str, not_run: NotRun, folder: Path, *, command: str) -> None:
    """Earlier figures stay what they are."""
    before = read(name, folder) or Record(command=command)
    write(name, {**before, "not_run": not_run}, folder)
