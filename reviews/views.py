"""The review desk: one text after another, decided by keyboard. Thin: each view checks, calls one function, answers."""

import functools
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling import counting, drifting
from labeling.models import Project
from labeling.pages import refusal, render_page, signed_out
from reviews import decisions, desk, queue, refusals
from reviews.access import desks_of, may_manage
from reviews.blind import is_blind_text
from reviews.desk_forms import DecisionForm, FiltersForm, KeysForm, ids
from reviews.keys import DESK_ACTIONS, WrongKeys, change_keys, keys_of
from reviews.models import Assignment, Reviewer
from reviews.pages import for_reviewers, reviewer_and_project
from reviews.problems import CONFLICT_CODES
from reviews.similar import nearest
from reviews.undoing import take_back

Verb = Callable[[Reviewer, Project, dict[str, Any]], HttpResponse]

# --- Pages ------------------------------------------------------------------------------------------------------------


@never_cache
@require_GET
def projects_page(request: HttpRequest) -> HttpResponse:
    """The reviewer's projects; straight to the only one. Managers see all, with what happens there now."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    is_manager = may_manage(request.user)
    if not (request.user.is_staff and (is_manager or request.user.has_perm("reviews.add_review"))):
        raise PermissionDenied("You may not review. Ask a manager for the permission.")
    mine = list(desks_of(request.user))
    if len(mine) == 1 and not is_manager:
        return redirect("reviews:desk", project_id=mine[0].pk)
    shown = list(Project.objects.filter(is_archived=False)) if is_manager else mine
    warned = drifting.warnings(shown) if is_manager else {}
    waiting = counting.waiting_for_people([project.pk for project in shown])
    context = {
        "title": "Review desk",
        "rows": [
            {
                "project": project,
                "has_desk": project in mine,
                "waiting": waiting[project.pk],
                "drift": warned.get(project.pk),
            }
            for project in shown
        ],
        "is_manager": is_manager,
        "reviewer": Reviewer.objects.filter(user_id=request.user.pk or 0).first(),
    }
    return render_page(request, "reviews/projects.html", context)


@require_GET
@for_reviewers
def desk_page(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
    """The shell of the desk; texts come by `next`."""
    context = {
        "title": f"Review desk: {project.name}",
        "project": project,
        "reviewer": reviewer,
        "is_filtered": any(request.GET.values()),
        "kept_filters": FiltersForm.not_offered(request.GET.dict()),
        "desk": _settings_of(reviewer, project, request),
    }
    return render_page(request, "reviews/desk.html", context)


def _settings_of(reviewer: Reviewer, project: Project, request: HttpRequest) -> dict[str, Any]:
    """All that the page's script must know."""
    verbs = ["next", "decide", "undo", "keep", "leave", "keys"]
    urls = {verb: reverse(f"reviews:{verb}", args=[project.pk]) for verb in verbs}
    standing = desk.standing(reviewer, project)
    return {
        "urls": {**urls, "similar": reverse("reviews:similar", args=[project.pk, 0]).removesuffix("0/")},
        "login": reverse("admin:login"),
        "storage": f"desk-{reviewer.pk}-{project.pk}",
        "categories": desk.categories_of(project),
        "actions": DESK_ACTIONS,
        "keys": keys_of(reviewer),
        "filters": request.GET.dict(),
        **standing,
        "progress": standing["progress"] | desk.waiting(project),
    }


# --- What every verb has in common ------------------------------------------------------------------------------------


