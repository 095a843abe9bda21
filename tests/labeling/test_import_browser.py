"""The import wizard in a real browser: a file is chosen, a column is mapped, the import is followed to its end."""

import csv
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from pytest_django.live_server_helper import LiveServer

from labeling import importing, uploads
from labeling.models import ImportRecord, Project
from tests.browser import EVIL, IN_BROWSER, Visit, expect, faults, wait_until

pytestmark = IN_BROWSER


@pytest.fixture(autouse=True)
def _uploads_of_tests(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "uploads")
    monkeypatch.setattr(uploads, "AT_ONCE_BYTES", 10)  # all is left to the background


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """200 headlines, some of them more than once, some of them no text, some with a label nobody knows."""
    path = tmp_path / "news.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "headline", "wire", "topic"])
        for number in range(200):
            headline = "" if number % 20 == 3 else f"{EVIL} headline {number - number % 10 // 9}"
            rows.writerow([number, headline, "ap", "Chess" if number % 25 == 1 else "Sports"])
    return path


def test_upload_map_follow_and_download_the_rejected_rows(
    visit: Visit, boss: User, project: Project, news: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 50)
    page = visit(boss, f"/projects/{project.pk}/import/")
    page.get_by_label("CSV, TSV, JSONL").set_input_files(news)
    page.get_by_role("button", name="Preview").click()
    expect(page, "#preview").to_contain_text("Choose the column that holds the texts.")
    page.get_by_label("Text", exact=True).select_option("headline")
    expect(page, "#preview").to_contain_text(
        "The file has 200 rows. Of these 170 would be added, 20 repeat a row before"
    )
    page.get_by_label("Label", exact=True).select_option("topic")
    expect(page, "#preview").to_contain_text("Labels without a category: Chess")
    page.get_by_label("External id").select_option("number")
    expect(page, "#preview").to_contain_text("Kept as metadata: wire.")
    page.get_by_role("button", name="Import 200 rows").click()
    expect(page, "#status").to_have_text("Queued")
    record = ImportRecord.objects.get()
    uploads.carry_on(record.pk, seconds=0)
    expect(page, "#status").to_have_text("Running")
    expect(page, "#added").not_to_have_text("0")
    uploads.carry_on(record.pk)
    expect(page, "#status").to_have_text("Finished")
    expect(page, "#rejected").to_have_text("8")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as CSV").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 200, 25)]
    assert "no category 'Chess'" in rows[0]["rejected_reason"]
    assert page.title().startswith("Import news.csv")


def test_a_column_chosen_before_the_script_has_come_is_seen(
    visit: Visit, boss: User, project: Project, news: Path
) -> None:
    page = visit(boss, f"/projects/{project.pk}/import/")
    held = []
    page.route("**/import_mapping.js", lambda route: held.append(route))
    page.locator("#file").set_input_files(news)
    page.get_by_role("button", name="Preview").click(no_wait_after=True)
    page.get_by_label("Text", exact=True).select_option("headline")
    wait_until(page, lambda: bool(held))
    held[0].continue_()
    page.get_by_role("button", name="Import 200 rows").click()
    expect(page, "#status").to_have_text("Queued")


def test_the_column_of_the_texts_is_let_go_by_what_its_name_suggested(
    visit: Visit, boss: User, project: Project, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("source,target\nGood morning,Guten Morgen\n")
    page = visit(boss, f"/projects/{project.pk}/import/")
    page.locator("#file").set_input_files(pairs)
    page.get_by_role("button", name="Preview").click()
    expect(page, "#source_column").to_have_value("source")
    page.get_by_label("Text", exact=True).select_option("source")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page, "#status").to_have_text("Queued")
    uploads.carry_on(ImportRecord.objects.get().pk)
    assert project.texts.get().source == ""


def test_without_scripts_it_works_as_well(visit: Visit, boss: User, project: Project, news: Path) -> None:
    page = visit(boss, f"/projects/{project.pk}/import/", java_script_enabled=False)
    page.locator("#file").set_input_files(news)
    page.locator("#send").click()
    page.locator("#text_column").select_option("headline")
    page.locator("#look").click()
    page.locator("#import").click()
    expect(page, "#status").to_have_text("Queued")
    uploads.carry_on(ImportRecord.objects.get().pk)
    page.reload()
    expect(page, "#added").to_have_text("170")


def test_a_file_that_is_no_table_says_so_before_anything_else(
    visit: Visit, boss: User, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "empty.csv").touch()
    page = visit(boss, f"/projects/{project.pk}/import/")
    page.locator("#file").set_input_files(tmp_path / "empty.csv")
    page.get_by_role("button", name="Preview").click()
    expect(page, "#trouble").to_contain_text(
        "empty.csv is empty: it has no bytes. Choose the file that holds the texts."
    )


def test_a_file_that_is_too_large_is_not_sent(
    visit: Visit, boss: User, project: Project, news: Path, settings: LazySettings
) -> None:
    settings.MAX_UPLOAD_MB = 0
    page = visit(boss, f"/projects/{project.pk}/import/")
    page.locator("#file").set_input_files(news)
    page.get_by_role("button", name="Preview").click()
    expect(page, "#trouble").to_contain_text("The file is larger than 0 MB. Split it")


def test_many_pasted_lines_are_sent_as_a_file(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/projects/{project.pk}/import/")
    lines = "\n".join(f"line {number} " + "x" * 500 for number in range(1_200))
    page.get_by_label("One text a line").evaluate("(box, lines) => { box.value = lines; }", lines)
    page.get_by_role("button", name="Preview").click()
    expect(page, "#preview").to_contain_text("Of the first 1,000 rows 1,000 would be added.")
    assert ImportRecord.objects.get().size == len(lines)


def test_it_fits_the_screen_and_has_no_barriers(
    visit: Visit, boss: User, project: Project, news: Path, live_server: LiveServer
) -> None:
    uploaded, done = (uploads.take(project, _opened(news), name="news from a wire.csv", user=boss) for _ in range(2))
    going = uploads.take(project, _opened(news), name="more.csv", user=boss)
    uploads.start(done, {"text_column": "headline", "label_column": "topic"})
    uploads.carry_on(done.pk)
    uploads.start(going, {"text_column": "headline"})
    paths = {
        "upload": "",
        "mapping": f"{uploaded.pk}/?text_column=headline&label_column=topic&id_column=number",
        "going": f"{going.pk}/",
        "done": f"{done.pk}/",
    }
    page, found = visit(boss, "/health/live"), []
    for name, path in paths.items():
        page.goto(f"{live_server.url}/projects/{project.pk}/import/{path}")
        for summary in page.locator("#content summary").all():
            summary.click()
        found += faults(page, name)
    assert found == []


def _opened(path: Path) -> ContentFile:
    return ContentFile(path.read_bytes(), name=path.name)
