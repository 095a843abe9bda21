"""Whether certificates still hold, and which one the project's threshold was taken from."""

from collections.abc import Iterable

from django.db.models import Exists, Max, OuterRef, Q

from labeling import classifiers, drifting
from labeling.choices import LabelOrigin
from labeling.models import Certificate, CertificateUse, Label, Project, Text


def ended_reason(certificate: Certificate) -> str | None:
    """Why the certificate proves nothing about the labels as they are now; None while it holds."""
    return ended_reasons(certificate.project, [certificate])[certificate.pk]


def ended_reasons(project: Project, certificates: Iterable[Certificate]) -> dict[int, str | None]:
    """The same for several certificates of one project, by primary key. What is slow to count is counted once."""
    words, newest = classifiers.category_hash(project.active_categories()), newest_label_id(project)
    reasons: dict[int, str | None] = {}
    labeled = warned = None
    for certificate in certificates:
        if certificate.category_hash != words:
            reasons[certificate.pk] = "The categories have changed since."
        elif newest <= certificate.newest_label_id:
            reasons[certificate.pk] = None
        else:
            labeled = _labeled(project) if labeled is None else labeled
            warned = drifting.newest_label_warned_of(project) if warned is None else warned
            reasons[certificate.pk] = _ended_by_labels(certificate, labeled, warned)
    return reasons


def _ended_by_labels(certificate: Certificate, labeled: int, newest_warned_of: int) -> str:
    if labeled == certificate.pool_size:
        return "Texts have been labeled again since."
    if newest_warned_of > certificate.newest_label_id:
        return "Texts have been added since, and they differ from those before."
    return "Texts have been added since."


def newest_label(project: Project) -> Label | None:
    """The newest label of a model."""
    # As a subquery: with a join, SQLite sorts all labels of the project first.
    is_of_project = Exists(Text.objects.filter(pk=OuterRef("text_id"), project=project))
    return Label.objects.filter(is_of_project, origin=LabelOrigin.MODEL).order_by("-pk").only("is_calibrated").first()


def newest_label_id(project: Project) -> int:
    """Its primary key, 0 without any."""
    newest = newest_label(project)
    return newest.pk if newest else 0


def next_look(project: Project) -> int:
    """The number of the next look at the audit: after all looks at these labels or under these categories.

    An edited category alone is no new audit: the labels are the same. One more than the highest, since looks at labels
    and looks under categories overlap, and no number may be given twice under the same categories.
    """
    words = classifiers.category_hash(project.active_categories())
    is_same = Q(category_hash=words) | Q(newest_label_id=newest_label_id(project))
    highest = Certificate.objects.filter(is_same, project=project).aggregate(highest=Max("look"))["highest"]
    return (highest or 0) + 1


def _labeled(project: Project) -> int:
    labels = Label.objects.filter(text__project=project, origin=LabelOrigin.MODEL)
    return labels.order_by().values("text").distinct().count()


def use_in_force(project: Project) -> CertificateUse | None:
    """How the certificate came into use that the project's threshold was taken from, while it holds."""
    uses = CertificateUse.objects.filter(
        certificate__project=project, certificate__threshold=project.threshold, undone_at__isnull=True
    )
    newest = uses.select_related("certificate__project").order_by("-pk").first()
    return newest if newest and ended_reason(newest.certificate) is None else None


def in_force(project: Project) -> Certificate | None:
    """The certificate that the project's threshold was taken from, while it holds."""
    use = use_in_force(project)
    return use.certificate if use else None
