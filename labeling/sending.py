"""Files that are sent while they are written: what pages and the API answer with."""

from collections.abc import Callable

from django.http import StreamingHttpResponse

from labeling import rejected
from labeling.downloading import Download
from labeling.models import ImportRecord


def answer_with(file: Download) -> StreamingHttpResponse:
    """A response that sends each piece when it is made."""
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "X-Accel-Buffering": "no",  # nginx would hold pieces back
    }
    return StreamingHttpResponse(file.pieces, content_type=file.content_type, headers=headers)


def rejected_file(record: ImportRecord, words: Callable[[str], str]) -> StreamingHttpResponse:
    """The rejected rows as a download."""
    response = StreamingHttpResponse(rejected.pieces(record, words), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-of-import-{record.pk}.csv"'
    return response
