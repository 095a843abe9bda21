"""What docs/operating.md tells an operator, as written there."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    \.venv/bin/python (.+)$", PAGE, flags=re.MULTILINE)]
READ = "from labeling_site import settings; print(settings.WRONG_VALUES, settings.SESSION_COOKIE_SECURE)"


def test_the_copy_of_a_database_in_use_has_what_only_the_log_held(tmp_path: Path) -> None:
    in_use = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
    in_use.execute("PRAGMA journal_mode=WAL")
    in_use.execute("CREATE TABLE decisions AS SELECT 7 AS number")
    [backup] = [words for words in COMMANDS if words[0] == "-c"]
    subprocess.run([sys.executable, *backup], cwd=tmp_path, check=True)
    assert sqlite3.connect(tmp_path / "backup.sqlite3").execute("SELECT number FROM decisions").fetchall() == [(7,)]


def test_its_commands_are_those_of_the_program() -> None:
    named = {words[1] for words in COMMANDS if words[0] == "manage.py"} | set(re.findall(r"manage\.py (\w+)", PAGE))
    assert named == {
        "migrate",
        "createsuperuser",
        "check",
        "verify_audit_trail",
        "run_worker",
        "dumpdata",
        "loaddata",
    }
    assert named <= set(get_commands())


@pytest.mark.parametrize(("origins", "is_secure"), [("https://labels.example.com", True), ("http://labels", False)])
def test_its_keys_are_taken_and_cookies_need_tls_where_all_do(origins: str, is_secure: bool) -> None:
    keys = dict(re.findall(r"^    ([A-Z_]+)=(.+)$", PAGE, flags=re.MULTILINE))
    assert keys["CSRF_TRUSTED_ORIGINS"] == "https://labels.example.com"
    keys["CSRF_TRUSTED_ORIGINS"] = origins
    read = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env={**os.environ, **keys}, capture_output=True)
    assert read.stdout.decode().split() == ["[]", str(is_secure)]
