"""The page of a project's prompt: the newest version to change, a preview beside it, and the versions before."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from labeling import prompts
from labeling.models import Project, PromptVersion
from labeling.project_pages import for_project
from labeling.prompt_forms import FIELDS, PromptForm, preview_of
from reviews.project_forms import StyledForm
from reviews.project_pages import show, user_of

CHANGE = "labeling.add_promptversion"
MOST_VERSIONS = 50


class StyledPromptForm(StyledForm, PromptForm):
    pass


@for_project(CHANGE)
@require_http_methods(["GET", "POST"])
def prompt_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Without a script, "Preview" draws the page again with what was written."""
    versions = list(project.prompts.select_related("created_by")[:MOST_VERSIONS])
    form = StyledPromptForm(request.POST or None, initial=_begin_with(versions, request.GET.get("version", "")))
    if "preview" not in request.POST and form.is_valid():
        prompt = PromptVersion(project=project, **{name: form.cleaned_data[name] for name in FIELDS})
        saved = prompts.save(prompt, user=user_of(request))
        messages.success(request, f"Version {saved.version} holds from now on. Runs that have begun keep theirs.")
        return redirect("projects:prompt", project_id=project.pk)
    return show(
        request,
        "reviews/prompt.html",
        project,
        "Prompt",
        form=form,
        versions=versions,
        preview=preview_of(project, {name: form[name].value() for name in FIELDS}),
        preview_url=reverse("projects:prompt_preview", args=[project.pk]),
        preview_form="prompt-form",
        status=422 if form.errors else 200,
    )


def _begin_with(versions: list[PromptVersion], wanted: str) -> dict[str, Any]:
    """The version that the address names, else the newest: people change what there is."""
    named = next((one for one in versions if str(one.version) == wanted), None)
    chosen = named or next(iter(versions), None) or PromptVersion()
    return {name: getattr(chosen, name) for name in FIELDS}


@for_project(CHANGE)
@require_POST
def preview(request: HttpRequest, project: Project) -> JsonResponse:
    """What models would be told by the prompt in the form, as JSON."""
    return JsonResponse(preview_of(project, request.POST))
