"""How far an import is: what its page, the API and lists show of it."""

from dataclasses import asdict, dataclass
from typing import Any

from labeling import workers
from labeling.import_words import on_page
from labeling.models import ImportRecord


@dataclass(frozen=True)
class ImportProgress:
    """An import at this moment. `percent` is of the file, None while unknown; `note` is what a person should know."""

    id: int
    status: str
    status_name: str
    is_unfinished: bool
    percent: int | None
    rows_read: int
    added: int
    duplicate: int
    empty: int
    rejected: int
    note: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def of(record: ImportRecord) -> ImportProgress:
    """Read from the record, which each batch brings up to date."""
    return ImportProgress(
        id=record.pk,
        status=record.status,
        status_name=record.get_status_display(),
        is_unfinished=record.is_unfinished,
        percent=_percent(record),
        rows_read=record.rows_read,
        added=record.added,
        duplicate=record.duplicate,
        empty=record.empty,
        rejected=record.rejected,
        note=on_page(note_of(record)),
    )


def _percent(record: ImportRecord) -> int | None:
    if not record.is_unfinished:
        return 100
    if not record.rows_read:
        return 0
    return None if record.share is None else min(99, int(100 * record.share))


def note_of(record: ImportRecord) -> str:
    """What a person should know, in the words of the command."""
    if record.error:
        return record.error
    if record.is_unfinished and record.upload and not workers.alive(workers.INTERACTIVE).exists():
        return workers.NONE_RUNNING
    return ""
