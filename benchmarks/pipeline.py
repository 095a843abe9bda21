"""A file in, labels out: what everything but the model costs, and how fast and how large import and export are.

    python benchmarks/pipeline.py [--data FOLDER] [--quick]

Three measurements, each in processes of its own on a fresh SQLite database:

1. the pipeline: 20,000 texts from FOLDER are imported, labeled and exported. The model's forward pass is timed inside;
   everything else (tokenizing, pooling, evidence, database) is the rest;
2. the rates of import and export on 200,000 made-up rows, in turns with the plain Django way (csv module, bulk_create,
   a loop over instances), medians of rounds;
3. peak memory of import and export at 10,000 and 200,000 rows.

The last line printed is one JSON object.
"""

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("parcel", "order", "late", "again", "please", "refund", "card", "account", "invoice", "broken", "tent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "datasets")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](*options.child[1:])))
        return
    if not any(options.data.glob("*/*.jsonl")):
        parser.error(f"There is no */*.jsonl in {options.data}. Name a folder of sets with --data.")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.data, quick=options.quick)
    print(json.dumps(results))


def measure(folder: Path, data: Path, *, quick: bool) -> dict[str, Any]:
    n_pipeline, sizes, rounds = (1_000, (2_000, 20_000), 1) if quick else (20_000, (10_000, 200_000), 3)
    results: dict[str, Any] = {"pipeline": pipeline_of(folder, data, n_pipeline)}
    show("pipeline", results["pipeline"])
    for size in sizes:
        source = folder / f"{size}.csv"
        write_rows(source, made_up_rows(size))
        turns = [rates(folder, source, size) for _ in range(rounds if size == sizes[-1] else 1)]
        results[f"{size} rows"] = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
        show(f"{size} rows", results[f"{size} rows"])
    return results


def show(title: str, figures: dict[str, Any]) -> None:
    print(title)
    for name, value in figures.items():
        print(f"  {name:45} {value:,.3f}" if isinstance(value, float) else f"  {name:45} {value:,}")


def pipeline_of(folder: Path, data: Path, size: int) -> dict[str, Any]:
    source = folder / "texts.csv"
    write_rows(source, list(real_rows(data, size)))
    database = fresh_database(folder, "pipeline")
    return child(database, "pipeline", str(source), str(data / "sib200" / "categories.json"))


def rates(folder: Path, source: Path, size: int) -> dict[str, Any]:
    """One turn: ours and the plain way, import and export."""
    ours, plain = fresh_database(folder, "ours"), fresh_database(folder, "plain")
    figures: dict[str, Any] = {}
    for name, database, args in (
        ("import", ours, ("import", str(source))),
        ("plain import", plain, ("plain-import", str(source))),
        ("", ours, ("label",)),
        ("export csv", ours, ("export", "csv")),
        ("plain export csv", ours, ("plain-export",)),
        ("export jsonl", ours, ("export", "jsonl")),
    ):
        done = child(database, *args)
        if name:
            figures[f"{name}, rows/s"] = size / done["wall"]
            figures[f"{name}, rows per processor second"] = size / done["cpu"]
            figures[f"{name}, peak MB"] = done["peak_mb"]
    return figures


