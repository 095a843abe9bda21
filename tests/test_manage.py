"""What commands say before they begin."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.ports import free_port


@pytest.mark.parametrize("command", [["runs", "list"], ["start"]])
def test_a_database_that_does_not_answer_is_named_with_the_next_step(command: list[str]) -> None:
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing", "PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: connection to server at")
    assert done.stderr.endswith("Start it, or correct DATABASE_URL.\n")
    assert "Traceback" not in done.stderr
