"""One effect for a request that is sent again: the answer is kept under the caller's `Idempotency-Key` for a day.

A request is noted before it is carried out. One that was refused or failed is forgotten, because it had no effect; one
in whose midst the server died stays noted, and is not carried out again: nobody knows what it did.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import IdempotentRequest

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,64}")
KEPT = timedelta(days=1)
LONGEST = timedelta(minutes=10)  # a request that was not answered until then never will be
QUICK = timedelta(seconds=30)  # longer than any that asks no model
PIECE = 64 * 1024


class KeyReused(RuntimeError):
    """The key came with another request before."""


class InProgress(RuntimeError):
    """The request that came first with this key is not answered yet."""


class OutcomeUnknown(RuntimeError):
    """The server died in the midst of the request that came first with this key."""


@dataclass(frozen=True)
class Answer:
    """What was answered before."""

    status: int
    headers: dict[str, str]
    body: bytes


class Hashing:
    """A request's body, hashed piece by piece as it is read, so that an upload of any size is never held whole."""

    def __init__(self, stream: BinaryIO, *, begin_with: str) -> None:
        self.stream = stream
        self.hash = hashlib.sha256(begin_with.encode())

    def read(self, *size: int) -> bytes:
        return self._seen(self.stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._seen(self.stream.readline(*size))

    def close(self) -> None:
        """The server closes it, when the rest has been read."""

    def fingerprint(self) -> str:
        """Of the whole body: what nobody has read yet is read now."""
        while self.read(PIECE):
            pass
        return self.hash.hexdigest()

    def _seen(self, piece: bytes) -> bytes:
        self.hash.update(piece)
        return piece


def begin(
    caller: str, key: str, fingerprint: Callable[[], str], *, repeatable_after: timedelta | None
) -> IdempotentRequest | Answer:
    """Note that the request is carried out now; or the answer that it was given before.

    With `repeatable_after` it may be carried out twice and has one effect nevertheless, so that one in whose midst the
    server died is carried out again, after that time. Raises KeyReused, InProgress or OutcomeUnknown.
    """
    noted, is_first = IdempotentRequest.objects.get_or_create(caller=caller, key=key)
    if is_first or _take_over(noted, KEPT):
        return noted
    if noted.status is not None:
        if noted.fingerprint != fingerprint():
            raise KeyReused(f"This {HEADER} came with another request before. Use a new key for a new request.")
        return Answer(noted.status, noted.headers, bytes(noted.body))
    if repeatable_after is not None and _take_over(noted, repeatable_after):
        return noted
    if noted.begun_at > timezone.now() - LONGEST:
        raise InProgress(f"The request with this {HEADER} is being carried out. Send it again in a moment.")
    raise OutcomeUnknown(
        "The server stopped while it carried out the request with this key. Look whether it had its effect; if it had "
        "not, send it with a new key."
    )


def keep(noted: IdempotentRequest, fingerprint: str, answer: Answer) -> None:
    """Keep the answer for whoever sends the request again, unless that one has taken it over."""
    values = {"status": answer.status, "headers": answer.headers, "body": answer.body, "fingerprint": fingerprint}
    if not _as_begun(noted).update(**values):
        logger.warning("Request %s was taken over before it was answered", noted.pk)


def forget(noted: IdempotentRequest) -> None:
    """The request had no effect. Who has taken it over goes on."""
    _as_begun(noted).delete()


def forget_old() -> int:
    """Delete what is kept no longer; returns how many."""
    return IdempotentRequest.objects.filter(begun_at__lte=timezone.now() - KEPT).delete()[0]


def _take_over(noted: IdempotentRequest, age: timedelta) -> bool:
    """Whether a request noted so long ago is this caller's now. Of two who ask at once, one gets it."""
    if noted.begun_at > timezone.now() - age:
        return False
    now = timezone.now()
    taken = _as_begun(noted).update(begun_at=now, status=None, fingerprint="", headers={}, body=b"")
    if taken:
        noted.begun_at, noted.status = now, None
    return bool(taken)


def _as_begun(noted: IdempotentRequest) -> QuerySet[IdempotentRequest]:
    """The request, if nobody else has taken it over or answered it since."""
    return IdempotentRequest.objects.filter(pk=noted.pk, begun_at=noted.begun_at, status=noted.status)
