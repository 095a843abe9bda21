"""The admin of prompts: versions to look at, and a form for the next one with a preview on a real text."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from labeling import prompts
from labeling.lookups import id_of
from labeling.models import Project, PromptVersion
from labeling.prompt_forms import FIELDS, preview_of


@admin.register(PromptVersion)
class PromptVersionAdmin(ModelAdmin):
    change_form_outer_after_template = "labeling/prompt_preview.html"
    list_display = ["project", "version", "shown_template", "examples", "created_by", "created_at"]
    list_filter = ["project"]
    list_select_related = ["project", "created_by"]
    fields = ["project", *FIELDS]

    class Media:
        js = ["labeling/prompt.js"]
        css = {"all": ["labeling/prompt.css"]}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="template")
    def shown_template(self, prompt: PromptVersion) -> str:
        return Truncator(prompt.template).chars(80) or "the provider's own"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The newest version of the project that is named in the address: people change what there is."""
        project = request.GET.get("project", "")
        newest = PromptVersion.objects.filter(project_id=id_of(project)).first()
        return {"project": project, **{name: getattr(newest, name) for name in FIELDS if newest}}

    def save_model(self, request: HttpRequest, obj: PromptVersion, form: Any, change: bool) -> None:
        assert request.user.is_authenticated
        prompts.save(obj, user=request.user)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(require_POST(self.preview))
        return [path("preview/", preview, name="prompt_preview"), *super().get_urls()]

    def preview(self, request: HttpRequest) -> JsonResponse:
        """What a chat model would be told about one of the project's texts by the prompt in the form."""
        if not self.has_add_permission(request):
            return JsonResponse({"error": "You may not write prompts."}, status=403)
        project_id = id_of(request.POST.get("project", ""))
        if not project_id:
            return JsonResponse({"error": "Choose a project, to see what a model is told."})
        return JsonResponse(preview_of(get_object_or_404(Project, pk=project_id), request.POST))
