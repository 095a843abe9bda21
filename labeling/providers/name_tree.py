"""Names that begin alike, as a tree of tokens: what they share is read once, and all of them in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROOT = -1  # what was read before the names


@dataclass(frozen=True, eq=False)
class NameTree:
    """The tokens after which a name goes on, parents before their children; last tokens are judged, never read.

    `tokens`, `depths` (n,): the token and how many stand before it in its name. `sees` (n, n): whether a node comes
    after another in one name, or is the same. `steps`: of each name, each token with the node after which it comes.
    """

    tokens: tuple[int, ...]
    depths: tuple[int, ...]
    sees: NDArray[np.bool_]
    steps: tuple[tuple[tuple[int, int], ...], ...]


def tree_of(names: Sequence[Sequence[int]]) -> NameTree:
    """The tree of names, none of which is empty."""
    starts = {tuple(name[:end]) for name in names for end in range(1, len(name))}
    nodes = {start: number for number, start in enumerate(sorted(starts, key=lambda start: (len(start), start)))}
    sees = np.zeros((len(nodes), len(nodes)), dtype=bool)
    for start, node in nodes.items():
        sees[node, [nodes[start[:end]] for end in range(1, len(start) + 1)]] = True
    return NameTree(
        tokens=tuple(start[-1] for start in nodes),
        depths=tuple(len(start) - 1 for start in nodes),
        sees=sees,
        steps=tuple(
            tuple((nodes.get(tuple(name[:place]), ROOT), token) for place, token in enumerate(name)) for name in names
        ),
    )
