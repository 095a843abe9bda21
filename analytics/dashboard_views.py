"""The start page: for managers where each project stands, for reviewers what waits for them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from analytics import dashboard
from labeling import counting, runs, steering, workers
from labeling.access import projects_of
from labeling.pages import for_staff, render_page, staff_page
from reviews import desk
from reviews.access import desks_of, may_manage
from reviews.models import Reviewer
from reviews.pages import manager_numbers

POLL_SECONDS = 5
NO_WORKER = "No background worker is running: runs wait. Start one with: python manage.py run_worker"


@staff_page
def dashboard_page(request: HttpRequest) -> HttpResponse:
    """Where the work stands, as far as it is this person's."""
    context = {"title": "Dashboard", "today": _today(request)}
    if may_manage(request.user):
        return render_page(request, "analytics/dashboard.html", context | _of_manager(request))
    return render_page(request, "analytics/dashboard_reviewer.html", context | _of_reviewer(request))


def _today(request: HttpRequest) -> desk.Progress | None:
    """The day's goal of who reviews."""
    reviewer = Reviewer.objects.filter(user_id=request.user.pk or 0, is_active=True).first()
    return desk.progress(reviewer, pace=0) if reviewer else None


def _of_manager(request: HttpRequest) -> dict[str, Any]:
    projects = dashboard.shown_projects(projects_of(request.user))
    return {
        "cards": dashboard.cards(projects),
        "most": dashboard.MOST_PROJECTS,
        "no_worker": "" if workers.alive().exists() else NO_WORKER,
        "settings": {
            "url": reverse("dashboard:live"),
            "login": reverse("admin:login"),
            "poll_seconds": POLL_SECONDS,
            "proofs": {project.pk: reverse("dashboard:proof", args=[project.pk]) for project in projects},
        },
    }


def _of_reviewer(request: HttpRequest) -> dict[str, Any]:
    projects = list(desks_of(request.user)[: dashboard.MOST_PROJECTS])
    waiting = counting.waiting_for_people([project.pk for project in projects])
    return {"rows": [(project, waiting[project.pk]) for project in projects]}


@manager_numbers
def live_json(request: HttpRequest) -> HttpResponse:
    """The numbers of the page that change."""
    projects = dashboard.shown_projects(projects_of(request.user))
    return JsonResponse(dashboard.live(projects))


@require_POST
@for_staff
def label(request: HttpRequest, project_id: int) -> HttpResponseBase:
    """Label the project's texts in the background, and follow that."""
    project = get_object_or_404(projects_of(request.user), pk=project_id)
    if not request.user.has_perm(steering.PERMISSION):
        raise PermissionDenied(f"You lack the permission '{steering.PERMISSION}'. Ask a manager for it.")
    try:
        run = runs.start_in_background(project, user=request.user)
    except runs.CannotStart as reason:
        messages.warning(request, str(reason))
        return redirect("home")
    return redirect("runs:run", pk=run.pk)


@manager_numbers
def proof_json(request: HttpRequest, project_id: int) -> HttpResponse:
    """The error budget of one project in words: too slow to reckon while a page is waited for."""
    return JsonResponse(dashboard.proof_of(get_object_or_404(projects_of(request.user), pk=project_id)))
