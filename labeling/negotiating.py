"""Which form an answer has, where that is not left to the header Accept."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.request import Request


class NamedFormat(DefaultContentNegotiation):
    """As usual; but a `format` that an address does not have is refused by its name: it is no wrong address."""

    def filter_renderers(self, renderers: Any, format: str) -> list[Any]:
        if found := [renderer for renderer in renderers if renderer.format == format]:
            return found
        known = ", ".join(sorted({renderer.format for renderer in renderers}))
        raise ValidationError({"format": [f"This address has no format '{format}'. It has: {known}."]})


class AnyAccept(BaseContentNegotiation):
    """For addresses that answer with a file: what Accept says is not looked at, and `format` names the file's own."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type  # of refusals
