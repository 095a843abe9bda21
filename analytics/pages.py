"""Where a manager chooses the project whose figures a page shows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from labeling.models import Project
from labeling.pages import render_page
from reviews.pages import require_manager


def choose_project(request: HttpRequest, title: str, page: str) -> HttpResponse:
    """All projects, each with its link to the page of that name; straight to the only one."""
    require_manager(request)
    projects = list(Project.objects.filter(is_archived=False))
    if len(projects) == 1:
        return redirect(page, project_id=projects[0].pk)
    return render_page(request, "analytics/projects.html", {"title": title, "page": page, "projects": projects})
