"""The form of an answer: its JSON schema, and strict reading of what a model sends instead."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from labeling.providers.prompting import Form

THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
LONGEST_ANSWER = 50_000  # characters
MOST_OBJECTS = 50  # looked at in one answer
EXCERPT = 120

Json = dict[str, Any]


class Unusable(Exception):
    """An answer that names no category. The message says to the model what was wrong."""


@dataclass(frozen=True)
class Parsed:
    """One answer: the index of its category, and what else the model said."""

    category: int
    reason: str = ""
    confidence: float | None = None


def schema(form: Form) -> Json:
    """The JSON schema of the answer about one text."""
    kinds: dict[str, Json] = {
        "category": {"type": "string", "enum": list(form.names)},
        "reason": {"type": "string"},
        "confidence": {"type": "number"},
    }
    return _object({key: kinds[key] for key in form.keys})


def group_schema(form: Form) -> Json:
    """The JSON schema of the answers about several numbered texts."""
    one = schema(form)["properties"]
    items = _object({"number": {"type": "integer"}} | one)
    return _object({"answers": {"type": "array", "items": items}})


def parse(content: str, form: Form) -> Parsed:
    """The answer about one text. Raises Unusable; never gives a category that is not in the form."""
    objects = _objects(content, "category")
    found = {parsed.category: parsed for parsed in _usable(objects, form)}
    if len(found) == 1:
        return found.popitem()[1]
    if found:
        raise Unusable("It names more than one category.")
    if not content.strip():
        raise Unusable("It is empty.")
    if objects:
        raise Unusable(f"There is no category {_excerpt(objects[0]['category'])}.")
    raise Unusable(f"It is not a JSON object with a category: {_excerpt(content)}")


def parse_group(content: str, form: Form, count: int) -> dict[int, Parsed]:
    """The usable answers about `count` texts, by index. What is missing, twice or wrong is left out."""
    found: dict[int, list[Parsed]] = {}
    for answers in _objects(content, "answers"):
        for one in answers["answers"] if isinstance(answers["answers"], list) else []:
            if isinstance(one, dict) and isinstance(number := one.get("number"), int) and 1 <= number <= count:
                found.setdefault(number - 1, []).extend(_usable([one], form))
    return {index: parsed[0] for index, parsed in found.items() if len(parsed) == 1}


def _object(properties: Json) -> Json:
    """Closed and complete, which OpenAI's strict mode asks for."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _usable(objects: Iterable[Json], form: Form) -> Iterator[Parsed]:
    for one in objects:
        category = _category(one.get("category"), form.names)
        if category is not None:
            reason = one.get("reason")
            yield Parsed(category, reason.strip() if isinstance(reason, str) else "", _share(one.get("confidence")))


def _category(said: object, names: Sequence[str]) -> int | None:
    """The name that was said, or the only one that differs by case, spaces and quotes."""
    if not isinstance(said, str):
        return None
    if said in names:
        return names.index(said)
    plain = _plain(said)
    alike = [index for index, name in enumerate(names) if plain and _plain(name) == plain]
    return alike[0] if len(alike) == 1 else None


def _plain(name: str) -> str:
    return " ".join(normalize("NFC", name).casefold().split()).strip("\"'`“”‘’«» .")


def _share(said: object) -> float | None:
    """A number from 0 to 1; some models say percent."""
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return None
    share = float(said) / 100 if 1 < said <= 100 else float(said)
    return share if 0 <= share <= 1 else None


def _objects(content: str, key: str) -> list[Json]:
    """The JSON objects with this key, also in prose or in a code fence; not those inside of others."""
    content = THOUGHTS.sub("", content[:LONGEST_ANSWER])
    found: list[Json] = []
    at = content.find("{")
    for _ in range(MOST_OBJECTS):
        if at < 0:
            break
        if decoded := _decode(content, at):
            found += [decoded[0]] if key in decoded[0] else []
        at = content.find("{", decoded[1] if decoded else at + 1)
    return found


def _decode(content: str, at: int) -> tuple[Json, int] | None:
    """The JSON object that begins at `at`, and where it ends."""
    try:
        found, end = json.JSONDecoder(object_pairs_hook=_without_twins).raw_decode(content, at)
    except (ValueError, RecursionError):
        return None
    return (found, end) if isinstance(found, dict) else None


def _without_twins(pairs: list[tuple[str, Any]]) -> Json:
    """A key that stands twice says two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _excerpt(said: object) -> str:
    text = json.dumps(said, ensure_ascii=False)
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
