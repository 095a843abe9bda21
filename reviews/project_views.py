"""The pages of projects: all of them, a new one, one as a whole, and its settings."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from labeling import counting, editing, projects, runs, standing
from labeling.access import projects_of
from labeling.category_sets import BY_KEY, SETS
from labeling.choices import TextStatus
from labeling.models import Project
from labeling.pages import for_staff, render_page, staff_page
from labeling.project_pages import for_project
from labeling.wording import have, texts
from reviews import project_settings
from reviews.access import desk_of
from reviews.project_forms import NewProjectForm, ProjectForm
from reviews.project_pages import CHANGE, SEE, require, show, user_of

ON_A_PAGE = 30


@staff_page
def list_page(request: HttpRequest) -> HttpResponse:
    """The projects that this person may see, with how many texts stand where."""
    require(request, SEE)
    is_archived = "archived" in request.GET
    found = projects_of(request.user).filter(is_archived=is_archived).order_by("name", "pk")
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    counts = counting.texts_by_status([project.pk for project in page])
    context = {
        "title": "Archived projects" if is_archived else "Projects",
        "is_archived": is_archived,
        "page": page,
        "rows": [(project, _counted(counts[project.pk])) for project in page],
        "may_add": request.user.has_perm("labeling.add_project"),
    }
    return render_page(request, "reviews/project_list.html", context)


def _counted(counts: counting.StatusCounts) -> dict[str, int]:
    return {
        "all": sum(counts.values()),
        "needs_review": counts.get(TextStatus.NEEDS_REVIEW, 0),
        "decided": counts.get(TextStatus.REVIEWED, 0),
        "accepted": counts.get(TextStatus.ACCEPTED, 0),
    }


@for_staff
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest) -> HttpResponseBase:
    """A form for a new project; with `set` in the address it begins with categories that many people need."""
    require(request, "labeling.add_project")
    typed = request.POST
    begun = _begun(typed) if "set" in typed else _begin_with(request.GET.get("set", ""))
    form = NewProjectForm(None if "set" in typed else typed or None, initial=begun)
    if form.is_valid():
        try:
            made = projects.create(**form.cleaned_data, user=user_of(request))
        except (projects.ProjectExists, projects.WrongProject, projects.WrongCategories) as reason:
            _blame(form, reason)
        else:
            messages.success(request, f"Project {made} is made. Import texts next.")
            return redirect("projects:overview", project_id=made.pk)
    sets = {one.key: {"categories": one.as_lines(), "instructions": one.instructions} for one in SETS}
    context = {"title": "New project", "form": form, "sets": SETS, "set_lines": sets}
    return render_page(request, "reviews/project_new.html", context, status=422 if form.errors else 200)


def _begin_with(key: str) -> dict[str, str]:
    chosen = BY_KEY.get(key)
    return {"instructions": chosen.instructions, "categories": chosen.as_lines()} if chosen else {}


def _begun(typed: QueryDict) -> dict[str, str]:
    """What was typed, with the categories of the set that was chosen then. Lines and instructions of one's own stay."""
    written = {name: typed.get(name, "") for name in NewProjectForm.base_fields}
    chosen = _begin_with(typed.get("set", ""))
    if not chosen:
        return written
    is_own = written["instructions"].strip() not in {"", *(one.instructions for one in SETS)}
    instructions = written["instructions"] if is_own else chosen["instructions"]
    return written | {"instructions": instructions, "categories": _joined(written["categories"], chosen["categories"])}


def _joined(typed: str, chosen: str) -> str:
    """The lines of a set after those typed, or in their place where these are nothing but a set."""
    lines = typed.strip().splitlines()  # browsers send CRLF
    if lines in [[], *(one.as_lines().splitlines() for one in SETS)]:
        return chosen
    return "\n".join([*lines, *(line for line in chosen.splitlines() if line not in lines)])


def _blame(form: BaseForm, reason: Exception) -> None:
    """Put why it was refused beside the field that is wrong."""
    if isinstance(reason, projects.ProjectExists):
        form.add_error("name", str(reason))
    elif isinstance(reason, projects.WrongCategories):
        form.add_error("categories", str(reason))
    elif isinstance(reason, projects.WrongProject) and reason.errors:
        for name, said in reason.errors.items():
            form.add_error(name if name in form.fields else None, said)
    else:
        form.add_error(None, str(reason))


