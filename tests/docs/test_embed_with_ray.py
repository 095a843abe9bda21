"""The example for a Ray cluster, on a cluster of this machine alone. Ray is no part of the installation."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.background import ROOT, Installation, fresh_database


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the nodes of a cluster share a server")
def test_a_run_labels_from_the_vectors_that_a_cluster_computed(tmp_path: Path) -> None:
    pytest.importorskip("ray.data")
    categories, texts = tmp_path / "categories.json", tmp_path / "texts.txt"
    categories.write_text('[{"name": "Sports"}, {"name": "Weather"}]')
    texts.write_text("the striker scored\nrain all day\nthe goalkeeper fell\n")
    with fresh_database(tmp_path) as url:
        installed = Installation(url, tmp_path)
        installed.manage("create_project", "news", "--categories", str(categories))
        installed.manage("import_texts", str(texts), "--project", "news")
        command = [sys.executable, "docs/examples/embed_with_ray.py", "news", "--processes", "1"]
        done = subprocess.run(command, cwd=ROOT, env=installed.environment, capture_output=True, text=True, check=False)
        assert "3 vectors were computed." in done.stdout, done.stderr
        assert installed.rows("SELECT COUNT(*) FROM embeddings") == [(3,)]
        installed.manage("label_texts", "--project", "news", "--relabel")
        assert installed.rows("SELECT COUNT(*) FROM labels") == [(3,)]
