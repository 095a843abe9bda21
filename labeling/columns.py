"""Which column of a file means what."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from labeling.readers import UnknownColumn

# In order of preference, in any case of letters.
TEXT_NAMES = ("text", "content", "body", "message")
EXTERNAL_ID_NAMES = ("external_id", "id")
SOURCE_NAMES = ("source",)
LANGUAGE_NAMES = ("language", "lang")


@dataclass(frozen=True)
class Columns:
    """The names of the columns that are not metadata; "" where the file has none.

    `asked` are the ones the caller named. A value that does not fit is an error there; in a column that was only found
    by its name it stays metadata.
    """

    text: str
    external_id: str = ""
    source: str = ""
    language: str = ""
    label: str = ""
    asked: frozenset[str] = frozenset()

    @property
    def recognised(self) -> frozenset[str]:
        return frozenset({self.text, self.external_id, self.source, self.language, self.label} - {""})


def choose(
    found: Sequence[str],
    *,
    text_column: str = "",
    id_column: str = "",
    source_column: str = "",
    language_column: str = "",
    label_column: str = "",
    guess: bool = True,
) -> Columns:
    """The columns as asked for, or, where `guess` is true, as their names suggest: of those that were not asked for as
    something else. A label column is used only when it is asked for.

    Raises UnknownColumn, which lists the columns that were found.
    """
    asked = {
        "--text-column": text_column,
        "--id-column": id_column,
        "--source-column": source_column,
        "--language-column": language_column,
        "--label-column": label_column,
    }
    for flag, name in asked.items():
        if name and name not in found:
            raise UnknownColumn(f"There is no column '{name}' ({flag}). Columns found: {_listed(found)}.")
    named = partial(_named, [name for name in found if name not in asked.values()]) if guess else _none
    return Columns(
        text=text_column or _text(found),
        external_id=id_column or named(EXTERNAL_ID_NAMES),
        source=source_column or named(SOURCE_NAMES),
        language=language_column or named(LANGUAGE_NAMES),
        label=label_column,
        asked=frozenset(asked.values()) - {""},
    )


def besides_text(found: Sequence[str]) -> Columns:
    """What the names of the other columns suggest, while nobody has said which one holds the texts."""
    named = partial(_named, found)
    return Columns("", named(EXTERNAL_ID_NAMES), named(SOURCE_NAMES), named(LANGUAGE_NAMES))


def _text(found: Sequence[str]) -> str:
    if name := _named(found, TEXT_NAMES) or (found[0] if len(found) == 1 else ""):
        return name
    raise UnknownColumn(
        f"No column is named {', '.join(TEXT_NAMES[:-1])} or {TEXT_NAMES[-1]}. Name the one that holds the texts with "
        f"--text-column. Columns found: {_listed(found)}."
    )


def _named(found: Sequence[str], names: Sequence[str]) -> str:
    by_name = {column.lower(): column for column in reversed(found)}
    return next((by_name[name] for name in names if name in by_name), "")


def _none(names: Sequence[str]) -> str:
    return ""


def _listed(found: Sequence[str]) -> str:
    shown = ", ".join(found[:30]) or "none"
    return f"{shown} and {len(found) - 30} more" if len(found) > 30 else shown
