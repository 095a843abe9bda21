"""manage.py certify: look at the audit, and say what it proves."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling import certification
from labeling.learning.risk import Promise
from labeling.management.projects import add_project_argument, find_project
from labeling.models import Certificate


def share(value: str) -> float:
    number = float(value)
    if not certification.LEAST_SHARE <= number <= certification.MOST_SHARE:
        reach = f"{certification.LEAST_SHARE} and {certification.MOST_SHARE}"
        raise ArgumentTypeError(f"{value} is not between {reach}: give a share, such as 0.05 for 5 %")
    return number


class Command(BaseCommand):
    help = (
        "Prove from the blind audit how many labels are wrong at most, and from which confidence on they can be "
        "accepted. Each look at a growing audit spends part of the doubt. Exit code 1: nothing is proven."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_project_argument(parser)
        parser.add_argument("--promise", choices=[str(promise) for promise in Promise], default=str(Promise.DATASET))
        parser.add_argument("--budget", type=share, default=0.05, help="share that may be wrong (default: 0.05)")
        parser.add_argument("--confidence", type=share, default=0.95, help="how sure to be (default: 0.95)")
        parser.add_argument("--apply", action="store_true", help="make the proven threshold the project's")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the certificate as JSON")

    def handle(
        self, *, project: str, promise: str, budget: float, confidence: float, apply: bool, as_json: bool, **_: Any
    ) -> None:
        chosen = find_project(project)
        try:
            certificate = certification.certify(chosen, promise=promise, budget=budget, confidence=confidence)
        except (certification.NothingToCertify, certification.StillLabeling, certification.UnevenAudit) as error:
            raise CommandError(str(error), returncode=2) from error
        lines = [json.dumps(certification.as_dict(certificate))] if as_json else report(certificate)
        self.stdout.write("\n".join(lines))
        if not certificate.is_granted:
            raise CommandError(what_is_needed(certificate), returncode=1)
        if apply:
            self._apply(certificate)

    def _apply(self, certificate: Certificate) -> None:
        try:
            use = certification.apply(certificate)
        except (certification.CertificateEnded, certification.InUseAlready) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stderr.write(
            f"The project's threshold is {certificate.threshold:.4f} now: {len(use.accepted_ids)} texts were accepted, "
            f"{len(use.held_back_ids)} need review."
        )


def report(certificate: Certificate) -> list[str]:
    """A row for each threshold that was tested, and the promise in words."""
    heading = f"{'threshold':>9} {'coverage':>9} {'labels':>9} {'audited':>8} {'wrong':>6} {'at most':>8}"
    rows = [
        f"{step['threshold']:>9.4f} {step['coverage']:>9.1%} {step['labels']:>9,} {step['audited']:>8,} "
        f"{step['wrong']:>6,} {step['upper_bound']:>8.2%}  {'passed' if step['passed'] else 'failed'}"
        for step in certificate.steps
    ]
    look = f"Look {certificate.look} at this audit, at level {certificate.level:.4g} of {certificate.delta:.4g}."
    return [heading, *rows, "", look, certificate.sentence]


def what_is_needed(certificate: Certificate) -> str:
    more = certification.more_audits(certificate)
    if more is None:
        return (
            "Nothing is proven: too many of the surest labels are wrong. Review more texts to teach the machine, allow "
            f"a larger budget, or let people decide all {certificate.left_for_people:,} texts."
        )
    return (
        f"Nothing is proven. If errors go on as they are, about {more:,} more audits are needed: "
        f"manage.py draw_audit --size {more}. Or people decide all {certificate.left_for_people:,} texts."
    )
