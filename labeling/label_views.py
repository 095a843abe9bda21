"""The page that labels texts: one while somebody waits, many in the background."""

import functools
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from labeling import backlog, keeping, label_serializers, runs
from labeling.access import projects_of
from labeling.annotations import NoLongerActive, Prediction
from labeling.answering import Busy
from labeling.choices import TextStatus
from labeling.import_words import on_page
from labeling.keeping import Answered
from labeling.label_forms import LabelForm, ManyForm, OneForm
from labeling.learning.explain import pieces
from labeling.models import Project
from labeling.pages import View, for_staff, render_page
from labeling.providers.base import ProviderError
from labeling.readers import ImportFailed
from labeling.steering import PERMISSION

ANOTHER_ANSWER = "The model's answer has changed since. Nothing was stored: look at it again."
REFUSALS = (runs.Archived, runs.NoActiveCategories, NoLongerActive, ProviderError, Busy)


def for_labelers(view: View) -> View:
    """For staff who may start runs: the permission that the API asks for."""

    @for_staff
    @functools.wraps(view)
    def checked(request: HttpRequest, *positional: Any, **named: Any) -> HttpResponseBase:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied(f"You lack the permission '{PERMISSION}'. Ask a manager for it.")
        return view(request, *positional, **named)

    return checked


@require_http_methods(["GET", "POST"])
@for_labelers
def label_page(request: HttpRequest) -> HttpResponseBase:
    """By GET the empty page. By POST the answer for one text, which is stored only where the person says so."""
    if request.method == "GET":
        return _page(request, OneForm(initial=request.GET.dict(), projects=projects_of(request.user)))
    form = OneForm(request.POST, projects=projects_of(request.user))
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        answered = _answer(form, store=False, remember=True)
        if request.POST.get("do") not in ("store", "review"):
            return _page(request, form, answered=answered)
        if form.cleaned_data["shown"] != _mark(answered.said):
            messages.warning(request, ANOTHER_ANSWER)
            return _page(request, form, answered=answered, status=409)
        stored = _answer(form, store=True, to_review=request.POST["do"] == "review")
    except REFUSALS as reason:
        messages.error(request, str(reason))
        return _page(request, form, status=409)
    _tell(request, stored)
    return redirect(_address(form))


@require_POST
@for_labelers
def label_many(request: HttpRequest) -> HttpResponseBase:
    """Store texts, and follow the run that labels them."""
    form = ManyForm(request.POST, request.FILES, projects=projects_of(request.user))
    if not form.is_valid():
        return _page(request, form, status=400)
    values, file = form.cleaned_data, form.cleaned_data["file"]
    assert isinstance(request.user, AbstractBaseUser)
    try:
        record, run, note = backlog.label_many(
            values["project"],
            lines=values["lines"],
            file=file,
            file_name=file.name if file else "",
            provider=values["provider"],
            user=request.user,
        )
    except ImportFailed as reason:
        _refuse_file(request, values["project"], reason)
        return _page(request, form, status=409)
    except REFUSALS as reason:
        messages.error(request, str(reason))
        return _page(request, form, status=409)
    left_out = f", {record.rejected:,} rows left out" if record.rejected else ""
    messages.success(request, f"{record.added:,} texts added, {record.duplicate:,} known already{left_out}. {note}")
    return redirect("runs:run", pk=run.pk) if run else redirect(_address(form))


def _refuse_file(request: HttpRequest, project: Project, reason: ImportFailed) -> None:
    stored = f" {reason.added:,} texts before that place are stored." if reason.added else ""
    link = reverse("imports:upload", args=[project.pk])
    said = "{}{} Here nothing can be chosen: <a href='{}'>import the file</a>, and look at its columns there."
    messages.error(request, format_html(said, on_page(str(reason)), stored, link))


def _answer(form: OneForm, **options: Any) -> Answered:
    values = form.cleaned_data
    [answer] = keeping.answer(values["project"], [values["draft"]], provider=values["provider"], **options)
    if isinstance(answer, ProviderError):
        raise answer
    return answer


def _tell(request: HttpRequest, stored: Answered) -> None:
    kept = stored.kept
    assert kept is not None
    where = f"Text {kept.text_id}: {TextStatus(kept.status).label.lower()}."
    if kept.label_id is None:
        messages.warning(request, f"{where} {kept.note}")
    else:
        messages.success(request, f"{where} {kept.note}".strip())


def _page(
    request: HttpRequest, form: LabelForm, *, answered: Answered | None = None, status: int = 200
) -> HttpResponse:
    """Both forms on one page, whichever was sent."""
    projects = projects_of(request.user)
    values = {name: form[name].value() for name in ("project", "provider")}
    one = form if isinstance(form, OneForm) else OneForm(initial=values, projects=projects)
    many = form if isinstance(form, ManyForm) else ManyForm(initial=values, projects=projects)
    context: dict[str, Any] = {"title": "Label", "form": form, "one": one, "many": many}
    if answered:
        context |= {
            "answer": label_serializers.document(answered),
            "pieces": pieces(answered.draft.content, answered.said.evidence),
            "milliseconds": round(answered.seconds * 1000),
            "shown": _mark(answered.said),
        }
    return render_page(request, "labeling/label.html", context, status=status)


def _mark(said: Prediction) -> str:
    """Tells one answer from another."""
    return f"{said.category_id}:{said.confidence:.4f}"


def _address(form: LabelForm) -> str:
    chosen = {"project": form.cleaned_data["project"].pk, "provider": form.cleaned_data["provider"]}
    return f"{reverse('label:page')}?{urlencode(chosen)}"
