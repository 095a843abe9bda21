"""What the review API answers when a decision is refused."""

from http import HTTPStatus

from labeling.problems import Problem
from reviews.access import Archived, NoReviewer, NotYourProject
from reviews.refusals import AlreadyDecided, Conflict, LabelReplaced, NothingToUndo, OnAnotherDesk, WrongDecision
from reviews.serializers import OtherReview

CONFLICT_CODES: dict[type[Conflict], str] = {
    AlreadyDecided: "already_decided",
    OnAnotherDesk: "on_another_desk",
    LabelReplaced: "label_replaced",
}
# A fixed sentence: the exception's own names the project, which a stranger need not learn.
STRANGER = (
    "You do not review for this project. Managers add people, themselves too, on its page 'Members' or by "
    "POST /api/projects/ID/members."
)


def of(error: Exception) -> Exception:
    """The problem that tells a caller about this refusal; other errors as they are."""
    if isinstance(error, Conflict):
        return _of_conflict(error)
    if isinstance(error, WrongDecision):
        return Problem(HTTPStatus.BAD_REQUEST, "wrong_decision", str(error))
    if isinstance(error, Archived):
        return Problem(HTTPStatus.CONFLICT, "project_archived", str(error))
    if isinstance(error, NoReviewer):
        return Problem(HTTPStatus.FORBIDDEN, "not_your_project", str(error))
    if isinstance(error, NotYourProject):
        return Problem(HTTPStatus.FORBIDDEN, "not_your_project", STRANGER)
    if isinstance(error, NothingToUndo):
        return Problem(HTTPStatus.NOT_FOUND, "nothing_to_undo", str(error))
    return error


def _of_conflict(conflict: Conflict) -> Problem:
    code = CONFLICT_CODES[type(conflict)]
    if not isinstance(conflict, AlreadyDecided):
        return Problem(HTTPStatus.CONFLICT, code, str(conflict))
    other = OtherReview(conflict.review).data if conflict.review else None
    return Problem(HTTPStatus.CONFLICT, code, str(conflict), review=other)
