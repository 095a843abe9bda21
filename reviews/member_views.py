"""The page of who works on a project."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from labeling.models import Project
from labeling.project_pages import for_project
from reviews import members
from reviews.members import Role
from reviews.project_forms import MemberForm
from reviews.project_pages import show, user_of

CHANGE = "reviews.change_reviewer"
ON_A_PAGE = 50
MOST_MANAGERS = 50
MOST_ACCOUNTS = 200


@for_project(CHANGE)
@require_http_methods(["GET", "POST"])
def list_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Who reviews, when they were last active, and a form to add somebody, whose name the address may have."""
    form = MemberForm(request.POST or None, initial={"user": request.GET.get("user", "")})
    if form.is_valid() and (added := _add(request, project, form)):
        return added
    return _page(request, project, form)


def _add(request: HttpRequest, project: Project, form: MemberForm) -> HttpResponseBase | None:
    values = form.cleaned_data
    values["role"] = Role(values["role"])
    try:
        member = members.add_or_invite(project, values.pop("user"), **values, by=user_of(request))
    except members.NoSuchUser:
        form.add_error("user", "There is no such user. Tick the box below to make a new account.")
    except members.MayNotInvite as reason:
        form.add_error(None, str(reason))
    except members.WrongMember as reason:
        form.add_error("user", str(reason))
    else:
        if values["is_new"]:
            return _page(request, project, MemberForm(), invited=member.user)
        messages.success(request, f"{member} works on this project now.")
        return redirect("projects:members", project_id=project.pk)
    return None


def _page(request: HttpRequest, project: Project, form: MemberForm, invited: User | None = None) -> HttpResponse:
    page = Paginator(members.of_project(project), ON_A_PAGE).get_page(request.GET.get("page"))
    known = set(members.of_project(project).order_by().values_list("user_id", flat=True))
    others = User.objects.filter(is_active=True).exclude(pk__in=known).order_by("username")
    return show(
        request,
        "reviews/members.html",
        project,
        "Members",
        form=form,
        page=page,
        rows=[(member, members.role_of(member.user).name.title(), members.last_active(member)) for member in page],
        managers=list(members.managers()[:MOST_MANAGERS]),
        accounts=list(others.values_list("username", flat=True)[:MOST_ACCOUNTS]),
        invited=invited,
        link=request.build_absolute_uri(members.link_for(invited)) if invited else "",
        status=422 if form.errors else 200,
    )


@for_project(CHANGE)
@require_POST
def remove(request: HttpRequest, project: Project, member_id: int) -> HttpResponseBase:
    member = get_object_or_404(members.of_project(project), pk=member_id)
    members.remove(project, member, by=user_of(request))
    messages.success(request, f"{member} does not work on this project any more. What they decided stays.")
    return redirect("projects:members", project_id=project.pk)


@for_project(CHANGE)
@require_POST
def link(request: HttpRequest, project: Project, member_id: int) -> HttpResponseBase:
    """A new link for somebody who has not chosen a password yet."""
    member = get_object_or_404(members.of_project(project), pk=member_id)
    try:
        return _page(request, project, MemberForm(), invited=member.user)
    except members.NoLink as reason:
        messages.warning(request, str(reason))
        return redirect("projects:members", project_id=project.pk)
