"""What an import rejected comes back as a file that can be imported."""

import pytest

from labeling import rejected
from labeling.models import ImportRecord, Project
from tests.labeling.imports import import_csv


def file_of(record: ImportRecord) -> str:
    return b"".join(rejected.pieces(record, str)).decode()


@pytest.mark.parametrize("text", ["=1+1", "@united my bag is gone", "'=1+1"])
def test_a_text_like_a_formula_comes_back_as_it_was(project: Project, text: str) -> None:
    record = import_csv(project, f"text,label\n{text},Chess\n", label_column="label")
    content = file_of(record).replace("Chess", "Sports")
    assert f"'{text}" in content
    import_csv(project, content, label_column="label")
    assert project.texts.get().content == text


def test_what_is_rejected_twice_can_be_imported_once_more(project: Project) -> None:
    first = import_csv(project, "text,label\nrain,Chess\n", label_column="label")
    second = import_csv(project, file_of(first), label_column="label")
    import_csv(project, file_of(second).replace("Chess", "Sports"), label_column="label")
    assert project.texts.get().current_label.category.name == "Sports"
