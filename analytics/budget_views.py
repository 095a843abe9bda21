"""The pages of the error budget. Thin: each view checks, asks or calls one function, answers."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from analytics import budget, budget_questions, classifier_quality, steps
from analytics.budget_forms import BUDGETS, CONFIDENCES, CertifyForm, DrawForm, NoForm
from analytics.budget_questions import Question
from analytics.pages import choose_project
from analytics.wording import number
from labeling import audits, certification, wording
from labeling.models import Certificate, Project
from labeling.models.certificate import PromiseChoice
from labeling.pages import render_page, staff_page
from reviews.pages import manager_numbers, require_manager

POLL_SECONDS = 5
CHANGES = "labeling.change_project"  # a threshold is the project's
REFUSALS = (
    audits.CannotDraw,
    certification.NothingToCertify,
    certification.StillLabeling,
    certification.UnevenAudit,
    certification.LookTaken,
    certification.CertificateEnded,
    certification.InUseAlready,
    certification.NotInUse,
)

# --- Pages ------------------------------------------------------------------------------------------------------------


@staff_page
def projects_page(request: HttpRequest) -> HttpResponse:
    return choose_project(request, "Error budget", "budget:page")


@staff_page
def budget_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """What is proven, what is missing, what each budget will cost, and the forms to go on."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    proofs = budget.proofs(project)
    outlook = budget.outlook(project)
    context = {
        "title": f"Error budget: {project.name}",
        "project": project,
        "proofs": proofs,
        "in_use": next((proof for proof in proofs if proof.use), None),
        "to_apply": next((proof for proof in proofs if proof.can_be_applied), None),
        "ended": next((proof for proof in proofs if proof.certificate.is_granted and proof.ended), None),
        "needed": _needed(proofs),
        "outlook": outlook,
        "promises": PromiseChoice.choices,
        "budgets": BUDGETS,
        "confidences": CONFIDENCES,
        "settings": {
            "url": reverse("budget:plan", args=[project.pk]),
            "login": reverse("admin:login"),
            "poll_seconds": POLL_SECONDS,
            "outlook": outlook,
        },
    }
    return _page(request, "analytics/budget.html", context)


def _needed(proofs: list[budget.Proof]) -> str:
    """What the last look was short of, when it proved nothing."""
    if not proofs or proofs[0].certificate.is_granted or proofs[0].ended:
        return ""
    return budget.what_is_needed(proofs[0].certificate)


@manager_numbers
def plan_json(request: HttpRequest, project_id: int) -> HttpResponse:
    """What the page shows of the plan, asked every few seconds."""
    return JsonResponse(budget.outlook(get_object_or_404(Project, pk=project_id)))


@staff_page
def certificate_page(request: HttpRequest, project_id: int, certificate_id: int) -> HttpResponse:
    """One certificate: its sentence, and every threshold that was tested."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    certificate = get_object_or_404(Certificate, pk=certificate_id, project=project)
    context = {
        "title": f"Certificate {certificate.pk}: {project.name}",
        "project": project,
        "proof": budget.proof_of(certificate),
        "needed": "" if certificate.is_granted else budget.what_is_needed(certificate),
        "walk": steps.of_certificate(certificate),
    }
    return _page(request, "analytics/certificate.html", context)


@staff_page
def quality_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """How far the confidences of the classifier in use are to be believed, and how it does on each category."""
    require_manager(request)
    project = get_object_or_404(Project, pk=project_id)
    quality = classifier_quality.of_project(project)
    context = {
        "title": f"Classifier quality: {project.name}",
        "project": project,
        "quality": quality,
        "whether_to_stop": "" if quality.missing else classifier_quality.whether_to_stop(project),
    }
    return _page(request, "analytics/classifier_quality.html", context)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render_page(request, template, context)


# --- Changes ----------------------------------------------------------------------------------------------------------

View = Callable[..., HttpResponseBase]
Ask = Callable[[dict[str, Any]], Question]
Do = Callable[[dict[str, Any]], str]


def _changes(view: View) -> View:
    """For managers who may change projects. By GET the question is shown, by POST it is done."""

    @never_cache
    @require_http_methods(["GET", "POST"])
    @functools.wraps(view)
    def checked(request: HttpRequest, project_id: int, **found: int) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(reverse("budget:page", args=[project_id]), reverse("admin:login"))
        require_manager(request)
        if not request.user.has_perm(CHANGES):
            raise PermissionDenied("This is for managers who may change projects. Ask one of them for the permission.")
        return view(request, project_id, **found)

    return checked


@_changes
def draw(request: HttpRequest, project_id: int) -> HttpResponseBase:
    project = _project(project_id)

    def work(values: dict[str, Any]) -> str:
        waiting = audits.draw(project, values["size"])
        return f"{wording.texts(values['size'])} drawn. {number(waiting)} audit texts wait to be decided."

    return _verb(request, project, DrawForm, lambda values: budget_questions.about_draw(project, **values), work)


@_changes
def certify(request: HttpRequest, project_id: int) -> HttpResponseBase:
    project = _project(project_id)

    def ask(values: dict[str, Any]) -> Question:
        return budget_questions.about_certify(project, **{k: v for k, v in values.items() if k != "look"})

    def work(values: dict[str, Any]) -> str:
        look = values.pop("look")
        return certification.certify(project, **values, expected_look=look, user=_manager(request)).sentence

    return _verb(request, project, CertifyForm, ask, work)


@_changes
def apply(request: HttpRequest, project_id: int, certificate_id: int) -> HttpResponseBase:
    certificate = _certificate(project_id, certificate_id)

    def work(_: dict[str, Any]) -> str:
        use = certification.apply(certificate, user=_manager(request))
        accepted, held_back = number(len(use.accepted_ids)), number(len(use.held_back_ids))
        return f"The threshold is {certificate.threshold:.3f} now: {accepted} texts accepted, {held_back} for people."

    return _verb(request, certificate.project, NoForm, lambda _: budget_questions.about_apply(certificate), work)


@_changes
def unapply(request: HttpRequest, project_id: int, certificate_id: int) -> HttpResponseBase:
    certificate = _certificate(project_id, certificate_id)

    def work(_: dict[str, Any]) -> str:
        use = certification.unapply(certificate)
        return f"The threshold is {use.previous_threshold:.3f} again."

    return _verb(request, certificate.project, NoForm, lambda _: budget_questions.about_unapply(certificate), work)


def _verb(request: HttpRequest, project: Project, form_class: type[Form], ask: Ask, work: Do) -> HttpResponseBase:
    """By GET the question is shown and nothing changes; by POST it is done, and said on the project's page."""
    form = form_class(request.POST if request.method == "POST" else request.GET)
    try:
        values = _valid(form)
        if request.method == "GET":
            return _page(
                request,
                "analytics/budget_question.html",
                {"title": f"Error budget: {project.name}", "project": project, "question": ask(values)},
            )
        messages.success(request, work(values))
    except (*REFUSALS, WrongValues) as reason:
        messages.warning(request, str(reason))
    budget.forget(project)
    return redirect("budget:page", project_id=project.pk)


class WrongValues(ValueError):
    """The form was not filled in as it should be."""


def _valid(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        raise WrongValues(" ".join(f"{name}: {error}" for name, errors in form.errors.items() for error in errors))
    return form.cleaned_data


def _project(project_id: int) -> Project:
    return get_object_or_404(Project, pk=project_id)


def _certificate(project_id: int, certificate_id: int) -> Certificate:
    certificates = Certificate.objects.select_related("project")
    return get_object_or_404(certificates, pk=certificate_id, project_id=project_id)


def _manager(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