def child(database: str, *args: str) -> dict[str, Any]:
    """Run one step in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--child", *args]
    environment = {**os.environ, "DATABASE_URL": database}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def fresh_database(folder: Path, name: str) -> str:
    for old in folder.glob(f"{name}.sqlite3*"):
        old.unlink()
    database = f"sqlite:///{folder / name}.sqlite3"
    environment = {**os.environ, "DATABASE_URL": database}
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], env=environment, check=True)
    return database


# --- Rows -------------------------------------------------------------------------------------------------------------


def real_rows(data: Path, size: int) -> Iterator[dict[str, str]]:
    """Texts of all sets, shuffled; where there are too few they come again with a number, as another text."""
    texts = [json.loads(line)["text"] for file in sorted(data.glob("*/*.jsonl")) for line in file.open()]
    random.Random(0).shuffle(texts)
    for number in range(size):
        again, index = divmod(number, len(texts))
        yield {"id": str(number), "text": texts[index] + (f" ({again})" if again else "")}


def made_up_rows(size: int) -> list[dict[str, str]]:
    """Texts of about 140 characters."""
    source = random.Random(1)
    return [
        {"id": f"m-{number}", "text": f"{number} {' '.join(source.choices(WORDS, k=24))}", "source": "chat"}
        for number in range(size)
    ]


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


# --- Steps, each in a process of its own ------------------------------------------------------------------------------


def timed(work: Callable[[], Any]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Peak resident memory of this process. Not getrusage's: that one starts at the size of the parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def setup() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    import django

    django.setup()


def default_project() -> Any:
    from labeling.models import Project

    return Project.objects.get(name="Default")


def import_step(source: str) -> dict[str, float]:
    setup()
    from labeling import importing

    return timed(lambda: importing.import_file(default_project(), Path(source)))


def plain_import_step(source: str) -> dict[str, float]:
    setup()
    from labeling.models import Text
    from labeling.normalizing import content_hash

    project = default_project()

    def work() -> None:
        with Path(source).open(newline="", encoding="utf-8") as file:
            texts = [
                Text(
                    project=project,
                    content=row["text"],
                    content_hash=content_hash(row["text"]),
                    external_id=row["id"],
                    source=row["source"],
                )
                for row in csv.DictReader(file)
            ]
        Text.objects.bulk_create(texts, ignore_conflicts=True)

    return timed(work)


def label_step() -> dict[str, float]:
    """Labels such as a model gives, without the model: five words of evidence, eight scores."""
    setup()
    from labeling import annotations
    from labeling.models import Category, LabelingRun, Text

    project = default_project()
    categories = [Category.objects.create(project=project, name=f"Category {n}", position=n).pk for n in range(8)]
    run = LabelingRun.objects.create(project=project, provider="local", threshold=0.8, audit_share=0.05)
    scores = [(pk, round(0.9 / (place + 1), 6)) for place, pk in enumerate(categories)]
    evidence = [(0, 4, 0.4), (6, 10, 0.3), (12, 16, 0.1), (18, 22, 0.1), (24, 28, 0.1)]
    sentence = "Category 0 0.90, next Category 1 0.45; because of: parcel, order, refund, invoice, tent"
    keys = list(Text.objects.values_list("pk", flat=True))

    def prediction(pk: int) -> annotations.Prediction:
        return annotations.Prediction(
            pk, categories[0], 0.9, 0.4, 0.45, scores, sentence, evidence, False, pk % 20 == 0
        )

    def work() -> None:
        for start in range(0, len(keys), 512):
            annotations.record_predictions(run, [prediction(pk) for pk in keys[start : start + 512]])

    return timed(work)


def export_step(file_format: str) -> dict[str, float]:
    setup()
    from labeling import exporting

    with Path(os.devnull).open("wb") as nowhere:
        return timed(lambda: exporting.export(default_project(), file_format=file_format, to=nowhere))


def plain_export_step() -> dict[str, float]:
    setup()
    from labeling.models import Text

    texts = Text.objects.filter(project=default_project()).select_related("current_label__category")

    def work() -> None:
        with Path(os.devnull).open("w", newline="") as nowhere:
            writer = csv.writer(nowhere)
            for text in texts.iterator():
                label = text.current_label
                writer.writerow([text.content, text.external_id, label.category.name, label.confidence, label.origin])

    return timed(work)


def pipeline_step(source: str, categories: str) -> dict[str, float]:
    setup()
    from labeling import execution, exporting, importing, projects, runs
    from labeling.providers import get_provider

    project = projects.create("Pipeline", categories=projects.read_categories(Path(categories)))
    forward = Forward()
    steps = {"import": timed(lambda: importing.import_file(project, Path(source)))}
    forward.watch(get_provider("local"))
    steps["label"] = timed(lambda: execution.execute(runs.start(project)))
    with Path(os.devnull).open("wb") as nowhere:
        steps["export"] = timed(lambda: exporting.export(project, file_format="jsonl", to=nowhere))
    wall = sum(step["wall"] for step in steps.values())
    cpu = sum(step["cpu"] for step in steps.values())
    return {
        "texts": project.texts.count(),
        **{f"{name}, seconds": step["wall"] for name, step in steps.items()},
        "forward pass, seconds": forward.wall,
        "everything but the forward pass, share of wall": 1 - forward.wall / wall,
        "everything but the forward pass, share of processor": 1 - forward.cpu / cpu,
        "texts/s, all": project.texts.count() / wall,
        "peak MB": steps["export"]["peak_mb"],
    }


class Forward:
    """Time inside the model. Batches may run side by side, so wall time is that of the union of their intervals."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.intervals: list[tuple[float, float]] = []

    def watch(self, provider: Any) -> None:
        model = provider._loaded()
        real = model.hidden

        def hidden(*args: Any) -> Any:
            begin, cpu = time.perf_counter(), time.thread_time()
            try:
                return real(*args)
            finally:
                self.cpu += time.thread_time() - cpu
                self.intervals.append((begin, time.perf_counter()))

        model.hidden = hidden

    @property
    def wall(self) -> float:
        total, reached = 0.0, 0.0
        for begin, end in sorted(self.intervals):
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return total


CHILDREN: dict[str, Callable[..., dict[str, float]]] = {
    "import": import_step,
    "plain-import": plain_import_step,
    "label": label_step,
    "export": export_step,
    "plain-export": plain_export_step,
    "pipeline": pipeline_step,
}


if __name__ == "__main__":
    main()
