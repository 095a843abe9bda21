"""The error budget of a project: what the audit proves, what it will take, and putting a proven threshold to use."""

from dataclasses import asdict
from math import ceil
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling import audits, classifiers
from labeling.audits import AT_ONCE, Pool
from labeling.choices import LabelOrigin, TextStatus
from labeling.learning import risk
from labeling.learning.risk import Promise, Verdict
from labeling.models import Certificate, CertificateUse, Classifier, Project, Text
from labeling.planning import Plan, PlanRow, next_level, plan
from labeling.runs import unfinished
from labeling.standing import ended_reason, ended_reasons, in_force, newest_label_id, next_look, use_in_force

__all__ = [
    "CertificateEnded",
    "InUseAlready",
    "LookTaken",
    "NotInUse",
    "NothingToCertify",
    "Plan",
    "PlanRow",
    "Promise",
    "StillLabeling",
    "UnevenAudit",
    "apply",
    "as_dict",
    "certify",
    "ended_reason",
    "ended_reasons",
    "in_force",
    "more_audits",
    "next_level",
    "plan",
    "statement",
    "still_undecided",
    "unapply",
    "use_in_force",
    "would_move",
]


# Texts that were passed over count as wrong. Beyond this share of the audit a look would be spent on nothing; below it
# they are those that lie on desks while people work.
MOST_PASSED_OVER = 0.05

# What a budget or a confidence can be: beyond, doubt is rounded to none or all.
LEAST_SHARE, MOST_SHARE = (0.0001, 0.9999)

SHOWN = (
    "promise",
    "budget",
    "delta",
    "look",
    "level",
    "threshold",
    "labels",
    "population",
    "audited",
    "wrong",
    "upper_bound",
    "coverage",
    "left_for_people",
)


class NothingToCertify(ValueError):
    """No text has a model's label."""


class UnevenAudit(ValueError):
    """The audit is no random sample of all texts."""


class StillLabeling(ValueError):
    """A run is labeling texts, so that not all labels are of the machine that the audit is about."""


class LookTaken(ValueError):
    """Somebody has looked at the audit meanwhile, so that this look would be another, at a stricter level."""


class CertificateEnded(ValueError):
    """The certificate proves nothing about the labels as they are now."""


class InUseAlready(ValueError):
    """The project's threshold is this certificate's already."""


class NotInUse(ValueError):
    """The certificate's threshold is not in force, or another one has been set since."""


# --- Certify ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def certify(
    project: Project,
    *,
    promise: Promise | str,
    budget: float,
    confidence: float = 0.95,
    user: AbstractBaseUser | None = None,
    expected_look: int | None = None,
) -> Certificate:
    """Look at the audit, and write down what it proves: a threshold, or that none can be proven yet.

    Each look spends its part of the doubt that is allowed, whatever it asked for, until a category changes and labels
    are made for it: with `confidence` all certificates from one growing audit are true. The same question about the
    same audit gives the certificate that is there. Raises NothingToCertify, StillLabeling or UnevenAudit, LookTaken
    when a new look would not have the number that was expected, and ValueError for a budget or confidence out of reach.
    """
    if not all(LEAST_SHARE <= share <= MOST_SHARE for share in (budget, confidence)):
        raise ValueError(f"Budget and confidence must lie between {LEAST_SHARE} and {MOST_SHARE}.")
    Project.objects.select_for_update().get(pk=project.pk)  # one look at a time
    _refuse_while_labeling(project)
    newest = newest_label_id(project)  # before the pool: a label made between the two ends what is written here
    pool = audits.read_pool(project)
    _refuse(pool)
    delta = round(1 - confidence, 10)
    asked = {"project": project, "promise": Promise(promise).value, "budget": budget, "delta": delta}
    about = _about(project, pool, newest)
    if known := Certificate.objects.filter(**asked, **about).first():
        return known
    look = _expected_look(project, expected_look)
    verdict = verdict_on(pool, Promise(promise), budget, risk.level_of_look(delta, look))
    return Certificate.objects.create(
        **asked,
        **about,
        look=look,
        level=verdict.level,
        **_findings(pool, verdict),
        classifier=_current_classifier(project),
        pool_size=len(pool.ids),
        created_by_id=user.pk if user else None,
    )


