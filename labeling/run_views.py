"""The pages of labeling runs: all of them, and one that is followed while it goes."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from labeling import steering
from labeling.access import projects_of
from labeling.choices import RunStatus, TextStatus
from labeling.models import LabelingRun
from labeling.pages import for_staff, render_page, staff_page
from labeling.run_forms import RunsForm
from labeling.run_progress import texts_gone
from labeling.runs import CannotStart

VIEW = "labeling.view_labelingrun"
ROWS = 30


@staff_page
def runs_page(request: HttpRequest) -> HttpResponse:
    """All runs that this person may see, newest first."""
    projects = projects_of(request.user)
    form = RunsForm(request.GET, projects=projects)
    visible = _visible(request)
    rows = list(form.applied_to(visible).annotate(texts_done=texts_gone())[: ROWS + 1]) if form.is_valid() else []
    shown = rows[:ROWS]
    older = urlencode({**request.GET.dict(), "before": str(shown[-1].pk)}) if len(rows) > ROWS else ""
    context = {"title": "Runs", "runs": shown, "form": form, "older": older}
    return render_page(request, "labeling/runs.html", context, status=200 if form.is_valid() else 400)


@staff_page
def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: how far it is, what failed and why, and buttons."""
    run = _run(request, pk)
    context: dict[str, Any] = {"title": f"Run {run.pk}: {run.project.name}", "run": run}
    if request.user.has_perm("labeling.view_text"):
        context |= {"failed_texts_url": _texts_url(run, status__exact=TextStatus.FAILED), "texts_url": _texts_url(run)}
    context |= steering.shown(
        run,
        request.user,
        progress_url=reverse("runs:progress", args=[run.pk]),
        verb_url=lambda verb: reverse("runs:verb", args=[run.pk, verb]),
    )
    return render_page(request, "labeling/run.html", context)


@staff_page
def progress_json(request: HttpRequest, pk: int) -> HttpResponse:
    """What the page shows, asked every few seconds."""
    return JsonResponse(steering.progress(_run(request, pk)))


@require_POST
@for_staff
def verb(request: HttpRequest, pk: int, verb: str) -> HttpResponseBase:
    """Pause, resume, cancel, or try the failed texts once more; then back to the run, or to the new one."""
    run = _run(request, pk)
    if not request.user.has_perm(steering.PERMISSION):
        raise PermissionDenied(f"You lack the permission '{steering.PERMISSION}'. Ask a manager for it.")
    assert isinstance(request.user, AbstractBaseUser)
    try:
        run = steering.do(verb, run, request.user)
        messages.success(request, f"{run} is {RunStatus(run.status).label.lower()}.")
    except steering.UnknownVerb:
        raise Http404(f"Nothing called '{verb}' can be done to a run.") from None
    except CannotStart as reason:
        messages.warning(request, str(reason))
    return redirect("runs:run", pk=run.pk)


def _texts_url(run: LabelingRun, **filters: str) -> str:
    """The texts of its project, as the admin lists them."""
    query = urlencode({**filters, "project__id__exact": str(run.project_id)})
    return f"{reverse('admin:labeling_text_changelist')}?{query}"


def _visible(request: HttpRequest) -> QuerySet[LabelingRun]:
    """Raises PermissionDenied for who may see none."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied(f"You lack the permission '{VIEW}'. Ask a manager for it.")
    runs = LabelingRun.objects.filter(project__in=projects_of(request.user))
    return runs.select_related("project", "created_by", "classifier").defer("text_ids")


def _run(request: HttpRequest, pk: int) -> LabelingRun:
    return get_object_or_404(_visible(request), pk=pk)
