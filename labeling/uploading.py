"""How a file comes in over HTTP: to disk as it arrives, and not at all when it is too large."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

BESIDE_THE_FILE = 1024**2  # bytes of a request that are its other fields


class RefuseTooLarge(FileUploadHandler):
    """The first of the upload handlers. Refuses by the length that the request declares, which Django never reads past:
    nothing of the file is kept. The other fields arrive, so that the page can say what was wrong."""

    is_refused = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self.is_refused = content_length > limit_bytes() + BESIDE_THE_FILE

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if self.is_refused:
            raise StopUpload  # the rest is read and thrown away: browsers show no answer before they have sent all
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leaves the file to the handlers after this one."""


def is_too_large(request: HttpRequest) -> bool:
    """Whether the request's file was refused."""
    return any(getattr(handler, "is_refused", False) for handler in request.upload_handlers)


def limit_bytes() -> int:
    """The most bytes that a file may have."""
    return int(settings.MAX_UPLOAD_MB) * 1024**2


def too_large() -> str:
    """What whoever sent it is told."""
    return (
        f"The file is larger than {settings.MAX_UPLOAD_MB:,} MB. Split it, pack it with gzip, raise MAX_UPLOAD_MB, or "
        "import it on the server: manage.py import_texts FILE"
    )