@for_project(SEE)
def overview_page(request: HttpRequest, project: Project) -> HttpResponse:
    """What the project is about and how far it is, with the ways to everything that is done with it."""
    counts = counting.texts_by_status([project.pk])[project.pk]
    is_manager = request.user.has_perm(CHANGE)
    return show(
        request,
        "reviews/project_overview.html",
        project,
        "Project",
        counts=[(status.label, counts.get(status, 0)) for status in TextStatus if counts.get(status)],
        total=sum(counts.values()),
        categories=project.shown_categories(),
        has_desk=desk_of(request.user, project.pk) is not None,
        is_manager=is_manager,
        links=_links(project) if is_manager else [],
        run=runs.unfinished(project) if is_manager else None,
        certificate=standing.in_force(project) if is_manager else None,
    )


OF_PROJECT = (
    ("Import", "imports:upload"),
    ("Error budget", "budget:page"),
    ("Export", "exports:page"),
    ("Agreement", "analytics:agreement"),
    ("Live", "reviews:live"),
    ("To adjudicate", "reviews:cases"),
    ("New categories", "reviews:new_categories"),
)
WITH_PROJECT = (("Label", "label:page"), ("Runs", "runs:list"), ("Statistics", "statistics:page"))


def _links(project: Project) -> list[tuple[str, str]]:
    """What managers do with the project, and where."""
    own = [(title, reverse(page, args=[project.pk])) for title, page in OF_PROJECT]
    others = [(title, f"{reverse(page)}?project={project.pk}") for title, page in WITH_PROJECT]
    return [own[0], *others, *own[1:]]


@for_project(CHANGE)
@require_http_methods(["GET", "POST"])
def edit_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """The settings of the project. Who changes what somebody else has changed meanwhile sees both."""
    shown = {"revision": projects.revision_of(project)}
    form = ProjectForm(request.POST or None, instance=_copy(project), initial=shown)
    now: list[tuple[str, Any]] = []
    if form.is_valid():
        revision = form.cleaned_data["revision"]
        try:
            edited = project_settings.edit(project, form.changes(), revision=revision, user=user_of(request))
        except editing.ChangedMeanwhile as reason:
            now = _now(project, form)
            form = _again(project, form, request.POST)
            form.add_error(None, f"{reason} What you wrote is still here. Save it again to let it hold.")
        except (projects.ProjectExists, projects.WrongProject) as reason:
            _blame(form, reason)
        else:
            _tell(request, edited)
            return redirect("projects:overview", project_id=project.pk)
    return show(
        request,
        "reviews/project_edit.html",
        project,
        "Settings",
        form=form,
        now=now,
        status=422 if form.errors else 200,
    )


def _copy(project: Project) -> Project:
    """A model's form writes what was sent into its row before anybody has checked it."""
    return Project.objects.get(pk=project.pk)


def _now(project: Project, form: ProjectForm) -> list[tuple[str, Any]]:
    """What holds now where it differs from what was sent."""
    held = _copy(project)
    differing = [name for name, value in form.changes().items() if getattr(held, name) != value]
    return [(str(form[name].label), getattr(held, name)) for name in differing]


def _again(project: Project, form: ProjectForm, sent: QueryDict) -> ProjectForm:
    """The same form with the project as it is now behind it."""
    data = sent.copy()
    data["revision"] = projects.revision_of(project)
    again = ProjectForm(data, instance=_copy(project))
    again.is_valid()
    return again


def _tell(request: HttpRequest, edited: project_settings.Edited) -> None:
    messages.success(request, "Saved." if edited.changed else "Nothing was changed.")
    if edited.settled:
        messages.info(request, f"{texts(edited.settled)} {have(edited.settled)} all the reviews that they need now.")


@for_project(CHANGE)
@require_POST
def archive(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Put the project away, or take it up again."""
    is_archived = request.POST.get("is_archived") == "true"
    try:
        project_settings.edit(project, {"is_archived": is_archived}, user=user_of(request))
    except runs.RunInProgress as reason:
        messages.warning(request, str(reason))
    else:
        done = "is put away. Nothing is lost: take it up again at any time." if is_archived else "is taken up again."
        messages.success(request, f"Project {project} {done}")
    return redirect(reverse("projects:overview", args=[project.pk]))
