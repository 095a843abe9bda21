"""Figures for managers. Thin: each view checks, asks one function for each figure, answers."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from analytics import quality
from labeling.models import Project
from labeling.pages import render_page
from reviews.access import may_manage


@never_cache
@require_GET
def projects_page(request: HttpRequest) -> HttpResponse:
    """All projects; straight to the only one."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    _require_manager(request)
    projects = list(Project.objects.filter(is_archived=False))
    if len(projects) == 1:
        return redirect("analytics:agreement", project_id=projects[0].pk)
    context = {
        "title": "Agreement",
        "page": "analytics:agreement",
        "projects": projects,
    }
    return render_page(request, "analytics/projects.html", context)


@never_cache
@require_GET
def agreement_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """How far the reviewers agree: as a whole, and in detail for blind answers or all (`?answers=all`)."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    _require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    context = {
        "title": f"Agreement: {project.name}",
        "project": project,
        "reviewers": quality.by_reviewer(project),
        "most_texts": f"{quality.MOST_TEXTS:,}",
        "most_categories": quality.MOST_CATEGORIES,
        "most_pairs": quality.MOST_PAIRS,
        **_figures(project, chosen=request.GET.get("answers", "")),
    }
    return render_page(request, "analytics/agreement.html", context)


def _figures(project: Project, *, chosen: str) -> dict[str, Any]:
    """The agreement of blind and of all answers; the details of those chosen, or of the blind ones if there are any."""
    everything = quality.answers_of(project)
    blind = everything.only_blind()
    is_blind = chosen == "blind" or (chosen != "all" and len(blind.texts) > 0)
    detailed = blind if is_blind else everything
    return {
        "blind": quality.of_project(blind),
        "everything": quality.of_project(everything),
        "is_blind": is_blind,
        "is_cut": everything.is_cut,
        "categories": quality.by_category(detailed),
        "pairs": quality.by_pair(detailed),
        "confusions": quality.confusions(detailed),
    }


def _require_manager(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user is a manager."""
    if not (getattr(request.user, "is_staff", False) and may_manage(request.user)):
        raise PermissionDenied("Only managers see how reviewers agree.")
