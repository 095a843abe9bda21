"""One form for equal texts, so that the same words are stored, embedded and labeled once."""

import unicodedata
from hashlib import blake2b


def normalize(text: str) -> str:
    """Unicode NFC, without NUL characters (no database takes them), lone surrogates, and white space at the ends."""
    text = text.replace("\x00", "")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    return text.strip()


def content_hash(normalized: str) -> str:
    """BLAKE2b-128 of the normalised text, 32 hexadecimal digits: the key of duplicates and of cached embeddings."""
    return blake2b(normalized.encode(), digest_size=16).hexdigest()
