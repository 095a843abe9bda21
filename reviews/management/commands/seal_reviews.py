"""manage.py seal_reviews: append all reviews that are not sealed yet to the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand

from reviews import audit_trail


class Command(BaseCommand):
    help = "Seal all reviews that are not sealed yet. The background worker does it every minute."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{audit_trail.seal(everything=True)} reviews were sealed.")
