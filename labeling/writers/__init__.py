"""The file formats of exports. Each writer turns batches of records into bytes, and imports what it needs only then."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

from django.utils.module_loading import import_string

from labeling.writers.record import Batch, Tally

MOST_CHARACTERS = 32_767  # of one cell, in UTF-16 units as Excel counts them

Chunks: TypeAlias = Iterator[bytes]
NamedFiles: TypeAlias = Iterator[tuple[str, Chunks]]


@dataclass(frozen=True)
class Format:
    """One file format: its writer by dotted name, and what its files can hold."""

    writer: str
    content_type: str
    words: str  # what it is for people
    is_text: bool = True
    folder_names: tuple[str, ...] = ()
    has_alternatives: bool = True
    most_rows: int | None = None
    most_characters: int | None = None  # of one cell, in UTF-16 units

    @property
    def is_folder(self) -> bool:
        return bool(self.folder_names)

    def chunks(self, batches: Iterable[Batch], tally: Tally) -> Chunks:
        """The bytes of the one file, piece by piece."""
        return cast(Callable[..., Chunks], import_string(self.writer))(batches, tally)

    def files(self, batches: Iterable[Batch], tally: Tally) -> NamedFiles:
        """The files of a folder, each to be written before the next is asked for."""
        return cast(Callable[..., NamedFiles], import_string(self.writer))(batches, tally)


FORMATS = {
    "csv": Format(
        "labeling.writers.delimited.comma_separated", "text/csv; charset=utf-8", "CSV: a table", has_alternatives=False
    ),
    "tsv": Format(
        "labeling.writers.delimited.tab_separated",
        "text/tab-separated-values; charset=utf-8",
        "TSV: a table with tabs",
        has_alternatives=False,
    ),
    "jsonl": Format("labeling.writers.json_text.lines", "application/x-ndjson", "JSONL: an object a line"),
    "json": Format("labeling.writers.json_text.array", "application/json", "JSON: one array"),
    "parquet": Format(
        "labeling.writers.columnar.parquet",
        "application/vnd.apache.parquet",
        "Parquet: for pandas, DuckDB and the like",
        is_text=False,
    ),
    "xlsx": Format(
        "labeling.writers.xlsx.workbook",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "XLSX: for Excel",
        is_text=False,
        has_alternatives=False,
        most_rows=1_048_575,
        most_characters=MOST_CHARACTERS,
    ),
    "hf": Format(
        "labeling.writers.columnar.hugging_face",
        "application/zip",
        "A Hugging Face dataset, in a ZIP",
        is_text=False,
        folder_names=("data-00000-of-00001.arrow", "dataset_info.json", "state.json"),
    ),
}
