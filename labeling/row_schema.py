"""A text as programs send it, in words of JSON Schema: what `labeling.drafts` takes, no more and no less."""

from typing import Any

from labeling.drafts import LIMITS

JsonSchema = dict[str, Any]


def _scalar(**limits: int) -> JsonSchema:
    """Programs have numbers for ids: they are kept as text."""
    return {"oneOf": [{"type": "string", **limits}, {"type": "number"}, {"type": "boolean"}]}


WORDS = _scalar(minLength=1)
NAMES: dict[str, JsonSchema] = {name: {**_scalar(maxLength=most), "nullable": True} for name, most in LIMITS.items()}

ROW: JsonSchema = {
    "oneOf": [
        {"type": "string", "description": "The text alone."},
        {
            "type": "object",
            "description": "Updated by its external id, where that is known. Any other key becomes metadata.",
            "properties": {
                "text": WORDS,
                **NAMES,
                "metadata": {"description": "Whatever else is known: an object, by names."},
            },
            "required": ["text"],
        },
    ]
}