def _about(project: Project, pool: Pool, newest: int) -> dict[str, Any]:
    """What a certificate is about: when one of these changes, it ends."""
    return {
        "category_hash": classifiers.category_hash(project.active_categories()),
        "audit_hash": pool.fingerprint(),
        "newest_label_id": newest,
    }


def verdict_on(pool: Pool, promise: Promise, budget: float, level: float) -> Verdict:
    return risk.certify(
        pool.confidence,
        pool.confidence[pool.is_audited],
        pool.is_wrong[pool.is_audited],
        promise=promise,
        budget=budget,
        level=level,
        settled_confidence=pool.confidence[pool.is_settled],
        uncorrected=pool.is_open[pool.is_audited],
        delivered=pool.delivered,
    )


def _refuse_while_labeling(project: Project) -> None:
    if run := unfinished(project):
        raise StillLabeling(f"Run {run.pk} is labeling texts. Wait until it has ended, or cancel it; then look.")


def _expected_look(project: Project, expected: int | None) -> int:
    look = next_look(project)
    if expected not in (None, look):
        raise LookTaken(f"Somebody has looked at this audit meanwhile. Yours would be look {look} now.")
    return look


def _refuse(pool: Pool) -> None:
    if not len(pool.ids):
        raise NothingToCertify("No text has a model's label yet. Label some first: manage.py label_texts.")
    if not risk.is_even(pool.is_drawn, pool.is_settled):
        raise UnevenAudit(
            "Some of the texts came with fewer audits than the others, so the audit is no random sample of them all. "
            "Keep the project's audit share the same for all texts."
        )
    passed_over, audited = int(pool.is_passed_over.sum()), int(pool.is_audited.sum())
    if passed_over > MOST_PASSED_OVER * audited:
        raise UnevenAudit(
            f"{passed_over} audit texts wait although others that come after them were decided: they came later, or a "
            "filter or the languages of reviewers left them out. The decided ones alone are no random sample of all. "
            'Let people decide them first, at the review desk with "Only the blind audit", then look.'
        )


def _findings(pool: Pool, verdict: Verdict) -> dict[str, Any]:
    """What the last threshold that passed shows, else the last that failed."""
    step = verdict.accepted or verdict.steps[-1]
    is_left = pool.is_open & (pool.confidence < step.threshold) if verdict.accepted else pool.is_open
    return {
        "threshold": verdict.accepted.threshold if verdict.accepted else None,
        "labels": step.labels,
        "population": step.population,
        "audited": step.audited,
        "wrong": step.wrong,
        "upper_bound": step.upper_bound,
        "coverage": verdict.accepted.coverage if verdict.accepted else 0.0,
        "left_for_people": int(is_left.sum()),
        "steps": [asdict(each) for each in verdict.steps],
    }


def _current_classifier(project: Project) -> Classifier | None:
    runs = project.runs.filter(labels__isnull=False).select_related("classifier").order_by("-pk")
    newest = runs.first()
    return newest.classifier if newest else None


def more_audits(certificate: Certificate) -> int | None:
    """How many more audits would prove the threshold that failed, if errors go on; None when no number would."""
    level = risk.level_of_look(certificate.delta, certificate.look + 1)
    audited, population = certificate.audited, certificate.population
    rate = certificate.wrong / audited if audited else 0.0
    needed = risk.audits_needed(rate, population, budget=certificate.budget, level=level)
    if needed is None or certificate.promise == Promise.DATASET:
        return None if needed is None else max(needed - audited, 1)
    # Only so many of the draws come to lie above the threshold.
    return max(ceil((needed - audited) * certificate.pool_size / population), 1)


# --- In words and values ----------------------------------------------------------------------------------------------


def statement(project: Project) -> dict[str, Any] | None:
    """The certificate in force as plain values, to travel with the labels; `still_undecided` texts wait for people."""
    certificate = in_force(project)
    if certificate is None:
        return None
    return as_dict(certificate) | {"still_undecided": still_undecided(project)}


def still_undecided(project: Project) -> int:
    """Texts with a model's label that people have not decided: the dataset's promise is whole once they have."""
    return _of_machine(project).filter(status=TextStatus.NEEDS_REVIEW).count()


def as_dict(certificate: Certificate) -> dict[str, Any]:
    facts = {name: getattr(certificate, name) for name in SHOWN}
    named = {"id": certificate.pk, "project": certificate.project.name, "is_granted": certificate.is_granted}
    told = {"steps": certificate.steps, "sentence": certificate.sentence}
    return named | facts | told | {"created_at": certificate.created_at.isoformat()}


