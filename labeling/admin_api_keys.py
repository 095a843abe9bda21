"""The admin of API keys: who has which, a new one for oneself, and an end to them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from labeling import api_keys
from labeling.access import projects_of
from labeling.admin import ReadOnlyAdmin
from labeling.key_forms import ApiKeyForm
from labeling.models import ApiKey
from labeling.pages import render_page

STATE_COLORS = {"usable": "success", "expired": "warning", "revoked": "danger", "user inactive": "danger"}


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["name", "shown_prefix", "user", "shown_scopes", "state", "last_used_at", "expires_at", "created_at"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    search_help_text = "A name, a user, or the first characters of a key."
    fields = [
        "name",
        "shown_prefix",
        "user",
        "shown_scopes",
        "shown_projects",
        "state",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    readonly_fields = fields
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("labeling.add_apikey"))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.fields if obj else list(ApiKeyForm.base_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **options: Any) -> Any:
        """A key of one's own: made for somebody else it would lend their rights to who makes it."""
        if obj is not None:
            return super().get_form(request, obj, change, **options)
        form = super().get_form(request, obj, change, **options | {"form": ApiKeyForm})
        form.base_fields["projects"].queryset = projects_of(request.user)
        return form

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        assert request.user.is_authenticated
        made, obj.new_key = api_keys.make(request.user, **form.cleaned_data)  # type: ignore[attr-defined]
        obj.pk, obj.prefix = made.pk, made.prefix

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The key was made as a whole."""

    @method_decorator(never_cache)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, (extra_context or {}) | one_button)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """In this answer and nowhere else: a message would be kept until it is shown."""
        return render_page(request, "labeling/new_key.html", {"title": "New API key", "api_key": obj})

    @display(description="key")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}..."

    @display(description="scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="projects")
    def shown_projects(self, key: ApiKey) -> str:
        names = ", ".join(str(project) for project in key.projects.all())
        return names or ("none that is left" if key.is_bound else "all of its user's")

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
