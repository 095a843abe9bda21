"""What spreadsheet programs do to cells, and how our delimited files stay harmless and reversible.

A cell that begins like a formula is run by the spreadsheet that opens the file, so an exported text could call a
program on a colleague's desk. Such cells get a leading apostrophe; the importer takes it away again.
"""

import re
from collections.abc import Iterable

# White space and invisible characters before the sign do not stop every spreadsheet, nor do full-width signs. Any
# apostrophes in front count as part of the pattern, so that an escaped cell matches too and escaping can be undone.
_FORMULA = re.compile(r"'*(?:[\t\r\n]|[\s\u200b\u2060\ufeff]*[=+\-@＝＋－＠])")

# By these an import recognises a file of ours, so they are in every one.
OWN_COLUMNS = ("text_id", "label_version")
REJECTED_COLUMNS = ("rejected_line", "rejected_reason")  # the first ones of the rejected rows of an import


def escape_formula(cell: str) -> str:
    """`cell` with a leading apostrophe if a spreadsheet could run it as a formula, else unchanged.

    For every string, `unescape_formula(escape_formula(cell)) == cell`.
    """
    # Nearly all cells begin with a letter or digit, and the first question is cheap.
    return cell if cell[:1].isalnum() or not _FORMULA.match(cell) else "'" + cell


def unescape_formula(cell: str) -> str:
    """What `escape_formula` was given. Only for cells of files that we wrote (`is_own_export`)."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def is_own_export(header: Iterable[str]) -> bool:
    """Whether we wrote a CSV or TSV file with these column names: labeled texts or rejected rows, in escaped cells."""
    names = set(header)
    return names.issuperset(OWN_COLUMNS) or names.issuperset(REJECTED_COLUMNS)
