"""manage.py verify_audit_trail: prove that no review was changed, removed or added."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviews import audit_trail


def noted_head(value: str) -> tuple[int, str]:
    position, _, chain_hash = value.partition(":")
    if not (position.isdecimal() and len(chain_hash) == 64):
        raise ArgumentTypeError("write POSITION:HASH as an earlier report printed it")
    return int(position), chain_hash


class Command(BaseCommand):
    help = "Compute the hash of every review and the chain over them again. Exits with 1 when something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--noted",
            type=noted_head,
            metavar="POSITION:HASH",
            help="an end of the chain that an earlier report printed, kept elsewhere: finds a chain written anew",
        )

    def handle(self, *, noted: tuple[int, str] | None, **options: Any) -> None:
        report = audit_trail.verify(noted=noted)
        for problem in report.problems:
            self.stderr.write(str(problem))
        said = f"{report.checked} reviews were checked ({report.unsealed} of them not sealed yet)"
        if report.count:
            left_out = report.count - len(report.problems)
            more = f", {left_out} of them not listed" if left_out else ""
            raise CommandError(f"{said}. Problems: {report.count}{more}.", returncode=1)
        self.stdout.write(f"{said}, all as they were written.")
        self.stdout.write(f"The chain ends at {report.position}:{report.head}. Note it down outside this machine.")
