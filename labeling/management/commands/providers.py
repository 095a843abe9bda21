"""manage.py providers: where labels can come from, whether it works, and which is best for a project."""

import io
import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from labeling import comparing, provider_check
from labeling.comparing import Compared, Comparison
from labeling.management.projects import add_project_argument, find_project


class Command(BaseCommand):
    help = "List the providers, check that one works, or compare several on the texts that people decided."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="the aliases, and what each is")
        verbs.add_parser("check", help="label two sample texts").add_argument("alias", metavar="ALIAS")
        compare = verbs.add_parser("compare", help="accuracy, calibration, speed and cost side by side")
        add_project_argument(compare)
        compare.add_argument("--providers", required=True, metavar="A,B,C", help="aliases, separated by commas")
        compare.add_argument("--sample", type=int, default=200, metavar="N", help="decided texts (default 200)")
        compare.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, verb: str, **options: Any) -> None:
        getattr(self, f"_{verb}")(**options)

    def _list(self, **_: Any) -> None:
        known: dict[str, dict[str, Any]] = settings.LABELING_PROVIDERS
        for alias, entry in known.items():
            shown = {key: value for key, value in entry.get("OPTIONS", {}).items() if "key" not in key}
            words = ", ".join(f"{key}={value}" for key, value in shown.items() if value not in ("", None, {}))
            chosen = " (LLM_PROVIDER)" if alias == settings.LLM_PROVIDER else ""
            self.stdout.write(f"{alias}{chosen}: {entry['BACKEND'].rpartition('.')[2]}, {words}")

    def _check(self, *, alias: str, **_: Any) -> None:
        found = provider_check.check(alias)
        if not found.works:
            raise CommandError("\n".join(found.lines))
        self.stdout.write("\n".join(found.lines))

    def _compare(self, *, project: str, providers: str, sample: int, **options: Any) -> None:
        chosen = find_project(project)
        aliases = [alias.strip() for alias in providers.split(",") if alias.strip()]
        try:
            found = comparing.compare(chosen, aliases, sample=sample)
        except comparing.NothingToCompareOn as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found)))
        else:
            self._print(found)

    def _print(self, found: Comparison) -> None:
        table = Table(title=f"{found.texts} decided texts, {found.audited} of them of the blind audit")
        for name in ("provider", "model", "accuracy", "95 %", "calibration error", "confidence", "texts/s", "cost"):
            table.add_column(name)
        for compared in found.providers:
            table.add_row(*_cells(compared))
        console = Console(file=io.StringIO(), width=120)
        with console.capture() as shown:
            console.print(table)
        self.stdout.write(shown.get())
        for one, other, share in found.agreement:
            self.stdout.write(f"{one} and {other} agree on {share:.0%}.")
        for compared in found.providers:
            if compared.error:
                self.stdout.write(self.style.WARNING(f"{compared.alias}: {compared.failed} failed: {compared.error}"))


def _cells(compared: Compared) -> list[str]:
    interval = compared.accuracy_interval
    return [
        compared.alias,
        compared.model_name,
        _figure(compared.accuracy),
        f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else "-",
        _figure(compared.calibration_error),
        compared.confidence_source,
        "known already" if compared.texts_per_second is None else f"{compared.texts_per_second:,.1f}",
        f"{compared.cost:.4f}" if compared.cost else f"{compared.tokens:,} tokens",
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
