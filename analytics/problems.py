"""What the API of the error budget answers when it is refused."""

from http import HTTPStatus

from labeling import audits, certification
from labeling.problems import Problem

CODES: dict[type[Exception], str] = {
    audits.CannotDraw: "cannot_draw",
    certification.NothingToCertify: "nothing_to_certify",
    certification.UnevenAudit: "uneven_audit",
    certification.LookTaken: "look_taken",
    certification.CertificateEnded: "certificate_ended",
    certification.InUseAlready: "in_use_already",
    certification.NotInUse: "not_in_use",
}


def of(error: Exception) -> Exception:
    """The problem that tells a caller about this refusal; other errors as they are."""
    code = CODES.get(type(error))
    return Problem(HTTPStatus.CONFLICT, code, str(error)) if code else error
