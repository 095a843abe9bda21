"""What the API of the error budget answers when it is refused."""

from http import HTTPStatus

from labeling import audits, certification

CODES: dict[type[Exception], str] = {
    audits.CannotDraw: "cannot_draw",
    certification.NothingToCertify: "nothing_to_certify",
    certification.StillLabeling: "still_labeling",
    certification.UnevenAudit: "uneven_audit",
    certification.LookTaken: "look_taken",
    certification.CertificateEnded: "certificate_ended",
    certification.InUseAlready: "in_use_already",
    certification.NotInUse: "not_in_use",
}
REFUSALS = {error: (HTTPStatus.CONFLICT, code) for error, code in CODES.items()}
