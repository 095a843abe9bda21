"""A text as programs send it, in words of JSON Schema: what `labeling.drafts` takes.

Only the reader of JSON arrays has a limit for numbers, and says so where one is beyond it.
"""

from typing import Any

from labeling.drafts import LIMITS

JsonSchema = dict[str, Any]


def _scalar(**limits: int | bool) -> JsonSchema:
    """Programs have numbers for ids: they are kept as text."""
    return {"oneOf": [{"type": "string", **limits}, {"type": "number"}, {"type": "boolean"}]}


WORDS = _scalar(minLength=1)
# OpenAPI 3.0 lets null pass only beside a type.
NAMES: dict[str, JsonSchema] = {name: _scalar(maxLength=most, nullable=True) for name, most in LIMITS.items()}

ROW: JsonSchema = {
    "oneOf": [
        {"type": "string", "minLength": 1, "description": "The text alone."},
        {
            "type": "object",
            "description": "Any other key becomes metadata. Numbers beyond 64 bits are sent as strings.",
            "properties": {
                "text": WORDS,
                **NAMES,
                "metadata": {"description": "Whatever else is known: an object, by names."},
            },
            "required": ["text"],
        },
    ]
}
