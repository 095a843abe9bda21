"""What a causal language model has read, and how likely it finds what may come next; nothing is read twice."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers.base import ProviderError
from labeling.providers.name_tree import NameTree, tree_of

# For continuations that are scored together.
BYTES_AT_ONCE = 512 * 2**20
NODES_AT_ONCE = 256  # of a tree of continuations: the logits of each take 200 to 1,000 KB


class Reading:
    """The state of a model after some tokens: its cache of keys and values, and the logits of the next token.

    A reading never changes: `read` goes on in a copy. Attention layers of transformers 5 put new keys and values into
    new tensors, but recurrent layers write into the old ones, hence a deep copy for all.
    """

    def __init__(self, module: Any, tokens: Sequence[int], *, cache: Any = None, n_before: int = 0) -> None:
        self._module = module
        self._n_tokens = n_before + len(tokens)
        self._cache, logits = _forward(module, [tokens], cache, n_before, last_only=True)
        if self._cache is None:
            raise ProviderError(
                f"{type(module).__name__} keeps no cache of what it has read. Choose another causal language model.",
                permanent=True,
            )
        self._next = logits[0, -1]

    def read(self, tokens: Sequence[int]) -> "Reading":
        """The state after these tokens as well; at least one."""
        return Reading(self._module, tokens, cache=copy.deepcopy(self._cache), n_before=self._n_tokens)

    def log_likelihoods(self, continuations: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """log P(continuation | what was read) of each, (n,); none is empty.

        Where the model takes a mask of ours, all of them are one row, in which what they share stands once: 77 names
        of 4 tokens are a third of the tokens, and the cache is not repeated for each.
        """
        tree = tree_of(continuations)
        if 0 < len(tree.tokens) <= NODES_AT_ONCE and self._takes_a_mask():
            return self._by_tree(tree)
        return self._by_rows(continuations)

    def _takes_a_mask(self) -> bool:
        """Whether each token's place and what it sees are ours to say: in plain attention to all that was read."""
        from transformers.cache_utils import DynamicLayer

        chosen = getattr(self._module.config, "_attn_implementation", "")
        return (
            all(type(layer) is DynamicLayer for layer in self._cache.layers)
            and "position_ids" in inspect.signature(self._module.forward).parameters
            and chosen in ("sdpa", "eager")
        )

    def _by_tree(self, tree: NameTree) -> NDArray[np.float64]:
        import torch

        device = self._next.device
        before = torch.ones((len(tree.tokens), self._n_tokens), dtype=torch.bool)
        mask = torch.cat([before, torch.from_numpy(tree.sees)], dim=1)[None, None].to(device)
        places = torch.tensor([tree.depths], device=device) + self._n_tokens
        cache = copy.deepcopy(self._cache)
        # 0 where it looks and the lowest number elsewhere: eager attention adds the mask.
        kind = self._module.dtype
        added = torch.zeros(mask.shape, dtype=kind, device=device).masked_fill(~mask, torch.finfo(kind).min)
        ids = torch.tensor([tree.tokens], device=device)
        found = self._module(
            input_ids=ids, attention_mask=added, position_ids=places, past_key_values=cache, use_cache=True
        )
        # The root's row is the last: its number is -1.
        logs = torch.cat([found.logits[0].float(), self._next[None]]).log_softmax(dim=-1).cpu().numpy()
        return np.array([sum(float(logs[node, token]) for node, token in steps) for steps in tree.steps])

    def _by_rows(self, continuations: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Each is a row of its own.

        The first token of each is judged by what was read, so it costs nothing; the others in batches, for which the
        cache is repeated within BYTES_AT_ONCE.
        """
        firsts = [tokens[0] for tokens in continuations]
        logs = self._next.log_softmax(dim=-1)[firsts].cpu().numpy().astype(np.float64)
        longer = [index for index, tokens in enumerate(continuations) if len(tokens) > 1]
        at_once = self._rows_at_once(max(map(len, continuations)))
        for start in range(0, len(longer), at_once):
            batch = longer[start : start + at_once]
            logs[batch] += self._of_rest([continuations[index] for index in batch])
        return logs

    def greedy(self, limit: int, *, stop: frozenset[int]) -> list[int]:
        """The likeliest next tokens, one after the other, at most `limit` and none of `stop`."""
        found: list[int] = []
        cache, logits = copy.deepcopy(self._cache), self._next
        while len(found) < limit and (token := int(logits.argmax())) not in stop:
            found.append(token)
            cache, after = _forward(self._module, [[token]], cache, self._n_tokens + len(found) - 1, last_only=True)
            logits = after[0, -1]
        return found

    def _rows_at_once(self, length: int) -> int:
        """How many continuations of this length are scored together: each takes a copy of the cache, and logits."""
        tensors = [part for layer in self._cache.layers for part in vars(layer).values() if hasattr(part, "nbytes")]
        row = sum(tensor.nbytes for tensor in tensors) + length * self._next.nbytes
        return int(max(1, BYTES_AT_ONCE // row))

    def _of_rest(self, continuations: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """log P(second and later tokens | what was read and the tokens before them), (n,)."""
        import torch

        cache = copy.deepcopy(self._cache)
        cache.reorder_cache(torch.zeros(len(continuations), dtype=torch.long, device=self._next.device))
        length = max(map(len, continuations)) - 1
        # Padding on the right comes after all that is looked at, so that a causal model is blind to it.
        rows = [[*tokens[:-1], *[0] * (length - len(tokens) + 1)] for tokens in continuations]
        _, logits = _forward(self._module, rows, cache, self._n_tokens, last_only=False)
        wanted = [[*tokens[1:], *[0] * (length - len(tokens) + 1)] for tokens in continuations]
        targets = torch.tensor(wanted, device=logits.device)[:, :, None]
        logs = logits.log_softmax(dim=-1).gather(2, targets)[:, :, 0].cpu().numpy().astype(np.float64)
        counted = np.arange(length) < np.array([len(tokens) - 1 for tokens in continuations])[:, None]
        totals: NDArray[np.float64] = np.where(counted, logs, 0).sum(axis=1)
        return totals


def exclusive(names: Sequence[Sequence[int]], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """log P(the name comes next, and not a longer one of `names` that begins with it), from log P(name), both (n,).

    Without it what "world" and "world news" share would count for both. A token that ends the answer would tell them
    apart as well, but how sure a model is to stop says little about the text.
    """
    result = logs.copy()
    for index in sorted(range(len(names)), key=lambda place: -len(names[place])):
        size = len(names[index])
        longer = [place for place, name in enumerate(names) if len(name) > size and name[:size] == names[index]]
        if longer:
            share = np.exp(result[longer] - logs[index]).sum()
            result[index] += np.log1p(-min(share, 1 - 1e-9))  # rounding may leave nothing
    return result


def _forward(
    module: Any, rows: Sequence[Sequence[int]], cache: Any, n_before: int, *, last_only: bool
) -> tuple[Any, Any]:
    """Return the cache afterwards and the logits (n, length, vocabulary) in 32 bits, of the last token if so asked."""
    import torch

    ids = torch.tensor(rows, device=module.device)
    seen = torch.ones((len(rows), n_before + ids.shape[1]), dtype=torch.long, device=module.device)
    kept = {}
    if last_only and _keeps_few(module):
        # All logits of a long text would take more memory than the model. By place: after a slice torch would copy the
        # whole matrix of halves before it multiplies, a third of the time.
        kept["logits_to_keep"] = torch.tensor([ids.shape[1] - 1], device=module.device)
    found = module(input_ids=ids, attention_mask=seen, past_key_values=cache, use_cache=True, **kept)
    return getattr(found, "past_key_values", None), found.logits.float()


def _keeps_few(module: Any) -> bool:
    return "logits_to_keep" in inspect.signature(module.forward).parameters
