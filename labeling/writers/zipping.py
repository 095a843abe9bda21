"""Several files as one ZIP archive, written piece by piece: nothing is kept, neither in memory nor on disk."""

import zipfile
from collections.abc import Iterable, Iterator


class _Sink:
    """Collects what the archive writes until it is taken. It cannot seek, so sizes come after each file's bytes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self.pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The archive of these files: names, and their bytes piece by piece. Each is read before the next is asked for."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for name, pieces in files:
            with archive.open(name, "w", force_zip64=True) as entry:
                yield sink.taken()  # a reader that gets something knows that it has been heard
                for piece in pieces:
                    entry.write(piece)
                    if taken := sink.taken():
                        yield taken
            yield sink.taken()
    yield sink.taken()
