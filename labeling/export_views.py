"""The export dialog: what a file would hold, what is proven about it, and the file itself as a stream."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from labeling import certification, downloading, exporting
from labeling.export_forms import COLUMNS, FORMAT_CHOICES, ONLY_CHOICES, ExportForm
from labeling.models import ExportRecord, Project
from labeling.pages import render_page
from labeling.project_pages import for_project
from labeling.sending import answer_with

EXPORT = "labeling.view_label"
LATEST = 10


@for_project(EXPORT)
@require_GET
def export_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """What there is to export, and the promise that goes with it."""
    counts = exporting.texts_of_each(project)
    # Nobody wants an empty file: the labels that stand are the first choice where there are any.
    chosen = next((value for value, _ in ONLY_CHOICES if counts[value]), ONLY_CHOICES[0][0])
    context = {
        "title": f"Export: {project.name}",
        "project": project,
        "choices": [{"value": value, "words": words, "texts": counts[value]} for value, words in ONLY_CHOICES],
        "chosen": chosen,
        "formats": FORMAT_CHOICES,
        "columns": COLUMNS,
        "promise": certification.statement(project),
        "latest": ExportRecord.objects.filter(project=project).select_related("created_by", "certificate")[:LATEST],
    }
    return render_page(request, "labeling/export.html", context)


@for_project(EXPORT)
@require_GET
def download(request: HttpRequest, project: Project) -> HttpResponseBase:
    """The file, as it is written."""
    form = ExportForm(request.GET)
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.warning(request, f"{name}: {' '.join(map(str, errors))}")
        return redirect("exports:page", project_id=project.pk)
    try:
        return answer_with(downloading.download(project, user=_user(request), **form.wanted()))
    except exporting.DoesNotFit as reason:
        messages.warning(request, str(reason))
        return redirect("exports:page", project_id=project.pk)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
