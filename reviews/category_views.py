"""The pages of a project's categories: all of them, one to edit, and two that become one."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling import categories, editing, merging, runs, standing, workers
from labeling.discovering import shortened
from labeling.models import Category, Project
from labeling.project_pages import for_project
from labeling.queueing import queue
from labeling.wording import have, texts
from reviews.category_forms import CategoryForm, MergeForm
from reviews.project_pages import show, user_of

CHANGE = "labeling.change_category"
SAMPLES = 5
EXCERPT = 200


@for_project(CHANGE)
@require_GET
def list_page(request: HttpRequest, project: Project) -> HttpResponse:
    """The categories in their order, with all that can be done with them."""
    shown = list(project.categories.filter(is_active=True).select_related("parent"))
    retired = project.categories.filter(is_active=False).select_related("merged_into")
    return show(
        request,
        "reviews/categories.html",
        project,
        "Categories",
        shown=shown,
        retired=list(retired),
        order={
            "url": reverse("projects:reorder", args=[project.pk]),
            "revision": categories.order_revision(shown),
        },
        form=CategoryForm(project),
        merges=list(merging.unfinished(project)),
        no_worker=not workers.alive(workers.INTERACTIVE).exists(),
        certificate=standing.in_force(project),
        run=runs.unfinished(project),
        is_outdated=categories.differ_from_last_run(project),
    )


@for_project("labeling.add_category")
@require_http_methods(["GET", "POST"])
def new_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    form = CategoryForm(project, request.POST or None)
    if form.is_valid():
        values = form.changes()
        try:
            made = categories.add(project, values.pop("name"), user=user_of(request), **values)
        except categories.WrongCategory as reason:
            form.show(reason.errors or {"name": [str(reason)]})
        else:
            messages.success(request, f"{made} is a category now.")
            return redirect("projects:categories", project_id=project.pk)
    return _form_page(request, project, form, "New category")


@for_project(CHANGE)
@require_http_methods(["GET", "POST"])
def edit_page(request: HttpRequest, project: Project, category_id: int) -> HttpResponseBase:
    category = get_object_or_404(project.categories, pk=category_id)
    form = CategoryForm(project, request.POST or None, category=category)
    if form.is_valid():
        try:
            revision = form.cleaned_data["revision"]
            categories.edit(category, form.changes(), revision=revision, user=user_of(request))
        except editing.ChangedMeanwhile as reason:
            form = _again(category, request)
            form.add_error(None, f"{reason} What you wrote is still here. Save it again to let it hold.")
        except categories.WrongCategory as reason:
            form.show(reason.errors or {"name": [str(reason)]})
        else:
            messages.success(request, "Saved.")
            return redirect("projects:categories", project_id=project.pk)
    return _form_page(request, project, form, f"Category {category}", category=category)


def _again(category: Category, request: HttpRequest) -> CategoryForm:
    """The same form with the category as it is now behind it."""
    data = request.POST.copy()
    data["revision"] = categories.revision_of(Category.objects.get(pk=category.pk))
    form = CategoryForm(category.project, data, category=category)
    form.is_valid()
    return form


def _form_page(
    request: HttpRequest, project: Project, form: CategoryForm, title: str, category: Category | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "category": category,
        "now": category and Category.objects.get(pk=category.pk),
        "certificate": standing.in_force(project),
        "status": 422 if form.errors else 200,
    }
    return show(request, "reviews/category_edit.html", project, title, **context)


# --- Order ------------------------------------------------------------------------------------------------------------


@for_project(CHANGE)
@require_POST
def move(request: HttpRequest, project: Project, category_id: int) -> HttpResponseBase:
    """Up or down by one, without a script."""
    category = get_object_or_404(project.categories, pk=category_id)
    try:
        categories.move(category, by=-1 if request.POST.get("to") == "up" else 1)
    except categories.WrongCategory as reason:
        messages.warning(request, str(reason))
    return redirect(reverse("projects:categories", args=[project.pk]) + f"#category-{category.pk}")


@for_project(CHANGE)
@require_POST
def reorder(request: HttpRequest, project: Project) -> HttpResponseBase:
    """All of them in the order that the page shows, as JSON; answers with what the next change is to name."""
    try:
        sent = json.loads(request.body)
        ids, revision = [int(pk) for pk in sent["categories"]], str(sent["revision"])
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"message": "Send categories and revision."}, status=400)
    try:
        shown = categories.reorder(project, ids, revision=revision)
    except editing.ChangedMeanwhile as reason:
        return JsonResponse({"message": f"{reason} Load this page again."}, status=409)
    return JsonResponse({"revision": categories.order_revision(shown)})


# --- Retire and merge -------------------------------------------------------------------------------------------------


@for_project(CHANGE)
@require_POST
def retire(request: HttpRequest, project: Project, category_id: int) -> HttpResponseBase:
    category = categories.retire(get_object_or_404(project.categories, pk=category_id), user=user_of(request))
    messages.success(request, f"{category} is retired. Its labels stay, and it gets no new ones.")
    return redirect("projects:categories", project_id=project.pk)


@for_project(CHANGE)
@require_POST
def bring_back(request: HttpRequest, project: Project, category_id: int) -> HttpResponseBase:
    try:
        category = categories.bring_back(get_object_or_404(project.categories, pk=category_id), user=user_of(request))
        messages.success(request, f"{category} can be given again.")
    except (categories.WasMerged, categories.WrongCategory) as reason:
        messages.warning(request, str(reason))
    return redirect("projects:categories", project_id=project.pk)


@for_project(CHANGE)
@require_http_methods(["GET", "POST"])
def merge_page(request: HttpRequest, project: Project, category_id: int) -> HttpResponseBase:
    """By GET what would move is shown and nothing changes; by POST it moves."""
    source = get_object_or_404(project.categories, pk=category_id)
    form = MergeForm(source, request.POST or request.GET or None)
    target = form.cleaned_data["into"] if form.is_bound and form.is_valid() else None
    if request.method == "POST" and target is not None:
        try:
            made = merging.start(source, target, user=user_of(request))
        except (merging.CannotMerge, runs.RunInProgress) as reason:
            messages.warning(request, str(reason))
        else:
            followed = f"{texts(made.moved)} {have(made.moved)} followed."
            messages.success(request, f"{source} is part of {target} now. {followed}")
        return redirect("projects:categories", project_id=project.pk)
    return show(
        request,
        "reviews/category_merge.html",
        project,
        f"Merge {source}",
        source=source,
        target=target,
        form=form,
        preview=merging.preview(source),
        target_preview=merging.preview(target) if target else None,
        samples=[shortened(content, EXCERPT) for content in merging.samples(source, SAMPLES)],
        certificate=standing.in_force(project),
        run=runs.unfinished(project),
    )


@for_project("labeling.change_project")
@require_POST
def label_anew(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Let a worker learn and label everything again with the categories as they are now."""
    if run := runs.unfinished(project):
        messages.warning(request, f"Run {run.pk} is labeling this project. Wait until it is finished, or cancel it.")
    else:
        queue("labeling.tasks.label_anew", project.pk)
        messages.success(request, "All undecided texts are labeled again in the background.")
        if not workers.alive(workers.LABELING).exists():
            messages.warning(request, workers.NONE_RUNNING)
    return redirect("projects:categories", project_id=project.pk)
