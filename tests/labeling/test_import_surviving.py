"""An import whose worker is killed in its midst: a real one, with a real signal."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.background import Installation, fresh_database, groups_of, wait_for, workers_of

ROWS = 120_000
EMPTY = ROWS // 10
READ = "SELECT rows_read, status FROM imports"
START = """
from pathlib import Path
from django.core.files import File
from labeling import uploads
from labeling.models import Project
with Path({path!r}).open("rb") as file:
    uploads.take_and_start(Project.objects.get(name="news"), File(file, name="rows.csv"), options={{}}, user=None)
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    environment = {"Q_BROKER_URL": "", "SECRET_KEY": "shared", "MEDIA_ROOT": str(tmp_path / "uploads")}
    with fresh_database(tmp_path) as url:
        made = Installation(url, tmp_path, **environment)
        made.manage("create_project", "news")
        path = tmp_path / "rows.csv"
        lines = (f"{n},{'' if n % 10 == 0 else f'text number {n} of many'}\n" for n in range(ROWS))
        path.write_text("id,text\n" + "".join(lines))
        made.do(START.format(path=str(path)))
        yield made


def test_a_killed_worker_loses_no_row_and_counts_none_twice(installation: Installation) -> None:
    with installation.supervisor("--only", "interactive") as supervisor:
        wait_for(lambda: installation.rows(READ)[0][0] > 0, 120)
        [group] = groups_of(supervisor.pid)
        for pid in workers_of(group):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        read, status = installation.rows(READ)[0]
        assert (status, 0 < read < ROWS) == ("running", True)
        wait_for(lambda: installation.rows(READ)[0] == (ROWS, "finished"), 240)
    counts = installation.rows("SELECT added, duplicate, empty, rejected FROM imports")
    assert counts == [(ROWS - EMPTY, 0, EMPTY, 0)]
    assert installation.rows("SELECT COUNT(*) FROM text_data") == [(ROWS - EMPTY,)]
    assert [path for path in (installation.folder / "uploads").rglob("*") if path.is_file()] == []
