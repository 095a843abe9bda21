"""The live page of a project, for managers, and what it asks every few seconds."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labeling.models import Project
from labeling.pages import render_page, staff_page
from reviews import live
from reviews.access import may_manage
from reviews.pages import require_manager

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


@never_cache
@require_GET
def live_json(request: HttpRequest, project_id: int) -> HttpResponse:
    """The snapshot alone. Refusals are JSON as well, so that the page can tell them from a broken connection."""
    if not request.user.is_authenticated:
        return JsonResponse({"code": "signed_out", "message": "You are signed out. Sign in again."}, status=401)
    if not (request.user.is_staff and may_manage(request.user)):
        return JsonResponse({"code": "not_allowed", "message": "This page is for managers."}, status=403)
    return JsonResponse(live.snapshot(get_object_or_404(Project, pk=project_id)))
