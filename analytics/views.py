"""Figures for managers. Thin: each view checks, asks one function for each figure, answers."""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from analytics import keeping, quality
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
    compared, chosen = keeping.compared(project), request.GET.get("answers", "")
    is_blind = chosen == "blind" or (chosen != "all" and compared.blind.whole.texts > 0)
    context = {
        "title": f"Agreement: {project.name}",
        "project": project,
        "compared": compared,
        "is_blind": is_blind,
        "details": compared.blind if is_blind else compared.everything,
        "most_texts": f"{quality.MOST_TEXTS:,}",
        "most_categories": quality.MOST_CATEGORIES,
        "most_pairs": quality.MOST_PAIRS,
    }
    return render_page(request, "analytics/agreement.html", context)


def _require_manager(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user is a manager."""
    if not (getattr(request.user, "is_staff", False) and may_manage(request.user)):
        raise PermissionDenied("Only managers see how reviewers agree.")
