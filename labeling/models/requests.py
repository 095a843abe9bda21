"""What is remembered of requests to the API, so that all web processes answer alike."""

from django.db import models
from django.utils import timezone


class IdempotentRequest(models.Model):
    """One request with an `Idempotency-Key`: begun, and then its answer, until it is forgotten.

    The body is kept as its hash only.
    """

    caller = models.CharField(max_length=64, help_text="The API key, or the user of a session.")
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the request, once it was read.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer. Null: not answered yet.")
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    begun_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "idempotent_requests"
        constraints = [models.UniqueConstraint("caller", "key", name="one_request_per_caller_and_idempotency_key")]
        indexes = [models.Index(fields=["begun_at"], name="idempotent_request_by_time")]

    def __str__(self) -> str:
        return f"Request {self.key} of {self.caller}"


class RequestCount(models.Model):
    """How many requests somebody may have made in a minute: what web processes have taken of the allowed number."""

    bucket = models.CharField(max_length=100, unique=True, help_text="An API key, a user or an address.")
    minute = models.BigIntegerField(help_text="Since 1970.")
    taken = models.PositiveIntegerField()

    class Meta:
        db_table = "request_counts"

    def __str__(self) -> str:
        return f"{self.taken} requests of {self.bucket}"
