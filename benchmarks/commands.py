"""From a clean database to an exported file by the README's four commands, and what the same commands take once more.

    [DATABASE_URL=postgres://...] python benchmarks/commands.py [DATASET ...] [--data FOLDER]

For each set (AG News, Banking77, SNIPS) a database of its own: SQLite, or one that is made and dropped on the
PostgreSQL server of DATABASE_URL. `create_project`, `import_texts` of `test.jsonl`, `label_texts`, `export_labels`; the
accuracy is that of the export against the set's labels, which the program has not seen. Then `import_texts` and
`label_texts` again: nothing may be added or labeled. The last line printed is one JSON object.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from review_server import ROOT, fresh_database
from surface import manage

SETS = ["ag_news", "banking77", "snips"]
PROJECT = "Clean"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=SETS, help="names of folders below --data")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    chosen = parser.parse_args()
    found = {}
    for name in chosen.datasets:
        source = chosen.data.resolve() / name
        if not source.is_dir():
            parser.error(f"There is no {source}. Name the folder of the sets with --data.")
        with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder), "commands") as url:
            found[name] = measure(url, source, Path(folder) / "labels.jsonl")
        print(f"{name}: {found[name]}", flush=True)
    print(json.dumps(found))


def measure(url: str, source: Path, exported: Path) -> dict[str, Any]:
    manage(url, "migrate", "--verbosity", "0")
    manage(url, "create_project", PROJECT, "--categories", str(source / "categories.json"))
    first = {words[0]: timed(url, *words) for words in importing_and_labeling(source)}
    before = export(url, exported)
    again = sum(timed(url, *words) for words in importing_and_labeling(source))
    with (source / "test.jsonl").open(encoding="utf-8") as lines:
        truth = {row["text"]: row["label"] for row in map(json.loads, lines)}
    return {
        "texts": len(before),
        "import_seconds": first["import_texts"],
        "label_seconds": first["label_texts"],
        "accuracy": round(sum(row["category"] == truth[row["text"]] for row in before) / len(before), 4),
        "again_seconds": round(again, 2),
        "changed_by_again": sum(one != other for one, other in zip(before, export(url, exported), strict=True)),
    }


def importing_and_labeling(source: Path) -> list[list[str]]:
    return [
        ["import_texts", str(source / "test.jsonl"), "--project", PROJECT],
        ["label_texts", "--project", PROJECT],
    ]


def timed(url: str, *command: str) -> float:
    begun = time.perf_counter()
    manage(url, *command)
    return round(time.perf_counter() - begun, 2)


def export(url: str, to: Path) -> list[dict[str, Any]]:
    to.unlink(missing_ok=True)
    manage(url, "export_labels", "--project", PROJECT, "--format", "jsonl", "--only", "all", "--output", str(to))
    with to.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
