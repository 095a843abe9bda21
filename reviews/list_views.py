"""The list view of the review desk: many texts on a page, decided together after a preview, and undone together.

The page of near-duplicates (`group_views`) sends its decisions here as well, and gets people back.
"""

import uuid

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from labeling.models import Project
from labeling.pages import render_page
from labeling.wording import texts
from reviews import batches, listing
from reviews.filters import NO_FILTERS
from reviews.list_forms import SIZE, BulkForm, GroupsForm, ListForm, Planned, UndoForm
from reviews.listing import SIZES, Order, Page, Place, Preview
from reviews.models import Review, Reviewer, ReviewQuerySet
from reviews.pages import for_reviewers
from reviews.refusals import NothingToUndo, WrongDecision

OTHERS_WERE_FIRST = "because others had them or their labels were replaced meanwhile"


@require_GET
@for_reviewers
def list_page(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """The free texts that fit the filters, with what the model said of them."""
    form = ListForm(request.GET)
    page = _page(form, reviewer, project) if form.is_valid() else None
    context = {
        "title": f"Review list: {project.name}",
        "project": project,
        "form": form,
        "page": page,
        "most": batches.MOST_TEXTS,
        "orders": Order.choices,
        "sizes": SIZES,
        "size": form.chosen_size if page else SIZE,
        "categories": project.shown_categories(),
    }
    if page:
        batch = form.cleaned_data["batch"]
        decided = decided_in(reviewer, project, batch)
        is_filtered = form.filters() != NO_FILTERS
        context |= {"batch": batch, "decided": decided, "is_filtered": is_filtered, **_addresses(form, project, page)}
    return render_page(request, "reviews/list.html", context, status=200 if page else 400)


@require_POST
@for_reviewers
def preview(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """What a decision about many texts would change. Changes nothing."""
    form, back = BulkForm(request.POST, project), _origin(request, project)
    if not form.is_valid():
        problems = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _back(request, back, problems, messages.WARNING)
    found = _preview(form, _list_of(request), reviewer, project)
    if not found.labels:
        why = "None of these texts can be decided any more. Look at the list again."
        return _back(request, back, why, messages.WARNING)
    category, comment = form.cleaned_data["category"], form.cleaned_data["comment"]
    planned = Planned(found.labels, category.pk if category else None, comment, back, uuid.uuid4())
    context = {
        "title": f"Preview: {project.name}",
        "project": project,
        "preview": found,
        "category": category,
        "comment": comment,
        "payload": planned.signed(reviewer, project),
        "back": back,
    }
    return render_page(request, "reviews/list_preview.html", context)


@require_POST
@for_reviewers
def apply(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """Record what the preview showed. Sent again it changes nothing and says the same."""
    try:
        planned = Planned.from_signed(request.POST.get("payload", ""), reviewer, project)
    except signing.SignatureExpired:
        why = "This preview is more than a day old. Nothing was decided. Make a new one."
        return _back(request, _address(project, ""), why, messages.ERROR)
    except signing.BadSignature:
        why = "This preview was changed on its way, or is not yours. Nothing was decided. Make a new one."
        return _back(request, _address(project, ""), why, messages.ERROR)
    if _made(reviewer, planned.batch).filter(reverted_by__isnull=False).exists():
        why = "This batch was decided and undone before. Nothing was decided now. Make a new preview."
        return _back(request, planned.back, why, messages.WARNING)
    back = f"{planned.back}{'&' if '?' in planned.back else '?'}batch={planned.batch}"
    try:
        done = batches.record_all(
            reviewer,
            listing.still_open(planned.labels),
            category_id=planned.category_id,
            comment=planned.comment,
            batch=planned.batch,
        ).done
    except WrongDecision as reason:
        return _back(request, back, f"The batch was stopped. {reason}", messages.ERROR)
    left_out = len(planned.labels) - done
    level = messages.SUCCESS if done else messages.WARNING
    return _back(request, back, f"{texts(done)} decided{_but(left_out, OTHERS_WERE_FIRST)}.", level)


@require_POST
@for_reviewers
def undo(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """Take a whole batch of this reviewer back."""
    form, back = UndoForm(request.POST), _origin(request, project)
    batch = form.cleaned_data["batch"] if form.is_valid() else None
    try:
        if batch is None or not _made(reviewer, batch).filter(text__project=project).exists():
            raise NothingToUndo("There is no such batch of yours.")
        undone = batches.undo_batch(reviewer, batch)
    except NothingToUndo as reason:
        return _back(request, back, str(reason), messages.WARNING)
    left = _but(undone.left_out, "because somebody has decided them since")
    return _back(request, back, f"{texts(undone.done)} undone{left}.", messages.SUCCESS)


# --- What the pages need ----------------------------------------------------------------------------------------------


def _page(form: ListForm, reviewer: Reviewer, project: Project) -> Page:
    order, size = form.chosen_order, form.chosen_size
    return listing.page_of(reviewer, project, form.filters(), order=order, size=size, place=form.place())


def _addresses(form: ListForm, project: Project, page: Page) -> dict[str, str]:
    """Where the page's links lead, and the list that its forms come back to."""
    is_first = form.place() == Place()
    desk = f"{reverse('reviews:desk', args=[project.pk])}?{form.filter_query()}"
    return {
        "desk": desk.removesuffix("?"),
        "first": "" if is_first else _address(project, form.query(Place())),
        "next": _address(project, form.query(page.next)) if page.next else "",
        "query": form.query(form.place()),
    }


def _list_of(request: HttpRequest) -> ListForm:
    """The list from which a form was sent, by its field `query`; what is wrong there counts as no filters."""
    form = ListForm(QueryDict(request.POST.get("query", "")))
    if not form.is_valid():
        form = ListForm({})
        form.is_valid()
    return form


def _preview(form: BulkForm, wanted: ListForm, reviewer: Reviewer, project: Project) -> Preview:
    category = form.cleaned_data["category"]
    if form.cleaned_data["scope"] == BulkForm.MATCHING:
        return listing.preview_matching(reviewer, project, wanted.filters(), wanted.chosen_order, category)
    return listing.preview_chosen(reviewer, project, form.chosen(form.cleaned_data), category)


def _made(reviewer: Reviewer, batch: uuid.UUID | None) -> ReviewQuerySet:
    """The decisions of one batch, undone ones too. Without a batch none."""
    made = Review.objects.filter(batch=batch, reviewer=reviewer)
    return made if batch else made.none()


def decided_in(reviewer: Reviewer, project: Project, batch: uuid.UUID | None) -> int:
    """How many decisions of one batch can be undone."""
    return _made(reviewer, batch).filter(reverted_by__isnull=True, text__project=project).count()


def _back(request: HttpRequest, address: str, message: str, level: int) -> HttpResponse:
    messages.add_message(request, level, message)
    return redirect(address)


def _origin(request: HttpRequest, project: Project) -> str:
    """The address of the page that sent a form, by its fields `page` and `query`: the list, or that of groups."""
    if request.POST.get("page") == "near_duplicates":
        query = GroupsForm.of(QueryDict(request.POST.get("query", ""))).query()
        return f"{reverse('reviews:near_duplicates', args=[project.pk])}?{query}"
    wanted = _list_of(request)
    return _address(project, wanted.query(wanted.place()))


def _address(project: Project, query: str) -> str:
    return f"{reverse('reviews:list', args=[project.pk])}?{query}".removesuffix("?")


def _but(left_out: int, why: str) -> str:
    return f", {left_out} left out {why}" if left_out else ""
