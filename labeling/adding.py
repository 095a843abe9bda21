"""Texts that programs send by the thousand: each is stored once, and one that is known by its external id is updated.

The words of a text never change under its labels and reviews. A row with a known external id and other words is
refused, and says of which text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction

from labeling import bulk, importing
from labeling.drafts import REQUESTED, Draft, Drafter, RowRejected, flattened
from labeling.models import Project, Text
from labeling.readers import ImportFailed, Row

BATCH_ROWS = 5_000
BATCH_CHARACTERS = 4_000_000
MOST_ERRORS = 1_000  # that are told; beyond, they are only counted
UPDATED = ("source", "language", "metadata")


class RowError(NamedTuple):
    line: int
    reason: str


@dataclass
class Added:
    """What became of the rows. `duplicates`: words that the project has already, under no or another external id."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    errors: list[RowError] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        self.rejected += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(RowError(line, reason))


class Known(NamedTuple):
    """A text that has an external id, as far as a row can change it."""

    pk: int
    content_hash: str
    source: str
    language: str
    metadata: dict[str, Any]


def add(project: Project, rows: Iterable[Row], *, into: Added) -> None:
    """Store the rows, a batch in a transaction, and count them in `into`, also where a later row breaks the stream.

    Raises ImportFailed there: what came before is stored, and sent again it is not stored twice.
    """
    for batch in _batches(rows, into):
        _write(project, batch, into)


def _batches(rows: Iterable[Row], into: Added) -> Iterator[list[Draft]]:
    drafter = Drafter(REQUESTED)
    batch: list[Draft] = []
    characters = 0
    try:
        for row in rows:
            if (draft := _drafted(drafter, row, into)) is None:
                continue
            batch.append(draft)
            characters += len(draft.content)
            if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
    except ImportFailed:
        yield batch  # the rows before the damaged place are good
        raise
    yield batch


def _drafted(drafter: Drafter, row: Row, into: Added) -> Draft | None:
    try:
        if (draft := drafter.draft(flattened(row))) is None:
            raise RowRejected("the text is empty")
        return draft
    except RowRejected as reason:
        into.reject(row.line, str(reason))
        return None


@transaction.atomic
def _write(project: Project, drafts: list[Draft], into: Added) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # nobody else adds the same external ids now
    known = _known(project, {draft.external_id for draft in drafts if draft.external_id})
    new: dict[str, Draft] = {}  # by external id, or else by words
    changes: dict[int, Known] = {}
    for draft in drafts:
        text = known.get(draft.external_id)
        if text is None:
            _add_new(draft, new, known, into)
        elif text.content_hash != draft.content_hash:
            into.reject(draft.line, _other_words(text, draft))
        elif (changed := _changed(text, draft)) == text:
            into.unchanged += 1
        else:
            into.updated += 1
            known[draft.external_id] = changed
            if text.pk:
                changes[text.pk] = changed
            else:
                new[draft.external_id] = new[draft.external_id]._replace(**_values(changed))
    added = importing.add(project, list(new.values()))
    into.added += added
    into.duplicates += len(new) - added
    _update(changes.values())


def _add_new(draft: Draft, new: dict[str, Draft], known: dict[str, Known], into: Added) -> None:
    if draft.external_id:
        known[draft.external_id] = Known(0, draft.content_hash, draft.source, draft.language, draft.metadata)
    key = draft.external_id or f"\n{draft.content_hash}"  # no external id begins with a line's end
    if key in new:
        into.duplicates += 1
    else:
        new[key] = draft


def _known(project: Project, external_ids: set[str]) -> dict[str, Known]:
    """The first text of each external id."""
    rows = project.texts.filter(external_id__in=external_ids).exclude(external_id="").order_by("-pk")
    return {name: Known(*values) for name, *values in rows.values_list("external_id", "pk", "content_hash", *UPDATED)}


def _changed(text: Known, draft: Draft) -> Known:
    """What the row names replaces what was there; what it does not name stays."""
    return text._replace(
        source=draft.source or text.source,
        language=draft.language or text.language,
        metadata={**text.metadata, **draft.metadata},
    )


def _other_words(text: Known, draft: Draft) -> str:
    which = f"text {text.pk} has" if text.pk else "a row before it has"
    return (
        f"{which} the external id '{draft.external_id}' and other words. Labels and reviews are about those: send the "
        "new words under a new external id"
    )


def _values(text: Known) -> dict[str, Any]:
    return {name: getattr(text, name) for name in UPDATED}


def _update(changes: Iterable[Known]) -> None:
    column = Text._meta.get_field("metadata")
    rows = [
        (text.source, text.language, column.get_db_prep_save(text.metadata, connection=connection), text.pk)
        for text in changes
    ]
    bulk.update(Text, UPDATED, rows)
