"""The admin of reviewing: managers look after reviewers and desks; reviews are shown, never changed."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display

from labeling.admin import ProjectAdmin, ReadOnlyAdmin
from labeling.models import Category, Project
from labeling.wording import have, texts
from reviews import members, project_settings, queue, reviewers, settling
from reviews.access import may_manage
from reviews.blind import hides_label
from reviews.forms import NewReviewerForm, ReviewerForm
from reviews.models import Assignment, Review, Reviewer

HIDDEN = "hidden: blind audit"


admin.site.unregister(Project)


@admin.register(Project)
class ReviewedProjectAdmin(ProjectAdmin):
    """The project's page, which also applies what is changed about its review."""

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and project_settings.RULES & set(form.changed_data):
            settled = settling.settle_waiting(obj)
            if settled:
                self.message_user(request, f"{texts(settled)} {have(settled)} all the reviews that they need now.")


@admin.register(Reviewer)
class ReviewerAdmin(ModelAdmin):
    form = ReviewerForm
    list_display = [
        "user",
        "is_active",
        "shown_projects",
        "shown_languages",
        "daily_goal",
        "does_blind_audit",
        "history",
    ]
    list_filter = ["is_active", "projects"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reviewer]:
        return super().get_queryset(request).prefetch_related("projects")

    def get_form(self, request: HttpRequest, obj: Reviewer | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": NewReviewerForm}) | kwargs)

    def get_fields(self, request: HttpRequest, obj: Reviewer | None = None) -> list[str]:
        who = ["user"] if obj else ["user", "username", "password"]
        return [*who, *ReviewerForm.Meta.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Reviewer | None = None) -> list[str]:
        return ["user"] if obj else []

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Reviewer, form: Any, change: bool) -> None:
        if not change:
            obj.user = self._account(request, form.cleaned_data)
        super().save_model(request, obj, form, change)

    @transaction.atomic
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Memberships change as on the page of members, so that desks are cleared. The form finds them done."""
        assert isinstance(request.user, User)
        members.set_projects(form.instance, form.cleaned_data["projects"], by=request.user)
        super().save_related(request, form, formsets, change)

    def _account(self, request: HttpRequest, values: dict[str, Any]) -> User:
        """The user that the form chose, or a new one whose generated password is shown this once."""
        if user := values["user"]:
            reviewers.let_review(user)
            return user
        password = values["password"] or reviewers.new_password()
        if not values["password"]:
            note = f"The password of {values['username']} is {password} - pass it on now, it is not shown again."
            self.message_user(request, note, messages.WARNING)
        return reviewers.add_account(values["username"], password=password)

    @display(description="history")
    def history(self, reviewer: Reviewer) -> SafeString:
        return format_html('<a href="{}">History</a>', reverse("reviews:reviewer_history", args=[reviewer.pk]))

    @display(description="projects")
    def shown_projects(self, reviewer: Reviewer) -> str:
        return ", ".join(project.name for project in reviewer.projects.all())

    @display(description="languages")
    def shown_languages(self, reviewer: Reviewer) -> str:
        return ", ".join(reviewer.languages) or "all"


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """All desks, for those who manage them; a reviewer's own is the review page."""

    list_display = ["excerpt", "reviewer", "reason", "claimed_at", "expires_at"]
    list_filter = ["text__project", "reviewer", "reason"]
    list_select_related = ["text", "reviewer__user"]
    ordering = ["expires_at", "id"]
    actions = ["release"]

    def has_view_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        return may_manage(request.user) and bool(super().has_view_permission(request, obj))

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("reviews.delete_assignment"))

    @display(description="text")
    def excerpt(self, assignment: Assignment) -> str:
        return Truncator(assignment.text.content).chars(90)

    @admin.action(description="Release", permissions=["release"])
    def release(self, request: HttpRequest, picked: QuerySet[Assignment]) -> None:
        count = sum(queue.release(one.reviewer, [one.text_id]) for one in picked.select_related("reviewer"))
        self.message_user(request, f"Released {texts(count)} into the queue again.")


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """All reviews, for managers. Reviewers have their history: filters and columns here would tell what is blind."""

    list_display = ["id", "excerpt", "project", "reviewer", "action", "before", "after", "created_at"]
    list_filter = ["text__project", "reviewer", "action", "created_at"]
    list_select_related = ["text__project", "reviewer__user", "category_before", "category_after"]
    search_fields = ["text__external_id", "comment"]
    search_help_text = "The external id of a text, or words of a comment."
    ordering = ["-id"]
    fields = [
        "excerpt",
        "project",
        "reviewer",
        "action",
        "before",
        "after",
        "comment",
        "proposed_category",
        "is_blind",
        "queue_reason",
        "seconds_spent",
        "reverts",
        "content_hash",
        "created_at",
    ]
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Review | None = None) -> bool:
        return may_manage(request.user) and bool(super().has_view_permission(request, obj))

    @display(description="text")
    def excerpt(self, review: Review) -> str:
        return Truncator(review.text.content).chars(90)

    @display(description="project")
    def project(self, review: Review) -> str:
        return review.text.project.name

    @display(description="before")
    def before(self, review: Review) -> str:
        # What an undo takes back is the reviewer's own word, what it puts back may be the model's: see `after`.
        hidden = hides_label(review) and not review.reverts_id
        return HIDDEN if hidden else _said(review.category_before, review.confidence_before)

    @display(description="after")
    def after(self, review: Review) -> str:
        hidden = hides_label(review) and bool(review.reverts_id)
        return HIDDEN if hidden else _said(review.category_after, review.confidence_after)


def _said(category: Category | None, confidence: float | None) -> str:
    name = category.name if category else "-"
    return name if confidence is None else f"{name} {confidence:.2f}"
