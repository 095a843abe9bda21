"""What an import would do, from the first rows of the file: nothing is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias

from labeling import label_names
from labeling.columns import Columns
from labeling.drafts import Draft, Drafter, RowRejected, storable
from labeling.importing import COLUMN_OPTIONS, ImportOptions, drafter_of
from labeling.models import ImportRecord, Project, Text
from labeling.readers import ImportFailed, Row, Table, UnknownColumn
from labeling.uploads import opened

SAMPLE_ROWS = 1000
SAMPLE_CHARACTERS = 2_000_000
SHOWN_ROWS = 8
SHOWN_COLUMNS = 50
SHOWN_CHARACTERS = 300
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    REPEATED = "repeated"  # in the file
    KNOWN = "known"  # to the project
    EMPTY = "empty"
    REJECTED = "rejected"
    UNSAID = "unsaid"  # nobody said yet which column holds the texts


Judgement: TypeAlias = tuple[Fate, str]  # with the reason where it is rejected


@dataclass(frozen=True)
class ShownRow:
    """One of the first rows, its values cut to what a page can show."""

    line: int
    cells: tuple[str, ...]
    fate: Fate
    reason: str


@dataclass(frozen=True)
class Preview:
    """The file as it is understood, and what becomes of its first rows. `chosen` is None where no column is known to
    hold the texts."""

    file_format: str
    unit: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    chosen: Columns | None
    shown: tuple[ShownRow, ...]
    fates: dict[Fate, int]
    reasons: tuple[tuple[str, int], ...]  # of rejected rows, the most frequent first
    unknown_labels: tuple[str, ...]
    rows: int
    is_whole: bool  # the file has no more rows
    trouble: str = ""  # why the file cannot be read on, within the first rows

    def count(self, fate: Fate) -> int:
        return self.fates.get(fate, 0)

    @property
    def metadata(self) -> tuple[str, ...]:
        """The columns that are kept as they are."""
        return tuple(name for name in self.columns if self.chosen and name not in self.chosen.recognised)


def look(record: ImportRecord, options: ImportOptions) -> Preview:
    """What an import of the upload with these options would do. Raises ImportFailed when the file is no table."""
    with opened(record) as table:
        return preview(record.project, table, options)


def preview(project: Project, table: Table, options: ImportOptions) -> Preview:
    """Read the table's first rows, and tell what an import with these options would do."""
    try:
        drafter = drafter_of(table, options)
    except UnknownColumn:
        if any(options.get(name, "") not in ("", *table.columns) for name in COLUMN_OPTIONS):
            raise
        drafter = None  # only the texts' own column is missing, and the preview is what it is chosen by
    sample = _read(table)
    judged = _Judged(project, drafter, create=options.get("create_categories", False))
    judged.judge(sample.rows)
    rows = list(zip(sample.rows, judged.fates, strict=True))
    return Preview(
        file_format=table.file_format,
        unit=table.unit,
        encoding=table.encoding,
        delimiter=DELIMITERS.get(table.delimiter, table.delimiter),
        columns=tuple(table.columns),
        chosen=drafter.columns if drafter else None,
        shown=tuple(_shown(row, fate, reason, table.columns) for row, (fate, reason) in rows[:SHOWN_ROWS]),
        fates=Counter(fate for fate, _ in judged.fates),
        reasons=tuple(Counter(reason for fate, reason in judged.fates if fate is Fate.REJECTED).most_common(5)),
        unknown_labels=tuple(judged.unknown_labels),
        rows=len(sample.rows),
        is_whole=sample.is_whole,
        trouble=sample.trouble,
    )


@dataclass
class _Sample:
    rows: list[Row] = field(default_factory=list)
    is_whole: bool = True
    trouble: str = ""


def _read(table: Table) -> _Sample:
    """The first rows, few enough for a page that somebody waits for. Raises ImportFailed when there is not one."""
    sample, characters = _Sample(), 0
    try:
        for row in islice(table.rows, SAMPLE_ROWS):
            sample.rows.append(row)
            characters += sum(len(value) for value in row.values.values() if isinstance(value, str))
            if characters > SAMPLE_CHARACTERS:
                break
        sample.is_whole = next(table.rows, None) is None
    except ImportFailed as error:
        if not sample.rows:
            raise
        sample.trouble = str(error)
    return sample


class _Judged:
    """What becomes of rows, in their order; `fates` holds it with the reason for each."""

    def __init__(self, project: Project, drafter: Drafter | None, *, create: bool) -> None:
        self.project = project
        self.drafter = drafter
        self.create = create
        self.fates: list[Judgement] = []
        self.unknown_labels: list[str] = []
        self.seen: set[str] = set()

    def judge(self, rows: list[Row]) -> None:
        drafts = [self._drafted(row) for row in rows]
        texts = [draft for draft in drafts if isinstance(draft, Draft)]
        hashes = {draft.content_hash for draft in texts}
        known = set(
            Text.objects.filter(project=self.project, content_hash__in=hashes).values_list("content_hash", flat=True)
        )
        refused = self._refused({draft.label for draft in texts if draft.label})
        for draft in drafts:
            self.fates.append(self._fate(draft, known, refused))

    def _drafted(self, row: Row) -> Draft | Judgement:
        if self.drafter is None:
            return Fate.UNSAID, ""
        try:
            return self.drafter.draft(row) or (Fate.EMPTY, "")
        except RowRejected as reason:
            return Fate.REJECTED, str(reason)

    def _refused(self, labels: set[str]) -> dict[str, str]:
        """The labels without a category, those that would be made left out."""
        known = label_names.resolve(self.project, labels, create=False)
        active = {label_names.folded(category.name) for category in self.project.categories.all()}
        self.unknown_labels = sorted(name for name in known.refused if label_names.folded(name) not in active)
        if not self.create:
            return known.refused
        return {name: reason for name, reason in known.refused.items() if label_names.folded(name) in active}

    def _fate(self, draft: Draft | Judgement, known: set[str], refused: dict[str, str]) -> Judgement:
        if not isinstance(draft, Draft):
            return draft
        if draft.label in refused:
            return Fate.REJECTED, refused[draft.label]
        if draft.content_hash in self.seen:
            return Fate.REPEATED, ""
        self.seen.add(draft.content_hash)
        return (Fate.KNOWN if draft.content_hash in known else Fate.NEW), ""


def _shown(row: Row, fate: Fate, reason: str, columns: Sequence[str]) -> ShownRow:
    return ShownRow(row.line, tuple(_cell(row.values.get(name)) for name in columns[:SHOWN_COLUMNS]), fate, reason)


def _cell(value: Any) -> str:
    text = "" if value is None else storable(str(value))
    return f"{text[:SHOWN_CHARACTERS]} …" if len(text) > SHOWN_CHARACTERS else text
