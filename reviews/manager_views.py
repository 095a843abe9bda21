"""What waits for a manager: cases to adjudicate, proposed categories, decisions to look at again."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from labeling import categories, discovering, drifting, runs
from labeling.choices import TextStatus
from labeling.lookups import id_of
from labeling.models import Certificate, Project, Text
from labeling.pages import render_page, staff_page
from labeling.wording import have, texts
from reviews import adjudication, second_look
from reviews.manager_forms import CaseForm, NewCategoryForm, ProposalForm
from reviews.pages import require_manager
from reviews.refusals import Conflict, WrongDecision

CASES = 20  # on one page
REFUSALS = (Conflict, WrongDecision, categories.WrongCategory, runs.RunInProgress)
Verb = Callable[..., str]

# --- Pages ------------------------------------------------------------------------------------------------------------


@staff_page
def cases_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """The texts on which people disagree or which they flagged, each with all that was said."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    after = _after(request.GET)
    found = adjudication.cases(project, after=after, limit=CASES + 1)
    cases = found[:CASES]
    context = {
        "title": f"To adjudicate: {project.name}",
        "cases": cases,
        "after": after,
        "next": cases[-1].text.pk if len(found) > CASES else None,
        "proposals": adjudication.proposals(project),
    }
    return _page(request, "reviews/cases.html", project, context)


@staff_page
def second_look_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """One decided text that looks like a mistake, without what was decided."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    waiting = second_look.waiting(project)
    context = {"title": f"Second look: {project.name}", "waiting": waiting}
    return _page(request, "reviews/second_look.html", project, context)


@staff_page
def new_categories_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """Groups of texts that fit no category well, each to be named."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    context = {
        "title": f"New categories: {project.name}",
        "found": discovering.find(project),
        "certificate": _certificate(project),
        "run": runs.unfinished(project),
        "most_examples": discovering.MOST_EXAMPLES,
    }
    return _page(request, "reviews/new_categories.html", project, context)


def _certificate(project: Project) -> Certificate | None:
    from labeling import certification  # here, because scipy is large and the other pages do not need it

    return certification.in_force(project)


def _after(sent: QueryDict) -> int:
    """The id behind which the page of cases begins; what is no id means the first page."""
    return id_of(sent.get("after", ""))


def _page(request: HttpRequest, template: str, project: Project, context: dict[str, Any]) -> HttpResponse:
    shared = {
        "project": project,
        "categories": project.shown_categories(),
        "drift": drifting.warning(project),
    }
    return render_page(request, template, shared | context)


# --- Verbs ------------------------------------------------------------------------------------------------------------


def _verb(page: str) -> Callable[[Verb], Callable[..., HttpResponse]]:
    """A state change by a manager, by POST only. Says what came of it on the page that is shown next."""

    def decorate(work: Verb) -> Callable[..., HttpResponse]:
        @require_POST
        @functools.wraps(work)
        def view(request: HttpRequest, project_id: int, **found: int) -> HttpResponseRedirect:
            if not request.user.is_authenticated:
                return redirect_to_login(reverse(page, args=[project_id]), reverse("admin:login"))
            require_manager(request)
            project = get_object_or_404(Project, pk=project_id)
            try:
                messages.success(request, work(request, project, **found))
            except REFUSALS as reason:
                messages.warning(request, str(reason))
            after = _after(request.POST)
            return redirect(reverse(page, args=[project_id], query={"after": after} if after else None))

        return view

    return decorate


@_verb("reviews:cases")
def adjudicate(request: HttpRequest, project: Project, text_id: int) -> str:
    values = _valid(CaseForm(project, request.POST))
    text = get_object_or_404(Text, pk=text_id, project=project)
    review = adjudication.adjudicate(
        _manager(request), text.pk, category_id=values["category"].pk, comment=values["comment"]
    )
    return f"Text {text.pk} is {review.category_after}."


@_verb("reviews:cases")
def return_to_queue(request: HttpRequest, project: Project, text_id: int) -> str:
    text = get_object_or_404(Text, pk=text_id, project=project)
    adjudication.return_to_queue(_manager(request), text.pk, comment=request.POST.get("comment", "")[:5000])
    text.refresh_from_db(fields=["status"])
    is_decided = text.status == TextStatus.REVIEWED
    return f"Text {text.pk} {'stays decided as it was' if is_decided else 'waits again'}."


@_verb("reviews:cases")
def accept_proposal(request: HttpRequest, project: Project) -> str:
    name = _valid(ProposalForm(request.POST))["name"]
    category, count = adjudication.accept_proposal(_manager(request), project, name)
    return f"{category} is a category now, and {texts(count)} {have(count)} it. Add a description: models read it."


@_verb("reviews:new_categories")
def create_category(request: HttpRequest, project: Project) -> str:
    values = _valid(NewCategoryForm(project, request.POST))
    examples = [text.pk for text in values["examples"]]
    category = discovering.create_category(
        project, name=values["name"], description=values["description"], text_ids=examples
    )
    return f"{category} is a category now. All texts are labeled again in the background: see Labeling runs."


@_verb("reviews:second_look")
def look_again(request: HttpRequest, project: Project, text_id: int) -> str:
    values = _valid(CaseForm(project, request.POST))
    text = get_object_or_404(Text, pk=text_id, project=project)
    category = values["category"]
    review = second_look.look_again(_manager(request), text.pk, category_id=category.pk, comment=values["comment"])
    if review.category_after_id == review.category_before_id:
        return f"You confirm {category}."
    return (
        f"You say {category}, it was {review.category_before}. The text waits under To adjudicate, with both answers."
    )


def _manager(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _valid(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        raise WrongDecision(" ".join(f"{name}: {error}" for name, errors in form.errors.items() for error in errors))
    return form.cleaned_data
