"""Bytes of a text file as UTF-8 lines, in bounded memory, with exact places of what is wrong."""

import codecs
import io
from typing import NamedTuple

from django.conf import settings

from labeling.readers.errors import NotText, RowTooLong, WrongEncoding
from labeling.readers.opening import BUFFER, Readable, buffered

# Longer marks first: the mark of UTF-32 begins with the one of UTF-16.
MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
KNOWN_BINARIES = [
    (b"PK\x03\x04", "a ZIP or XLSX file", "If it is a workbook, use --format xlsx."),
    (b"PAR1", "a Parquet file", "Use --format parquet."),
    (b"\x1f\x8b", "packed by gzip", "Let its name end in .gz."),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls) or protected by a password", "Save it as CSV or XLSX."),
    (b"%PDF", "a PDF file", "Extract its text first."),
    (b"\x89PNG", "a picture", "Choose the file that holds the texts."),
]


# What text files are found in besides UTF-8 and UTF-16, which are recognised. Python's names.
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "iso-8859-15": "ISO 8859-15 (Western Europe)",
    "koi8-r": "KOI8-R (Russian)",
    "shift_jis": "Shift JIS (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "euc-kr": "EUC-KR (Korean)",
}


class Encoding(NamedTuple):
    name: str
    mark_length: int


def row_limit() -> int:
    """The most bytes that one row may have: room for the longest text, however it is escaped, and its metadata."""
    return max(8 * settings.MAX_TEXT_LENGTH, 1024 * 1024)


def as_utf8(source: Readable, name: str, *, asked: str = "") -> tuple[io.BufferedReader, str]:
    """The stream in UTF-8, without a byte order mark, and the name of the encoding it comes in.

    The encoding is what the file begins with, else `asked`, else UTF-8. Raises NotText for a binary file.
    """
    stream = buffered(source)
    head = stream.peek(BUFFER)[:BUFFER]
    encoding = _encoding(head, name)
    if asked and not encoding.mark_length and encoding.name == "utf-8":
        encoding = Encoding(asked, 0)
    stream.read(encoding.mark_length)
    if encoding.name == "utf-8":
        return stream, encoding.name
    return io.BufferedReader(_Transcoded(stream, encoding, name), BUFFER), encoding.name


def _encoding(head: bytes, name: str) -> Encoding:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return Encoding(encoding, len(mark))
    for signature, kind, advice in KNOWN_BINARIES:
        if head.startswith(signature):
            raise NotText(f"{name} is not a text file: it is {kind}. {advice}")
    if b"\x00" not in head:
        return Encoding("utf-8", 0)
    # In UTF-16 every second byte of plain letters is NUL; a binary file has NULs anywhere.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 >= len(head) and min(even, odd) * 100 <= len(head):
        return Encoding("utf-16-be" if even > odd else "utf-16-le", 0)
    raise NotText(f"{name} is not a text file: it holds NUL bytes. Choose the file that holds the texts, or --format.")


class _Transcoded(io.RawIOBase):
    """A UTF-16 or UTF-32 stream, read as UTF-8."""

    def __init__(self, stream: io.BufferedReader, encoding: Encoding, name: str) -> None:
        self.stream = stream
        self.encoding = encoding
        self.name = name
        self.decoder = codecs.getincrementaldecoder(encoding.name)()
        self.offset = encoding.mark_length
        self.lines = 1
        self.ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # typeshed's Buffer is not in 3.11
        at_end = False
        while not self.ready and not at_end:
            chunk = self.stream.read(BUFFER)
            at_end = not chunk
            self.ready = self._decode(chunk, at_end).encode()
        taken, self.ready = self.ready[: len(buffer)], self.ready[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _decode(self, chunk: bytes, at_end: bool) -> str:
        kept = len(self.decoder.getstate()[0])  # bytes of the character that the last chunk cut
        try:
            text = self.decoder.decode(chunk, at_end)
        except UnicodeDecodeError as error:
            line = self.lines + error.object[: error.start].decode(self.encoding.name, "replace").count("\n")
            raise WrongEncoding(
                f"{self.name}, line {line}, byte {self.offset - kept + error.start}: this is not "
                f"{self.encoding.name.upper()}{', as the file begins' if self.encoding.mark_length else ''}. "
                "Save the file as UTF-8 and import it again."
            ) from None
        self.offset += len(chunk)
        self.lines += text.count("\n")
        return text


class Lines:
    """The lines of a UTF-8 stream, one by one. `number` is the line read last."""

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        self.stream = stream
        self.name = name
        self.number = 0
        self.offset = 0

    def read(self, limit: int) -> str:
        """The next line with its end, "" after the last. A line longer than `limit` bytes raises RowTooLong."""
        raw = self.stream.readline(limit + 1)
        if not raw:
            return ""
        self.number += 1
        start, self.offset = self.offset, self.offset + len(raw)
        if len(raw) > limit:
            raise RowTooLong(
                f"{self.name}, line {self.number}: the row is longer than {limit:,} bytes. Is a quote left open? "
                "Shorten the row, or raise MAX_TEXT_LENGTH."
            )
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise WrongEncoding(
                f"{self.name}, line {self.number}, byte {start + error.start}: this is not UTF-8. Save it as "
                "UTF-8, or name its encoding with --encoding: files of older Windows programs often have cp1252."
            ) from None

    def skip_rest(self) -> None:
        """Pass over what is left of a line that was too long, without keeping it."""
        while raw := self.stream.readline(BUFFER):
            self.offset += len(raw)
            if raw.endswith(b"\n"):
                return
