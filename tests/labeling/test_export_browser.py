"""The export dialog in a real browser."""

import csv
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from labeling import certification
from labeling.models import Project
from tests.browser import IN_BROWSER, Visit, expect, faults
from tests.labeling.certificates import add_machine_labeled

pytestmark = IN_BROWSER
STATEMENT = {
    "sentence": "Of the 800 labels of this dataset, at most 5 % are wrong, with 95 % confidence.",
    "promise": "dataset",
    "still_undecided": 3,
}


def test_choose_and_download(visit: Visit, boss: User, project: Project, add_texts: Any) -> None:
    add_machine_labeled(project, [0.9, 0.95])
    add_texts(project, "unlabeled")
    page = visit(boss, f"/projects/{project.pk}/export/")
    page.get_by_label("All texts, also without a label").check()
    page.get_by_text("Columns: all, unless you choose some").click()
    for column in ("text", "category"):
        page.get_by_label(column, exact=True).check()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename == "news-all.csv"
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert (len(rows), list(rows[0])) == (3, ["text", "category", "label_version", "text_id"])


def test_it_fits_the_screen_and_has_no_barriers(
    visit: Visit, boss: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_machine_labeled(project, [0.9, 0.95])
    monkeypatch.setattr(certification, "statement", lambda project: STATEMENT)
    page = visit(boss, f"/projects/{project.pk}/export/")
    expect(page, "#promise").to_contain_text("at most 5 % are wrong")
    page.locator("#content summary").click()
    assert faults(page, "export") == []
