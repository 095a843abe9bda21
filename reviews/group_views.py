"""The page of near-duplicates: groups of texts that are decided together, by the list's preview, batch and undo."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.models import Project
from labeling.pages import render_page
from reviews import grouping
from reviews.grouping import By
from reviews.list_forms import GroupsForm
from reviews.list_views import decided_in
from reviews.models import Reviewer
from reviews.pages import for_reviewers


@require_GET
@for_reviewers
def near_duplicates_page(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """Groups of free texts that say nearly the same, each with what the model said of its texts."""
    form = GroupsForm.of(request.GET)
    by, number, batch = form.chosen_by, form.cleaned_data["number"] or 0, form.cleaned_data["batch"]
    context = {
        "title": f"Near-duplicates: {project.name}",
        "project": project,
        "page": grouping.page_of(reviewer, project, by=by, number=number),
        "by": by,
        "kinds": By.choices,
        "number": number,
        "before": number * grouping.ON_A_PAGE,
        "query": form.query(),
        "batch": batch,
        "decided": decided_in(reviewer, project, batch),
        "categories": project.shown_categories(),
    }
    return render_page(request, "reviews/near_duplicates.html", context)
