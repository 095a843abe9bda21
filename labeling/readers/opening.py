"""A path, a stream or standard input as one buffered binary stream."""

import gzip
import io
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from labeling.readers.errors import UnreadableFile

BUFFER = 64 * 1024
# Text packs to a tenth, a log of equal lines to a fiftieth. What unpacks to much more was made to fill a disk.
MOST_TIMES = 200
ALWAYS_FINE = 64 * 1024**2  # bytes, however well they are packed


class Readable(Protocol):
    """All that is asked of a stream; an upload has no more."""

    def read(self, size: int = -1, /) -> bytes: ...


class Raw(io.RawIOBase):
    """Gives any object with `read(size)` the buffering of the standard library."""

    def __init__(self, source: Readable) -> None:
        self.source = source
        self.is_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # typeshed's Buffer is not in 3.11
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        """Of a pipe what has come, as its `read` waits for all; but the beginning whole: it tells what the rest is."""
        if self.is_begun and isinstance(self.source, io.BufferedReader):
            return self.source.read1(size)
        self.is_begun = True
        return self.source.read(size)


def buffered(source: Readable) -> io.BufferedReader:
    return io.BufferedReader(Raw(source), BUFFER)


def opened(file: Path | str | Readable, stack: ExitStack) -> Readable:
    """The open stream of a path, of "-" (standard input) or of a stream. `stack` closes only what is opened here."""
    if not isinstance(file, Path | str):
        return file
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {file}. Check the path.") from None
    except OSError as error:
        raise UnreadableFile(f"{file} cannot be opened: {error.strerror}.") from error


def unpacked(stream: Readable, stack: ExitStack) -> Readable:
    """The content of a gzip stream. Reading it raises UnreadableFile when it unpacks to far more than text does."""
    return stack.enter_context(_Unpacked(_Counted(stream)))


class _Counted:
    """A stream that knows how many bytes were read from it."""

    def __init__(self, stream: Readable) -> None:
        self.stream = stream
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self.stream.read(size)
        self.count += len(data)
        return data


class _Unpacked(gzip.GzipFile):
    def __init__(self, packed: _Counted) -> None:
        super().__init__(fileobj=packed)  # type: ignore[call-overload]  # it asks for more than it uses
        self.packed = packed

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() > max(ALWAYS_FINE, MOST_TIMES * self.packed.count):
            raise UnreadableFile("The file unpacks to far more than texts do. Unpack it yourself and look into it.")
        return data


def seekable(stream: Readable, stack: ExitStack) -> BinaryIO:
    """A stream that can be read from any place: a pipe goes to a temporary file first."""
    if getattr(stream, "seekable", lambda: False)() and not isinstance(stream, gzip.GzipFile):
        return cast(BinaryIO, stream)
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(stream, spool, BUFFER)
    spool.seek(0)
    return spool
