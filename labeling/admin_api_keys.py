"""The admin of API keys: who has which, and an end to them. Keys are made by `manage.py create_api_key`."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from labeling import api_keys
from labeling.admin import ReadOnlyAdmin
from labeling.models import ApiKey

STATE_COLORS = {"usable": "success", "expired": "warning", "revoked": "danger", "user inactive": "danger"}


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["name", "shown_prefix", "user", "shown_scopes", "state", "last_used_at", "expires_at", "created_at"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    search_help_text = "A name, a user, or the first characters of a key."
    fields = ["name", "shown_prefix", "user", "shown_scopes", "state", "last_used_at", "expires_at", "revoked_at"]
    readonly_fields = fields
    actions = ["revoke"]

    @display(description="key")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}..."

    @display(description="scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="state", label=STATE_COLORS)
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return "expired"
        return "usable" if key.user.is_active else "user inactive"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("labeling.change_apikey"))

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, picked: QuerySet[Any]) -> None:
        count = api_keys.revoke(list(picked.values_list("pk", flat=True)))
        self.message_user(request, f"Revoked {count} API keys. They are refused from now on.", messages.SUCCESS)
