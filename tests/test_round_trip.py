"""Importing an export gives the same texts back."""

from pathlib import Path

import pytest

from labeling import exporting, importing
from labeling.models import Project

TEXTS = [
    "=SUM(A1:A9) is what I typed",
    "- first\n- second",
    "'=already quoted",
    '+1 for that, "really"; 100 %',
    "@support\r\nplease answer",
    "مرحبا 🙂 ＝１",
    "plain",
]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_an_export_can_be_imported(project: Project, add_texts, tmp_path: Path, file_format: str) -> None:
    add_texts(project, *TEXTS)
    path = tmp_path / f"export.{file_format}"
    exporting.export(project, file_format=file_format, to=path)
    copy = Project.objects.create(name="Copy")
    importing.import_file(copy, path, text_column="text")
    expected = [text.replace("\r\n", "\n") if file_format == "xlsx" else text for text in TEXTS]
    assert list(copy.texts.values_list("content", flat=True)) == expected
