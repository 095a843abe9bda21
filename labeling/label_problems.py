"""The API's answers to what keeps a text from being labeled."""

from http import HTTPStatus

from labeling import runs, spending
from labeling.annotations import NoLongerActive
from labeling.answering import Busy
from labeling.problems import Problem
from labeling.providers.base import ProviderError

BUSY_SECONDS = 1
CHANGED_SECONDS = 1  # as long as a process may still ask with the old categories
DOWN_SECONDS = 15  # a server that restarts needs about that long


class TryLater(Problem):
    """503 with the seconds after which another try is worth it, as `Retry-After` says them too."""

    def __init__(self, code: str, detail: str, seconds: int) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, code, detail)
        self.wait = seconds  # DRF makes the header of it


def of(error: Exception) -> Exception:
    """The problem that this error is, or else the error itself."""
    if isinstance(error, Busy):
        return TryLater("busy", str(error), BUSY_SECONDS)
    if isinstance(error, NoLongerActive):
        return TryLater("categories_changed", str(error), CHANGED_SECONDS)
    if isinstance(error, runs.Archived):
        return Problem(HTTPStatus.CONFLICT, "project_archived", str(error))
    if isinstance(error, runs.NoActiveCategories):
        return Problem(HTTPStatus.CONFLICT, "no_active_categories", str(error))
    if isinstance(error, spending.UsedUp):
        return Problem(HTTPStatus.CONFLICT, "spending_cap_reached", str(error))
    if isinstance(error, ProviderError) and error.permanent:
        return Problem(HTTPStatus.BAD_GATEWAY, "provider_failed", str(error))
    if isinstance(error, ProviderError):
        return TryLater("provider_unavailable", str(error), DOWN_SECONDS)
    return error
