"""manage.py load_demo: a project with messages to an invented shop, to look around in."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from labeling.models import Project

DEMO = Path(__file__).resolve().parents[2] / "demo"
NAME = "Demo"
INSTRUCTIONS = "Messages to Larkmoor, an invented shop for outdoor gear. Choose what the customer mainly wants."


class Command(BaseCommand):
    help = "Make the project Demo with the messages of an invented shop. What is there already stays as it is."

    def handle(self, **options: Any) -> None:
        if not Project.objects.filter(name__iexact=NAME).exists():
            categories = DEMO / "categories.json"
            call_command("create_project", NAME, categories=categories, instructions=INSTRUCTIONS, stdout=self.stdout)
        call_command("import_texts", str(DEMO / "texts.jsonl"), project=NAME, stdout=self.stdout)
