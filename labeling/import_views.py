"""The import wizard: a file is uploaded, looked at, imported, and accounted for. Thin: each view calls one function."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling import columns, import_progress, previewing, runs, uploading, uploads
from labeling.choices import ImportStatus
from labeling.import_forms import MappingForm, UploadForm
from labeling.import_words import on_page
from labeling.importing import ImportFailed
from labeling.models import ImportRecord, Project
from labeling.pages import render_page
from labeling.previewing import Fate
from labeling.project_pages import for_project, live_numbers
from labeling.sending import rejected_file

IMPORT = "labeling.add_importrecord"
LABEL = "labeling.change_labelingrun"
POLL_SECONDS = 1
LATEST = 10


@for_project(IMPORT)
@require_http_methods(["GET", "POST"])
def upload_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """A form for a file or for pasted lines, and the project's latest imports. Posted, the upload is kept."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and (record := _taken(request, project, form)):
        return _go_to(request, record)
    if form.errors and _asks_for_json(request):
        return JsonResponse({"errors": _words_of(form)}, status=HTTPStatus.BAD_REQUEST)
    context = {
        "title": f"Import texts: {project.name}",
        "project": project,
        "form": form,
        "errors": _words_of(form),
        "limit": uploading.limit_bytes(),
        "too_large": uploading.too_large(),
        "latest": _imports(project).exclude(status=ImportStatus.UPLOADED)[:LATEST],
        "waiting": _imports(project).filter(status=ImportStatus.UPLOADED)[:LATEST],
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render_page(request, "labeling/import_upload.html", context, status=status)


def _taken(request: HttpRequest, project: Project, form: UploadForm) -> ImportRecord | None:
    """The upload, kept; None where the form says what is wrong with it."""
    if uploading.is_too_large(request):
        form.errors.clear()
        form.add_error("file", uploading.too_large())
    if not form.is_valid():
        return None
    file, how = form.upload()
    try:
        return uploads.take(project, file, user=_user(request), **how)
    except ImportFailed as reason:
        form.add_error("file", on_page(str(reason)))
        return None


@for_project(IMPORT)
@require_GET
def import_page(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """One import: what it would do, how far it is, or what came of it."""
    record = _import(project, import_id)
    if record.status == ImportStatus.UPLOADED:
        return _mapping_page(request, record, MappingForm(request.GET))
    progress = import_progress.of(record)
    context = {
        "title": f"Import {record.file_name}: {project.name}",
        "project": project,
        "record": record,
        "progress": progress.as_dict(),
        "can_be_stopped": record.is_unfinished and bool(record.upload),
        "kept_rows": record.rejected_rows.count(),
        "may_label": request.user.has_perm(LABEL),
        "settings": {
            "url": reverse("imports:progress", args=[project.pk, record.pk]),
            "login": reverse("admin:login"),
            "poll_seconds": POLL_SECONDS,
        },
    }
    return render_page(request, "labeling/import_result.html", context)


def _mapping_page(request: HttpRequest, record: ImportRecord, form: MappingForm, trouble: str = "") -> HttpResponse:
    """The first rows, what the columns mean, and what will happen. What is shown is what a click on Import will do."""
    preview = None
    if form.is_valid():
        _read_as(record, form)
        try:
            preview = previewing.look(record, form.options())
        except ImportFailed as reason:
            trouble = trouble or on_page(str(reason))
    context = {
        "title": f"Import {record.file_name}: {record.project.name}",
        "project": record.project,
        "record": record,
        "form": form,
        "preview": preview,
        "fates": {fate.name.lower(): preview.count(fate) for fate in Fate} if preview else {},
        "trouble": trouble or " ".join(_words_of(form)),
        "roles": _roles(form, preview),
        "formats": form.fields["file_format"].choices[1:],  # type: ignore[attr-defined]
        "encodings": form.fields["encoding"].choices,  # type: ignore[attr-defined]
        "encoding": record.options.get("encoding", ""),
        "is_shortened": bool(preview and len(preview.columns) > previewing.SHOWN_COLUMNS),
        "shown_columns": preview.columns[: previewing.SHOWN_COLUMNS] if preview else (),
    }
    return render_page(request, "labeling/import_mapping.html", context)


def _roles(form: MappingForm, preview: previewing.Preview | None) -> list[dict[str, str]]:
    """What a column can be, and which column is that now."""
    if preview is None:
        return []
    now = preview.chosen or columns.besides_text(preview.columns)
    chosen = (now.text, now.external_id, now.source, now.language, now.label)
    if form.is_filled_in:
        chosen = tuple(form.cleaned_data[name] for name in form.COLUMNS)
    return [
        {"name": name, "label": str(form.fields[name].label), "chosen": column}
        for name, column in zip(form.COLUMNS, chosen, strict=True)
    ]


@for_project(IMPORT)
@require_POST
def start(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """Import it as the preview showed."""
    record, form = _import(project, import_id), MappingForm(request.POST)
    if form.is_valid():
        _read_as(record, form)
        try:
            uploads.start(record, form.options())
        except ImportFailed as reason:
            return _mapping_page(request, record, form, on_page(str(reason)))
        except uploads.AlreadyStarted as reason:
            messages.info(request, str(reason))
    return redirect("imports:import", project_id=project.pk, import_id=record.pk)


@for_project(IMPORT)
@require_POST
def cancel(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """Stop it. The texts that it added stay."""
    record = _import(project, import_id)
    was_started = record.status != ImportStatus.UPLOADED
    try:
        uploads.cancel(record)
    except uploads.NothingToCancel as reason:
        messages.warning(request, str(reason))
        return redirect("imports:import", project_id=project.pk, import_id=record.pk)
    messages.success(request, f"Stopped. {record.added:,} texts were added and stay." if was_started else "Deleted.")
    return redirect("imports:upload", project_id=project.pk)


@for_project(LABEL)
@require_POST
def label(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """Label the project's new texts in the background."""
    record = _import(project, import_id)
    try:
        run = runs.start_in_background(project, user=_user(request))
    except runs.CannotStart as reason:
        messages.warning(request, str(reason))
        return redirect("imports:import", project_id=project.pk, import_id=record.pk)
    return redirect("runs:run", run.pk)


@require_GET
@live_numbers(IMPORT)
def progress_json(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """How far it is, asked every second."""
    return JsonResponse(import_progress.of(_import(project, import_id)).as_dict())


@for_project(IMPORT)
@require_GET
def rejected_csv(request: HttpRequest, project: Project, import_id: int) -> HttpResponseBase:
    """The rejected rows, with what is wrong with each."""
    return rejected_file(_import(project, import_id), on_page)


def _imports(project: Project) -> QuerySet[ImportRecord]:
    return ImportRecord.objects.filter(project=project).select_related("project", "created_by")


def _import(project: Project, import_id: int) -> ImportRecord:
    return get_object_or_404(_imports(project), pk=import_id)


def _read_as(record: ImportRecord, form: MappingForm) -> None:
    values = form.cleaned_data
    uploads.read_as(record, file_format=values["file_format"], encoding=values["encoding"])


def _go_to(request: HttpRequest, record: ImportRecord) -> HttpResponseBase:
    if _asks_for_json(request):
        return JsonResponse({"url": reverse("imports:import", args=[record.project_id, record.pk])})
    return redirect("imports:import", project_id=record.project_id, import_id=record.pk)


def _asks_for_json(request: HttpRequest) -> bool:
    """The page's script does, to show how much is sent."""
    return request.headers.get("Accept") == "application/json"


def _words_of(form: Any) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
