"""Figures for managers. Thin: each view checks, asks one function for each figure, answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from analytics import keeping, quality
from analytics.pages import choose_project
from labeling.models import Project
from labeling.pages import render_page, staff_page
from reviews.pages import require_manager


@staff_page
def projects_page(request: HttpRequest) -> HttpResponse:
    return choose_project(request, "Agreement", "analytics:agreement")


@staff_page
def agreement_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """How far the reviewers agree: as a whole, and in detail for blind answers or all (`?answers=all`)."""
    require_manager(request)
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
