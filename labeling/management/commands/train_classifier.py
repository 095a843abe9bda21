"""`manage.py train_classifier`: learn from what people decided."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import stopping, training
from labeling.management.projects import add_project_argument, find_project
from labeling.models import Classifier
from labeling.providers.base import ProviderError


class Command(BaseCommand):
    help = "Fits a new classifier version on a project's reviewed texts. Then label_texts --relabel uses it."

    def add_arguments(self, parser: CommandParser) -> None:
        add_project_argument(parser)

    def handle(self, *, project: str, **_: Any) -> None:
        try:
            made = training.train(find_project(project))
            advice = stopping.advise(made.project)
        except (training.CannotTrain, ProviderError) as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(summary(made))
        self.stdout.write(advice.sentence)


def summary(made: Classifier) -> str:
    quality, reviews = made.quality, made.fitted_on["reviews"]
    lines = [
        f"Classifier {made.version} learned from {reviews} reviewed texts.",
        f"On reviews it had not seen: {quality['accuracy']:.1%} right, macro F1 {quality['macro_f1']:.2f}, "
        f"log loss {quality['log_loss']:.3f}, calibration error {quality['ece']:.3f}.",
    ]
    if "previous_log_loss" in quality:
        before = f"version {quality['previous_version']}" if "previous_version" in quality else "the model by itself"
        lines.append(
            f"On {quality['compared_on']} reviews new to both: log loss {quality['compared_log_loss']:.3f}, "
            f"{before} {quality['previous_log_loss']:.3f}."
        )
    if made.is_active:
        return "\n".join([*lines, "It labels from now on: run label_texts --relabel."])
    return "\n".join([*lines, "It is worse, so it is kept but not used. More reviews will help."])
