"""The admin: projects and categories are edited here; facts are shown, never changed."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from labeling import drifting, gold, runs, workers
from labeling.access import projects_of
from labeling.choices import TextStatus
from labeling.forms import CategoryFormSet
from labeling.learning.explain import pieces
from labeling.models import Category, Certificate, Classifier, ImportRecord, Label, Project, Text
from labeling.paginator import CappedPaginator
from labeling.queueing import queue

MOST_PICKED = 10_000  # texts in one hand-picked run; more is a run over the project

STATUS_COLORS = {
    "Needs review": "warning",
    "Accepted": "success",
    "Reviewed": "success",
    "Failed": "danger",
    "Flagged": "danger",
}


class LargeTableAdmin(ModelAdmin):
    """Lists of tables that may hold millions of rows: no full counts, capped paging."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 40  # a millisecond a row


class ReadOnlyAdmin(LargeTableAdmin):
    """Facts: to be looked at, by those with the view permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- Projects ---------------------------------------------------------------------------------------------------------


def count_of_texts(**conditions: Any) -> Coalesce:
    """For a queryset of projects: how many texts of each fulfil the conditions. Answered from an index alone."""
    texts = Text.objects.filter(project=OuterRef("pk"), **conditions).order_by().values("project")
    return Coalesce(Subquery(texts.annotate(n=Count("*")).values("n"), output_field=IntegerField()), 0)


def count_column(name: str) -> Callable[[Project], int]:
    """A column of the project list that shows the annotation `<name>_count`."""

    @display(description=name.replace("_", " "), ordering=f"{name}_count")
    def column(project: Project) -> int:
        return int(getattr(project, f"{name}_count"))

    return column


class CategoryInline(TabularInline):
    model = Category
    formset = CategoryFormSet
    fields = ["name", "description", "examples", "color", "shortcut", "position", "is_active"]
    extra = 1


@admin.register(Project)
class ProjectAdmin(ModelAdmin):
    list_display = ["name", count_column("texts"), *(count_column(status.value) for status in TextStatus)]
    list_filter = ["is_archived"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "instructions", "provider", "threshold", "audit_share", "is_archived"]}),
        ("Review", {"fields": ["sampling", "reviews_per_text", "overlap_share", "gold_share"]}),
        ("What models cost", {"fields": ["prompt_price", "completion_price", "spending_cap"]}),
        ("New texts", {"fields": ["label_when", "label_at", "drift"]}),
    ]
    readonly_fields = ["drift", "is_archived"]  # projects.edit archives, and not while a run labels
    inlines = [CategoryInline]
    actions = ["label_with_ai", "check_model", "learn"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """The person's own projects, with the counts that the list shows. One that is edited needs none, and they take
        a tenth of a second."""
        projects = super().get_queryset(request).filter(pk__in=projects_of(request.user).values("pk"))
        if request.resolver_match and request.resolver_match.url_name == "labeling_project_change":
            return projects
        counts = {f"{status.value}_count": count_of_texts(status=status) for status in TextStatus}
        return projects.annotate(texts_count=count_of_texts(), **counts)

    @display(description="like those before")
    def drift(self, project: Project) -> str:
        if project.pk is None or (warning := drifting.warning(project)) is None:
            return "No warning."
        return f"Run {warning.run_id}: {' '.join(warning.sentences)}"

    @admin.action(description="Label with AI", permissions=["change"])
    def label_with_ai(self, request: HttpRequest, projects: QuerySet[Project]) -> None:
        for project in projects:
            _start_run(self, request, project)

    @admin.action(description="Check the model", permissions=["change"])
    def check_model(self, request: HttpRequest, projects: QuerySet[Project]) -> None:
        for project in projects:
            queue("labeling.tasks.check_model", project.pk, int(request.user.pk or 0), cluster=workers.INTERACTIVE)
            address = reverse("admin:labeling_project_history", args=[project.pk])
            link = format_html('{} labels two texts. <a href="{}">The history</a> says how it went.', project, address)
            self.message_user(request, link)
        if not workers.alive(workers.INTERACTIVE).exists():
            self.message_user(request, workers.NONE_RUNNING, messages.WARNING)

    @admin.action(description="Learn from reviews", permissions=["change"])
    def learn(self, request: HttpRequest, projects: QuerySet[Project]) -> None:
        for project in projects:
            queue("labeling.tasks.learn", project.pk)
            self.message_user(request, f"{project} learns in the background. See Classifiers and Labeling runs.")


def _start_run(model_admin: ModelAdmin, request: HttpRequest, project: Project, **options: Any) -> None:
    """Queue a run and tell the person what happens next."""
    try:
        run = runs.start_in_background(project, user=request.user, **options)
    except runs.CannotStart as reason:
        model_admin.message_user(request, str(reason), messages.WARNING)
    else:
        address = reverse("admin:labeling_labelingrun_change", args=[run.pk])
        link = format_html('{} is queued: {} texts. <a href="{}">Follow it.</a>', run, run.total, address)
        model_admin.message_user(request, link)
        if not workers.alive(workers.LABELING).exists():
            model_admin.message_user(request, workers.NONE_RUNNING, messages.WARNING)


# --- Texts and labels -------------------------------------------------------------------------------------------------


class LabelInline(TabularInline):
    model = Label
    verbose_name_plural = "history of labels"
    fields = ["version", "category", "confidence", "origin", "annotator", "explanation", "created_at"]
    readonly_fields = fields
    ordering = ["-version"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Text)
class TextAdmin(LargeTableAdmin):
    list_before_template = "labeling/where_to_import.html"
    list_display = ["excerpt", "project", "shown_status", "category", "confidence", "source", "marks"]
    list_filter = ["status", "is_audit", "is_gold", "project"]
    list_select_related = ["project", "current_label__category"]
    search_fields = ["content", "external_id"]
    search_help_text = "Words of the text, or its external id."
    fields = [
        "project",
        "marked_words",
        "explanation",
        "shown_status",
        "external_id",
        "source",
        "language",
        "metadata",
        "is_audit",
        "is_gold",
        "error",
        "created_at",
    ]
    readonly_fields = fields
    inlines = [LabelInline]
    actions = ["label_with_ai", "mark_gold", "unmark_gold"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # texts arrive by import, where they are normalised and duplicates are found

    @display(description="text")
    def excerpt(self, text: Text) -> str:
        return Truncator(text.content).chars(90)

    @display(description="status", ordering="status", label=STATUS_COLORS)
    def shown_status(self, text: Text) -> str:
        return text.get_status_display()

    @display(description="category")
    def category(self, text: Text) -> str | None:
        return text.current_label.category.name if text.current_label else None

    @display(description="confidence")
    def confidence(self, text: Text) -> str | None:
        label = text.current_label
        return f"{label.confidence:.2f}" if label and label.confidence is not None else None

    @display(description="drawn for")
    def marks(self, text: Text) -> str:
        return ", ".join(name for name, holds in (("audit", text.is_audit), ("gold", text.is_gold)) if holds)

    @display(description="text")
    def marked_words(self, text: Text) -> SafeString:
        return marked(text)

    @display(description="why")
    def explanation(self, text: Text) -> str:
        return text.current_label.explanation if text.current_label else "Not labeled yet."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # content is fixed, and what holds for it is changed by labels and reviews only

    def has_label_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("labeling.change_text"))

    @admin.action(description="Label with AI", permissions=["label"])
    def label_with_ai(self, request: HttpRequest, texts: QuerySet[Text]) -> None:
        picked: dict[int, list[int]] = {}
        for project_id, text_id in texts.order_by().values_list("project_id", "pk")[: MOST_PICKED + 1]:
            picked.setdefault(project_id, []).append(text_id)
        if sum(map(len, picked.values())) > MOST_PICKED:
            message = f"Pick at most {MOST_PICKED:,} texts, or label the whole project from the list of projects."
            self.message_user(request, message, messages.WARNING)
            return
        for project in Project.objects.filter(pk__in=picked):
            _start_run(self, request, project, text_ids=picked[project.pk], relabel=True)

    @admin.action(description="Mark as gold: the label is known to be right", permissions=["label"])
    def mark_gold(self, request: HttpRequest, texts: QuerySet[Text]) -> None:
        count = gold.mark(texts)
        self.message_user(request, f"{count} texts are gold now. Texts that nobody has decided were left out.")

    @admin.action(description="No longer gold", permissions=["label"])
    def unmark_gold(self, request: HttpRequest, texts: QuerySet[Text]) -> None:
        self.message_user(request, f"{gold.unmark(texts)} texts are ordinary again.")


def marked(text: Text) -> SafeString:
    """The text with the words that made its label marked."""
    evidence = text.current_label.evidence if text.current_label else []
    shown = [
        (format_html('<mark class="font-semibold underline">{}</mark>', words) if speaks else words,)
        for words, speaks in pieces(text.content, evidence)
    ]
    return format_html('<p dir="auto" class="whitespace-pre-wrap">{}</p>', format_html_join("", "{}", shown))


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    list_display = ["text", "version", "category", "confidence", "origin", "annotator", "created_at"]
    list_filter = ["origin", "category__project"]
    list_select_related = ["text", "category", "annotator"]
    search_fields = ["text__external_id", "category__name"]
    ordering = ["-id"]


# --- What happened ----------------------------------------------------------------------------------------------------


@admin.register(ImportRecord)
class ImportRecordAdmin(ReadOnlyAdmin):
    list_before_template = "labeling/where_to_import.html"
    list_display = ["file_name", "project", "status", "added", "duplicate", "empty", "rejected", "created_at", "error"]
    fields = [
        "project",
        "file_name",
        "file_format",
        "status",
        "rows_read",
        "added",
        "duplicate",
        "empty",
        "rejected",
        "rejections",
        "error",
        "created_by",
        "created_at",
        "finished_at",
    ]
    list_filter = ["project"]
    list_select_related = ["project"]
    search_fields = ["file_name"]


@admin.register(Classifier)
class ClassifierAdmin(ReadOnlyAdmin):
    list_display = ["project", "version", "kind", "is_active", "model_name", "created_at"]
    list_filter = ["kind", "is_active", "project"]
    list_select_related = ["project"]
    fields = [
        "project",
        "version",
        "kind",
        "is_active",
        "model_name",
        "category_ids",
        "fitted_on",
        "quality",
        "created_at",
    ]


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "project", "sentence", "standing"]
    list_filter = ["project", "promise"]
    list_select_related = ["project"]
    fields = [
        "project",
        "sentence",
        "standing",
        "promise",
        "budget",
        "threshold",
        "coverage",
        "audited",
        "wrong",
        "upper_bound",
        "left_for_people",
        "look",
        "level",
        "classifier",
        "created_by",
        "created_at",
    ]
    readonly_fields = fields

    @display(description="holds")
    def standing(self, certificate: Certificate) -> str:
        from labeling import certification  # here, because scipy is large and the other pages do not need it

        if not certificate.is_granted:
            return "nothing was proven"
        return certification.ended_reason(certificate) or "holds"


from labeling import admin_api_keys, admin_prompts, admin_runs  # noqa: E402, F401  they build on the classes above
