"""Keys by which programs use the API in the name of a user."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Scope(models.TextChoices):
    """What a key may be used for. It never allows more than its user may do."""

    READ = "read", "Read"
    LABEL = "label", "Label"
    REVIEW = "review", "Review"
    MANAGE = "manage", "Manage"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired, and of a user who may still sign in."""
        not_expired = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        return self.filter(not_expired, revoked_at__isnull=True, user__is_active=True)


class ApiKey(models.Model):
    """What is kept of a key: its hash, and enough to recognise it. The key itself is nowhere."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What uses the key.")
    prefix = models.CharField(max_length=8, help_text="The key's first characters, to tell keys apart.")
    key_hash = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the key.")
    scopes = models.JSONField(help_text='What it may be used for: ["read", "review"].')
    projects = models.ManyToManyField(
        "labeling.Project",
        blank=True,
        related_name="+",
        help_text="The only ones it may touch. None: all of its user's.",
    )
    is_bound = models.BooleanField(
        default=False, editable=False, help_text="To its projects, also when these are gone."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"