def _for_reviewers(work: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer in JSON, and call `work` with the reviewer and the project in place of the address's number."""

    @never_cache
    @functools.wraps(work)
    def view(request: HttpRequest, project_id: int, **more: int) -> HttpResponse:
        if not request.user.is_authenticated:
            return signed_out()
        try:
            reviewer, project = reviewer_and_project(request, project_id)
        except PermissionDenied as reason:
            return refusal(HTTPStatus.FORBIDDEN, "not_allowed", str(reason))
        return work(request, reviewer, project, **more)

    return view


def _verb(work: Verb) -> Callable[..., HttpResponse]:
    """A state change: by POST only, by a reviewer of the project, with JSON in and out."""

    @require_POST
    @_for_reviewers
    @functools.wraps(work)
    def view(request: HttpRequest, reviewer: Reviewer, project: Project) -> HttpResponse:
        return work(reviewer, project, _sent(request))

    return view


def _sent(request: HttpRequest) -> dict[str, Any]:
    """What the page sent. A page that is left can only send a form, so JSON may stand in its field `data`."""
    is_json = request.content_type == "application/json"
    try:
        data = json.loads(request.body if is_json else request.POST.get("data", "{}"))
    except ValueError:
        data = {}
    return data if isinstance(data, dict) else {}


# --- Verbs ------------------------------------------------------------------------------------------------------------


@_verb
def next_text(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """The next text for this desk besides those it has, or why there is none."""
    form = FiltersForm.of(sent)
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, "wrong_filters", _messages(form))
    return JsonResponse(_next(reviewer, project, form, sent))


def _next(reviewer: Reviewer, project: Project, form: FiltersForm, sent: dict[str, Any]) -> dict[str, Any]:
    found = queue.claim_next(reviewer, project, filters=form.filters(), besides=ids(sent.get("besides")))
    if isinstance(found, Assignment):
        return {"text": desk.text_of(found).as_json()}
    return {"text": None, "nothing": {"reason": found.reason, "message": str(found), "left": desk.waiting(project)}}


@_verb
def decide(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """Record one decision. Sent again with the same key it changes nothing and answers the same.

    With `next` it answers with the next text as well: one request for each decision instead of two.
    """
    form = DecisionForm(sent)
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, "wrong_decision", _messages(form))
    text_id, decision = form.cleaned_data["text_id"], form.decision()
    try:
        review = decisions.record(reviewer, text_id, decision, project=project)
    except refusals.WrongDecision as reason:
        return refusal(HTTPStatus.BAD_REQUEST, "wrong_decision", str(reason))
    except refusals.Conflict as reason:
        return _conflict(reason, reviewer)
    answer: dict[str, Any] = {"review": review.pk, **desk.standing(reviewer, project)}
    if isinstance(following := sent.get("next"), dict):
        filters = FiltersForm.of(following)
        answer |= _next(reviewer, project, filters, following) if filters.is_valid() else {}
    return JsonResponse(answer)


@_verb
def undo(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """Take one of the reviewer's own decisions in this project back; its text returns to the desk, with the comment."""
    review_id = desk.to_undo(reviewer, project, ids([sent.get("review_id")]))
    if review_id is None:
        return refusal(HTTPStatus.BAD_REQUEST, "nothing_to_undo", "There is no decision of yours to undo.")
    try:
        undone, claimed = take_back(reviewer, review_id)
    except refusals.NothingToUndo as reason:
        return refusal(HTTPStatus.BAD_REQUEST, "nothing_to_undo", str(reason))
    except refusals.Conflict as reason:
        return _conflict(reason, reviewer)
    assert undone.reverts is not None
    text = desk.text_of(claimed).as_json() if claimed else None
    answer = {"review": undone.pk, "text": text, "comment": undone.reverts.comment}
    return JsonResponse(answer | desk.standing(reviewer, project))


@_verb
def keep(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """Say what others decided on the texts shown, and with `extend` keep the claims on them."""
    text_ids = ids(sent.get("text_ids"))
    if sent.get("extend"):
        queue.extend(reviewer, text_ids)
    return JsonResponse({"decided": desk.decided_by_others(reviewer, project, text_ids), **desk.waiting(project)})


@_verb
def leave(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """Take the texts off the desk when its page is left; not those that the page after it has claimed again."""
    claims = reviewer.assignments.filter(text_id__in=ids(sent.get("text_ids")))
    if until := _time(sent.get("claimed_until")):
        claims = claims.filter(claimed_at__lte=until)
    return JsonResponse({"released": queue.release(reviewer, list(claims.values_list("text_id", flat=True)))})


@_verb
def keys(reviewer: Reviewer, project: Project, sent: dict[str, Any]) -> HttpResponse:
    """Change which key does what for this person."""
    form = KeysForm(sent.get("keys"))
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, "wrong_keys", _messages(form))
    try:
        return JsonResponse({"keys": change_keys(reviewer, project, form.keys())})
    except WrongKeys as reason:
        return refusal(HTTPStatus.BAD_REQUEST, "wrong_keys", str(reason))


@require_GET
@_for_reviewers
def similar_texts(request: HttpRequest, reviewer: Reviewer, project: Project, text_id: int) -> HttpResponse:
    """The reviewed texts that are most like a text on this desk. Not for blind ones, whose answer they might tell."""
    claims = reviewer.assignments.filter(text__project=project, expires_at__gt=timezone.now())
    claim = claims.select_related("text").filter(text_id=text_id).first()
    if claim is None:
        return refusal(HTTPStatus.NOT_FOUND, "not_on_your_desk", "This text is not on your desk.")
    if is_blind_text(claim.text):
        return refusal(HTTPStatus.FORBIDDEN, "blind", "Similar texts are hidden while you decide blind.")
    return JsonResponse(asdict(nearest(project, claim.text)))


def _time(value: Any) -> datetime | None:
    try:
        return parse_datetime(str(value))
    except ValueError:  # it looks like a time, with month 13
        return None


def _conflict(reason: refusals.Conflict, reviewer: Reviewer) -> JsonResponse:
    """`mine` is the decision in the way where it is one that this reviewer can take back."""
    review = reason.review
    other = desk.other_decision(review) if review else None
    mine = review.pk if review and review.reviewer_id == reviewer.pk else None
    return refusal(HTTPStatus.CONFLICT, CONFLICT_CODES[type(reason)], str(reason), other=other, mine=mine)


def _messages(form: Form) -> str:
    return " ".join(f"{name}: {error}" for name, errors in form.errors.items() for error in errors)
