"""Providers by alias, configured as Django's caches are: settings.LABELING_PROVIDERS[alias] = {BACKEND, OPTIONS}."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from labeling.providers.base import Provider, ProviderError

_lock = threading.Lock()  # of the two dictionaries, and held for no longer than they are read or written
_building: dict[tuple[int, str], threading.Lock] = {}
# The process id is part of the key: a forked child must not use sessions whose threads stayed in its parent.
_instances: dict[tuple[int, str], Provider] = {}


def get_provider(alias: str, *, patience: float | None = None) -> Provider:
    """Return the provider of this alias, built once per process on first use.

    Raises ProviderError: permanent for an alias that is not configured or a backend that cannot be built; temporary
    while another thread builds it, for longer than `patience` seconds if given.
    """
    key = (os.getpid(), alias)
    with _lock:
        if key in _instances:
            return _instances[key]
        building = _building.setdefault(key, threading.Lock())
    with _turn(building, alias, patience):  # of this alias alone: a model that is fetched keeps nobody from the others
        found = _instances.get(key) or _build(alias)
        with _lock:
            return _instances.setdefault(key, found)


def get_encoder() -> Provider:
    """Return the provider whose vectors stand beside the answers of providers that have none: LABELING_ENCODER.

    Raises ProviderError (permanent) when it cannot be built or does not embed.
    """
    provider = get_provider(settings.LABELING_ENCODER)
    if not provider.can_embed:
        raise ProviderError(
            f"LABELING_ENCODER is {settings.LABELING_ENCODER!r}, which gives no embeddings. Name a provider that does.",
            permanent=True,
        )
    return provider


def forget_all() -> None:
    """Drop every instance, so that the next call reads the settings again."""
    with _lock:
        _instances.clear()


@contextmanager
def _turn(building: threading.Lock, alias: str, patience: float | None) -> Iterator[None]:
    if not building.acquire(timeout=-1 if patience is None else patience):
        raise ProviderError(f"The provider {alias!r} is being loaded. Try again in a moment.", permanent=False)
    try:
        yield
    finally:
        building.release()


def _build(alias: str) -> Provider:
    known = settings.LABELING_PROVIDERS
    if alias not in known:
        aliases = ", ".join(sorted(known)) or "none"
        raise ProviderError(
            f"There is no provider {alias!r}. Choose one of: {aliases}; or add it to LABELING_PROVIDERS.",
            permanent=True,
        )
    entry: dict[str, Any] = known[alias]
    backend, options = entry["BACKEND"], entry.get("OPTIONS", {})
    try:
        provider: Provider = import_string(backend)(**options)
    except (ImportError, TypeError) as error:
        raise ProviderError(
            f"The provider {alias!r} cannot be built from {backend!r}: {error}. Correct BACKEND and OPTIONS in "
            f"LABELING_PROVIDERS or choose another of: {', '.join(sorted(known))}.",
            permanent=True,
        ) from error
    return provider


def _after_fork_in_child() -> None:
    """Locks held by other threads of the parent would stay locked for ever in the child."""
    global _lock
    _lock = threading.Lock()
    _building.clear()
    _instances.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