# --- Use --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def apply(certificate: Certificate, *, user: AbstractBaseUser | None = None) -> CertificateUse:
    """Make the certificate's threshold the project's, and move the machine's labels to their side of it.

    What people decided or flagged stays. Raises CertificateEnded (also when it granted nothing) and InUseAlready.
    """
    project = Project.objects.select_for_update().get(pk=certificate.project_id)
    if certificate.threshold is None:
        raise CertificateEnded("This certificate proves no threshold. Audit more texts and look again.")
    if reason := ended_reason(certificate):
        raise CertificateEnded(f"{reason} Make a new certificate.")
    _close_earlier_use(certificate, project)
    rises, falls = _on_the_wrong_side(project, certificate.threshold)
    use = CertificateUse.objects.create(
        certificate=certificate,
        previous_threshold=project.threshold,
        accepted_ids=_move(rises, TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED),
        held_back_ids=_move(falls, TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW),
        applied_by_id=user.pk if user else None,
    )
    Project.objects.filter(pk=project.pk).update(threshold=certificate.threshold)
    return use


def would_move(certificate: Certificate) -> tuple[int, int]:
    """How many texts `apply` would accept, and how many it would give back to people. Raises CertificateEnded."""
    if certificate.threshold is None:
        raise CertificateEnded("This certificate proves no threshold. Audit more texts and look again.")
    rises, falls = _on_the_wrong_side(certificate.project, certificate.threshold)
    return rises.count(), falls.count()


@transaction.atomic
def unapply(certificate: Certificate) -> CertificateUse:
    """Put back the threshold and the texts that `apply` moved, except those that have another reason to stay.

    People may have decided them since, and texts that were labeled again belong to the side of their new confidence.
    Raises NotInUse when the certificate is not applied, or another threshold has been set meanwhile.
    """
    project = Project.objects.select_for_update().get(pk=certificate.project_id)
    use = certificate.uses.filter(undone_at__isnull=True).first()
    if use is None or project.threshold != certificate.threshold:
        raise NotInUse("This certificate's threshold is not in force.")
    texts, at_or_above = _of_machine(project), Q(current_label__confidence__gte=use.previous_threshold)
    _restore(texts.exclude(at_or_above), use.accepted_ids, TextStatus.ACCEPTED, TextStatus.NEEDS_REVIEW)
    _restore(texts.filter(at_or_above), use.held_back_ids, TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED)
    Project.objects.filter(pk=project.pk).update(threshold=use.previous_threshold)
    use.undone_at = timezone.now()
    use.save(update_fields=["undone_at"])
    return use


def _close_earlier_use(certificate: Certificate, project: Project) -> None:
    """Another threshold may have been set since this certificate's was; then it can be taken again."""
    used = certificate.uses.filter(undone_at__isnull=True)
    if used.exists() and project.threshold == certificate.threshold:
        raise InUseAlready("The project's threshold is this certificate's already.")
    used.update(undone_at=timezone.now())


def _on_the_wrong_side(project: Project, threshold: float) -> tuple[QuerySet[Text], QuerySet[Text]]:
    """Texts at or above the threshold that wait for people, and texts below that are accepted."""
    texts, at_or_above = _of_machine(project), Q(current_label__confidence__gte=threshold)
    waiting, accepted = (texts.filter(status=status) for status in (TextStatus.NEEDS_REVIEW, TextStatus.ACCEPTED))
    return waiting.filter(at_or_above), accepted.exclude(at_or_above)


def _of_machine(project: Project) -> QuerySet[Text]:
    return project.texts.filter(current_label__origin=LabelOrigin.MODEL)


def _move(texts: QuerySet[Text], before: TextStatus, after: TextStatus) -> list[int]:
    """The ids of the texts that were moved. Locked first, so that nobody decides one in between."""
    ids = list(texts.filter(status=before).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        Text.objects.filter(pk__in=ids[start : start + AT_ONCE], status=before).update(status=after)
    return ids


def _restore(texts: QuerySet[Text], ids: list[int], before: TextStatus, after: TextStatus) -> None:
    for start in range(0, len(ids), AT_ONCE):
        texts.filter(pk__in=ids[start : start + AT_ONCE], status=before).update(status=after)
