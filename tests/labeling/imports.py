"""Rows to import, and what became of them."""

import io
from collections.abc import Iterator
from typing import Any

from labeling import importing
from labeling.models import ImportRecord, Project


def import_csv(project: Project, content: str, **options: Any) -> ImportRecord:
    return importing.import_file(project, io.BytesIO(content.encode()), file_name="texts.csv", **options)


def contents(project: Project) -> list[str]:
    return list(project.texts.order_by("id").values_list("content", flat=True))


def numbered(count: int) -> Iterator[dict[str, str]]:
    return ({"text": f"text number {number}"} for number in range(count))
