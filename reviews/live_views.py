"""The live page of a project, for managers, and what it asks every few seconds."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from labeling.models import Project
from labeling.pages import render_page, staff_page
from reviews import live
from reviews.pages import manager_numbers, require_manager

POLL_SECONDS = 3


@staff_page
def live_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """Who decides what, as it happens. The page comes with the first snapshot."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    context = {
        "title": f"Live: {project.name}",
        "project": project,
        "live": {
            "url": reverse("reviews:live_json", args=[project.pk]),
            "login": reverse("admin:login"),
            "poll_seconds": POLL_SECONDS,
            "snapshot": live.snapshot(project),
        },
    }
    return render_page(request, "reviews/live.html", context)


@manager_numbers
def live_json(request: HttpRequest, project_id: int) -> HttpResponse:
    """The snapshot alone."""
    return JsonResponse(live.snapshot(get_object_or_404(Project, pk=project_id)))
