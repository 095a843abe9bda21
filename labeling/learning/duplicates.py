"""Texts that say nearly the same: by their vectors exactly, or by their words for any number of texts."""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]

MOST_COMPARED = 20_000
LEAST_COSINE = 0.95
BLOCK = 1_000  # texts compared at once: all may be alike, and then each pair is a link in memory
LEAST_OVERLAP = 0.8  # of the shingles of two texts together, the share that both have
SHINGLE = 3
BANDS, ROWS = 20, 6  # texts that share 0.8 of their shingles meet in one band with a chance of .998, 0.4 with .08
BATCH = 2_000
# Where words are not parted by spaces (Thai to Khmer, Chinese, Japanese), each character stands for a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
END = "\0"  # between two texts
IS_END = np.uint64(2**32)  # no checksum of a word
WORDS = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|{END}")


def by_cosine(vectors: ArrayLike, least: float = LEAST_COSINE) -> list[IntArray]:
    """Groups of texts linked by a cosine of `least` or more, largest first, as rows in ascending order.

    `vectors` has shape (n, dim), for at most MOST_COMPARED texts: every pair is compared, two blocks at a time. Links
    are chains: the two ends of a large group may be less alike. Texts that are like no other are in no group.
    """
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"Vectors must be finite and of shape (n, dim), got {rows.shape}.")
    if len(rows) > MOST_COMPARED:
        raise ValueError(f"At most {MOST_COMPARED} texts are compared in pairs: use by_words for {len(rows)}.")
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    group = np.arange(len(rows))
    for start in range(0, len(rows), BLOCK):
        for other in range(start, len(rows), BLOCK):
            one, two = slice(start, start + BLOCK), slice(other, other + BLOCK)
            is_new_link = (rows[one] @ rows[two].T >= least - 1e-6) & (group[one, None] != group[two])
            first, second = np.nonzero(is_new_link)
            group = _joined(group, first + start, second + other)
    return _groups(group)


def by_words(contents: Sequence[str], least: float = LEAST_OVERLAP) -> list[IntArray]:
    """Groups of texts that share about `least` of their word triples, largest first, as rows in ascending order.

    MinHash with banding [BRO97]: the time grows with the number of words, not with pairs, and memory is 480 bytes a
    text. The share is estimated from BANDS * ROWS hashes, with a standard error of at most .05, so texts close to
    `least` may fall on either side. Case and punctuation do not count; texts without a word are in no group.
    """
    signatures, has_words = _signatures(contents)
    group = np.arange(len(contents))
    for band in np.split(signatures, BANDS, axis=1):
        first, second = _neighbours_in_buckets(band, has_words)
        is_new = group[first] != group[second]
        first, second = first[is_new], second[is_new]
        is_alike = np.zeros(len(first), dtype=bool)
        for start in range(0, len(first), BATCH):
            part = slice(start, start + BATCH)
            is_alike[part] = (signatures[first[part]] == signatures[second[part]]).mean(axis=1) >= least
        group = _joined(group, first[is_alike], second[is_alike])
    return _groups(group)


def _signatures(contents: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The least value of each hash over a text's shingles, shape (n, BANDS * ROWS), and which texts have words (n,)."""
    random = np.random.default_rng(0)
    factors = random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = random.integers(0, 2**64 - 1, BANDS * ROWS, dtype=np.uint64)
    signatures = np.zeros((len(contents), BANDS * ROWS), dtype=np.uint32)
    has_words = np.zeros(len(contents), dtype=bool)
    for start in range(0, len(contents), BATCH):
        shingles, sizes = _shingles(contents[start : start + BATCH])
        rows = np.flatnonzero(sizes)
        if not len(rows):
            continue
        begins = np.cumsum(sizes[rows]) - sizes[rows]
        has_words[start + rows] = True
        for column, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            hashes = (shingles * factor + offset) >> np.uint64(32)  # multiply-shift, modulo 2^64
            signatures[start + rows, column] = np.minimum.reduceat(hashes, begins)
    return signatures, has_words


def _shingles(contents: Sequence[str]) -> tuple[HashArray, IntArray]:
    """One number for each three words in a row, text after text, and how many each text has, (n,).

    A shorter text has one for all its words, a text without words none.
    """
    words, sizes = _words(contents)
    widths = np.minimum(sizes, SHINGLE)
    places, width = np.arange(len(words)), np.repeat(widths, sizes)
    fits = places + width <= np.repeat(np.cumsum(sizes), sizes)
    places, width = places[fits], width[fits]
    mixed = np.zeros(len(places), dtype=np.uint64)
    for step in range(SHINGLE):
        longer = mixed * np.uint64(0x9E3779B97F4A7C15) + words[np.minimum(places + step, len(words) - 1)]
        longer ^= longer >> np.uint64(29)
        mixed = np.where(step < width, longer, mixed)
    return mixed, np.where(sizes > 0, sizes - widths + 1, 0)


def _words(contents: Sequence[str]) -> tuple[HashArray, IntArray]:
    """A number for each word, text after text, and how many each text has, (n,).

    All texts are searched as one string: one by one they take three times as long.
    """
    joined = END.join(content.replace(END, " ") for content in contents).casefold()
    found = WORDS.findall(joined)
    numbers = {word: zlib.crc32(word.encode()) for word in set(found)} | {END: IS_END}
    words = np.array([numbers[word] for word in found], dtype=np.uint64)
    (ends,) = np.nonzero(words == IS_END)
    sizes = np.diff(ends, prepend=-1, append=len(words)) - 1
    return words[words != IS_END], sizes


def _neighbours_in_buckets(band: NDArray[np.uint32], has_words: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Each text and the next one with the same hashes in this band: enough to link a bucket, and never its square."""
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    rows = np.flatnonzero(has_words)
    ordered = rows[np.argsort(keys[rows], kind="stable")]
    is_same = keys[ordered[1:]] == keys[ordered[:-1]]
    return ordered[:-1][is_same], ordered[1:][is_same]


def _joined(group: IntArray, first: IntArray, second: IntArray) -> IntArray:
    """The groups (n,) after those of each pair became one."""
    if not len(first):
        return group
    edges = coo_array((np.ones(len(first), dtype=bool), (group[first], group[second])), shape=(len(group), len(group)))
    component = connected_components(edges, directed=False)[1]
    return np.asarray(component[group], dtype=np.int64)


def _groups(group: IntArray) -> list[IntArray]:
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted((part for part in parts if len(part) > 1), key=lambda part: (-len(part), part[0]))
