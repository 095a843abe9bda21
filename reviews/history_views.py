"""Pages and files of histories: of a text for managers, of a reviewer for managers and that reviewer."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from labeling.models import Project, Text
from labeling.pages import render_page, staff_page
from reviews import history
from reviews.access import may_manage
from reviews.history import Entries
from reviews.history_export import CONTENT_TYPES, pieces
from reviews.history_forms import ExportForm, HistoryForm
from reviews.models import Action, Reviewer
from reviews.pages import require_manager


@staff_page
def text_history(request: HttpRequest, text_id: int) -> HttpResponseBase:
    """All that a model said and people did about one text."""
    require_manager(request)
    texts = Text.objects.select_related("project", "current_label__category", "reviewed_by")
    text = get_object_or_404(texts, pk=text_id)
    form = ExportForm(request.GET)
    if not form.is_valid():
        return HttpResponse("Export as csv or jsonl.", status=400, content_type="text/plain")
    if file_format := form.cleaned_data["export"]:
        return _file(history.timeline(text), file_format, f"history-of-text-{text.pk}")
    context = {
        "title": f"History of text {text.pk}",
        "text": text,
        "entries": list(history.timeline(text)),
        "is_manager": True,
    }
    return render_page(request, "reviews/history_text.html", context)


@staff_page
def reviewer_history(request: HttpRequest, reviewer_id: int) -> HttpResponseBase:
    """What one person did, newest first."""
    reviewer = _reviewer(request, reviewer_id)
    is_manager = may_manage(request.user)
    form = HistoryForm(request.GET, projects=_projects(reviewer, is_manager))
    page = None
    if form.is_valid():
        if file_format := form.cleaned_data["export"]:
            entries = history.entries_of(reviewer, form.chosen(), hides_answers=not is_manager)
            return _file(entries, file_format, f"history-of-reviewer-{reviewer.pk}")
        before = form.cleaned_data["before"]
        page = history.page_of(reviewer, form.chosen(), before=before, hides_answers=not is_manager)
    context = {
        "title": f"History of {reviewer}",
        "reviewer": reviewer,
        "numbers": history.numbers_of(reviewer),
        "form": form,
        "page": page,
        "actions": Action.choices,
        "is_manager": is_manager,
    }
    return render_page(request, "reviews/history_reviewer.html", context, status=200 if page else 400)


def _reviewer(request: HttpRequest, reviewer_id: int) -> Reviewer:
    """Managers see everybody, others themselves. Who may not see does not learn whether there is such a reviewer."""
    reviewers = Reviewer.objects.select_related("user")
    if may_manage(request.user):
        return get_object_or_404(reviewers, pk=reviewer_id)
    own = reviewers.filter(pk=reviewer_id, user_id=request.user.pk or 0).first()
    if own is None or not request.user.has_perm("reviews.view_review"):
        raise PermissionDenied("You may see your own history only.")
    return own


def _projects(reviewer: Reviewer, is_manager: bool) -> QuerySet[Project]:
    """What can be chosen as a filter. A reviewer does not learn the names of others' projects here."""
    projects = Project.objects.order_by("name", "pk")
    return projects if is_manager else projects.filter(reviewers=reviewer)


def _file(entries: Entries, file_format: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces(entries, file_format), content_type=CONTENT_TYPES[file_format])
    response["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    return response
