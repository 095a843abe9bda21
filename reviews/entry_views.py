"""The short address of the review desk: to the desk of the project that is named, or of the only one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from labeling.access import projects_of
from labeling.lookups import by_name_or_id
from labeling.models import Category, Project
from labeling.pages import staff_page
from reviews.access import desks_of, may_manage
from reviews.desk_forms import FiltersForm
from reviews.views import projects_page

RENAMED = {"category": "category_id", "run": "run_id"}


@staff_page
def review(request: HttpRequest) -> HttpResponseBase:
    """To the desk with the filters that the address names; where several projects are possible, these to choose from.

    `project` and `category` are names or ids.
    """
    desks = desks_of(request.user)
    wanted = request.GET.get("project", "")
    project = by_name_or_id(desks, wanted, id_first=True) if wanted else _only(list(desks[:2]))
    if project is None:
        return _elsewhere(request, wanted)
    query = _filters(request, project)
    return redirect(reverse("reviews:desk", args=[project.pk]) + (f"?{urlencode(query)}" if query else ""))


def _elsewhere(request: HttpRequest, wanted: str) -> HttpResponseBase:
    """Who has no desk of the project: managers can give themselves one, others choose from those that they have."""
    others = projects_of(request.user).filter(is_archived=False)
    if wanted and may_manage(request.user) and (project := by_name_or_id(others, wanted, id_first=True)):
        words = f"You do not review for project {project} yet. Add yourself here, then choose Review in the menu."
        messages.warning(request, words)
        query = urlencode({"user": request.user.get_username()})
        return redirect(f"{reverse('projects:members', args=[project.pk])}?{query}")
    if wanted:
        messages.warning(request, f"You do not review for a project '{wanted}'. Choose another one.")
    return projects_page(request)


def _only(desks: list[Project]) -> Project | None:
    return desks[0] if len(desks) == 1 else None


def _filters(request: HttpRequest, project: Project) -> dict[str, str]:
    """The filters of the address as the desk calls them. Those that are wrong are named and left out."""
    sent = {RENAMED.get(name, name): value.strip() for name, value in request.GET.dict().items() if value.strip()}
    if name := sent.get("category_id", ""):
        category: Category | None = by_name_or_id(project.categories.all(), name)
        sent["category_id"] = str(category.pk) if category else name
    form = FiltersForm(sent)
    for field in form.errors:
        messages.warning(request, f"The filter {field} was left out. {' '.join(map(str, form.errors[field]))}")
    return {name: value for name, value in sent.items() if name in form.fields and name not in form.errors}
