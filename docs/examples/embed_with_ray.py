"""Compute the vectors of a project's texts on a Ray cluster, so that one run can label them all in minutes.

    pip install "ray[data]"
    python docs/examples/embed_with_ray.py PROJECT [--processes N]
    python manage.py label_texts --project PROJECT --relabel

Each process loads the model once, takes some thousand texts at a time, and writes their vectors where the program keeps
them. What has a vector is left out, so the script can be stopped and started again at any moment. Every node of the
cluster needs this folder with its environment, and a DATABASE_URL that leads to the same PostgreSQL. `--relabel` labels
from the vectors alone: no text goes through the model again, and labels carry no evidence.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import ray

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2_000  # texts: some seconds of a small model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("--processes", type=int, default=2, help="in the whole cluster, each with a core of its own")
    options = parser.parse_args()
    database = os.environ.get("DATABASE_URL", "")
    if not database.startswith("postgres"):
        parser.error("Set DATABASE_URL to a PostgreSQL server that every node reaches.")
    set_up()
    from labeling import features
    from labeling.models import Project
    from labeling.providers import get_provider

    project = Project.objects.get(name=options.project)
    provider = get_provider(project.provider_alias)
    waiting = features.lacking(project.texts.order_by("pk"), [provider.fingerprint])
    ids = np.fromiter(waiting.values_list("pk", flat=True).iterator(), dtype=np.int64)
    print(f"{len(ids)} texts have no vector yet.", flush=True)
    if len(ids):
        ray.init(runtime_env={"env_vars": {"DATABASE_URL": database}})
        blocks = np.array_split(ids, -(-len(ids) // AT_ONCE))
        done = ray.data.from_numpy(blocks).map_batches(
            Embed,
            fn_constructor_kwargs={"alias": project.provider_alias},
            batch_size=None,  # a block each time
            compute=ray.data.ActorPoolStrategy(size=options.processes),
            num_cpus=1,
        )
        print(f"{sum(row['texts'] for row in done.iter_rows())} vectors were computed.")


def set_up() -> None:
    """Let this process use the program."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    import django

    django.setup()


class Embed:
    """One process of the cluster."""

    def __init__(self, alias: str) -> None:
        set_up()
        from labeling.embeddings import CachedEncoder
        from labeling.providers import get_provider

        self.encoder = CachedEncoder(get_provider(alias), explained=False)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        from labeling.embeddings import TextRow
        from labeling.models import Text

        texts = Text.objects.filter(pk__in=batch["data"].tolist()).values_list("pk", "content", "content_hash")
        vectors = self.encoder.read_ahead([TextRow(*values) for values in texts])
        return {"texts": np.array([len(vectors)])}


if __name__ == "__main__":
    main()
