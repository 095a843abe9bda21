"""How the OpenAPI document is made: what every operation has in common is said once, here."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter
from rest_framework.serializers import BaseSerializer, DecimalField, TimeField
from rest_framework.settings import api_settings

from labeling.problems import CONTENT_TYPE

# Component -> status, when it is answered, and an example.
PROBLEMS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "Invalid": (
        400,
        "A value is wrong: `errors` names each field and says what is wrong with it.",
        {
            "title": "Bad Request",
            "detail": "Some fields are wrong. See errors.",
            "code": "invalid",
            "errors": {"limit": ["Ask for 1 to 500 rows."]},
        },
    ),
    "Unauthorized": (
        401,
        "Nobody is signed in, or the API key is wrong, expired or revoked.",
        {
            "title": "Unauthorized",
            "detail": "This API key is wrong, expired or revoked. Make one: manage.py create_api_key",
            "code": "authentication_failed",
        },
    ),
    "Forbidden": (
        403,
        "The user lacks the permission, or the key lacks the scope.",
        {
            "title": "Forbidden",
            "detail": "This API key lacks the scope 'label'. Make one that has it.",
            "code": "permission_denied",
        },
    ),
    "NotFound": (
        404,
        "It does not exist, or is of a project that you may not see.",
        {"title": "Not Found", "detail": "There is no project 'Olds' that you may see.", "code": "not_found"},
    ),
    "NotAcceptable": (
        406,
        "The `Accept` header asks for a form in which there is no answer.",
        {
            "title": "Not Acceptable",
            "detail": "Could not satisfy the request Accept header. Accept application/json.",
            "code": "not_acceptable",
        },
    ),
    "Conflict": (
        409,
        "It does not go with what holds now; `code` says which of the reasons it is. Nothing was changed.",
        {
            "title": "Conflict",
            "detail": "Run 7 of this project is unfinished. Wait for it or cancel it.",
            "code": "run_in_progress",
        },
    ),
    "TooLarge": (
        413,
        "The body is too large.",
        {
            "title": "Request Entity Too Large",
            "detail": "The body is larger than 2,621,440 bytes. Send it in several requests.",
            "code": "body_too_large",
        },
    ),
    "UnsupportedMediaType": (
        415,
        "The body is of a type that is not read here.",
        {
            "title": "Unsupported Media Type",
            "detail": 'Unsupported media type "text/html" in request. Send application/json.',
            "code": "unsupported_media_type",
        },
    ),
    "KeyReused": (
        422,
        "This `Idempotency-Key` came with another request before. Use a new key for a new request.",
        {
            "title": "Unprocessable Entity",
            "detail": "This Idempotency-Key came with another request before. Use a new key for a new request.",
            "code": "idempotency_key_reused",
        },
    ),
    "TooManyRequests": (
        429,
        "Too many requests. `Retry-After` says after how many seconds the next one is answered.",
        {
            "title": "Too Many Requests",
            "detail": "Request was throttled. Expected available in 12 seconds.",
            "code": "throttled",
        },
    ),
    "BadGateway": (
        502,
        "The model's provider has failed for good (`provider_failed`): the same request fails again.",
        {
            "title": "Bad Gateway",
            "detail": "The server refuses the key. Look at FREE_API_KEY.",
            "code": "provider_failed",
        },
    ),
    "Unavailable": (
        503,
        "Not now: `busy`, `categories_changed` or `provider_unavailable`. `Retry-After` says after how many seconds "
        "another try is worth it.",
        {
            "title": "Service Unavailable",
            "detail": "Other texts are being answered. Try again in a moment, or let many texts be labeled by a run.",
            "code": "busy",
        },
    ),
}
MAKES_WAIT = ("TooManyRequests", "Unavailable")

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong and what to do about it [RFC 9457]. Programs go by `code`, which does not change.",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank: the code says it all."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and the next step."},
        "code": {"type": "string", "description": "The reason, for programs."},
        "errors": {
            "type": "object",
            "additionalProperties": {},
            "description": "Where values are wrong: what is wrong, by the name of the field.",
        },
        "before": {
            "type": "object",
            "additionalProperties": {},
            "description": "Where a body broke off after rows were stored: what became of those.",
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
}

TIME = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="A name of your own for this request, such as a UUID. Sent again with the same key within a day, the "
    "request has no second effect and gets the same answer, with the header `Idempotency-Replayed: true`.",
)


def sent(body: Any, name: str = "Example") -> OpenApiExample:
    """An example of a body, as the documentation shows it and fills it in."""
    return OpenApiExample(name, body, request_only=True)


class Contract(AutoSchema):
    """The first sentence of an action's docstring is its summary, and every error that it may answer is documented."""

    def get_summary(self) -> str:
        return self._words()[0].rstrip(".")

    def get_description(self) -> str:
        return self._words()[1]

    def get_override_parameters(self) -> list[Any]:
        return [IDEMPOTENCY_KEY] if self.method == "POST" else []

    def map_parsers(self) -> list[str]:
        """Forms are read as well, where nothing else is said; but a form has no types that one could promise."""
        parsers = self.view.parser_classes
        return ["application/json"] if parsers == api_settings.DEFAULT_PARSER_CLASSES else list(super().map_parsers())

    def _map_serializer_field(self, field: Any, direction: Direction, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if isinstance(field, TimeField) and schema:  # the format `time` would need a time zone
            schema = {name: value for name, value in schema.items() if name != "format"} | {"pattern": TIME}
        if isinstance(field, DecimalField) and "pattern" in schema:
            schema["pattern"] = _pattern(field)
        return schema

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """A filter is never empty: left out, it asks for all."""
        found: list[dict[str, Any]] = super()._get_filter_parameters()
        for parameter in found:
            if parameter["schema"].get("type") == "string":
                parameter["schema"].setdefault("minLength", 1)
        return found

    def _words(self) -> tuple[str, str]:
        """The first sentence, and what comes after it."""
        whole = str(super().get_description())
        first = re.split(r"(?<=\.)\s|\n", whole, maxsplit=1)[0]
        return first, whole.removeprefix(first).strip()

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for name in self._problems():
            status = str(PROBLEMS[name][0])
            bodies.setdefault(status, {"$ref": f"#/components/responses/{name}"})
        return dict(sorted(bodies.items()))

    def _problems(self) -> list[str]:
        found = ["Unauthorized", "Forbidden", "NotFound", "NotAcceptable", "TooManyRequests"]
        if self.method == "GET":
            return [*found, "Invalid"]  # there is always a `format`, which may be wrong
        found += ["Invalid", "Conflict", *getattr(self.view, "own_problems", ())]
        found += ["TooLarge", "UnsupportedMediaType"] if isinstance(self._body(), BaseSerializer | type | dict) else []
        return [*found, "KeyReused"] if self.method == "POST" else found

    def _body(self) -> Any:
        return self.get_request_serializer()


def _pattern(field: DecimalField) -> str:
    """Of a decimal number in a string: the usual one would let an empty string pass, and numbers below the least."""
    sign = "" if field.min_value is not None and field.min_value >= 0 else "-?"
    return rf"^{sign}\d{{1,{field.max_whole_digits}}}(?:\.\d{{1,{field.decimal_places}}})?$"


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: the errors that all operations refer to, bodies without further fields, and addresses
    without the slash at the end."""
    components = result.setdefault("components", {})
    for name, schema in components.get("schemas", {}).items():
        if name.endswith("Request") and "properties" in schema:  # see `requests.checked`
            schema["additionalProperties"] = False
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {name: _response(name, *said) for name, said in PROBLEMS.items()}
    result["paths"] = {address.rstrip("/"): operations for address, operations in result["paths"].items()}
    return result


def _response(name: str, status: int, description: str, example: dict[str, Any]) -> dict[str, Any]:
    whole = {"type": "about:blank", "status": status, **example}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": whole}
    headers = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}} if name in MAKES_WAIT else {}
    response = {"description": description, "content": {CONTENT_TYPE: content}}
    return response | ({"headers": headers} if headers else {})
