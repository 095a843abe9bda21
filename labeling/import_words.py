"""What imports say. Messages name the command's flags; pages and the API have other names for the same."""

import re

FLAG = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
FIELDS = {
    "format": "Format",
    "encoding": "Encoding",
    "text-column": "Text",
    "id-column": "External id",
    "source-column": "Source",
    "language-column": "Language",
    "label-column": "Label",
    "source": "Source of all others",
    "create-categories": "Create the categories that are missing",
}


def on_page(message: str) -> str:
    """The message with the labels of the page's fields."""
    return FLAG.sub(lambda flag: f"“{FIELDS[flag[1]]}”" if flag[1] in FIELDS else flag[0], message)


def in_api(message: str) -> str:
    """The message with the names that a request's fields have."""
    return FLAG.sub(lambda flag: flag[1].replace("-", "_") if flag[1] in FIELDS else flag[0], message)
