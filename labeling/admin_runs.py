"""The admin of labeling runs: how far each is, and buttons to pause, resume, cancel and retry it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import display

from labeling import runs, steering
from labeling.admin import ReadOnlyAdmin
from labeling.lookups import id_of
from labeling.models import LabelingRun
from labeling.run_progress import texts_gone
from labeling.steering import PERMISSION

STATUS_COLORS = {
    "Running": "info",
    "Succeeded": "success",
    "Succeeded with failures": "warning",
    "Failed": "danger",
}
NEW_TEXTS_COLORS = {"Differ": "warning", "Alike": "success"}


@admin.register(LabelingRun)
class LabelingRunAdmin(ReadOnlyAdmin):
    change_form_outer_before_template = "labeling/run_progress.html"
    list_display = [
        "id",
        "project",
        "origin",
        "shown_status",
        "shown_done",
        "total",
        "new_texts",
        "provider",
        "model_name",
        "created_at",
        "error",
    ]
    list_filter = ["status", "origin", "project"]
    list_select_related = ["project"]
    search_fields = ["project__name", "model_name"]
    exclude = ["text_ids", "cursor", "drift"]
    actions = ["pause", "resume", "cancel"]

    class Media:
        js = [Script("labeling/run.js", type="module")]
        css = {"all": ["labeling/run.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[LabelingRun]:
        return super().get_queryset(request).annotate(texts_done=texts_gone())

    @display(description="done", ordering="texts_done")
    def shown_done(self, run: LabelingRun) -> int:
        return getattr(run, "texts_done", None) or 0

    @display(description="status", ordering="status", label=STATUS_COLORS)
    def shown_status(self, run: LabelingRun) -> str:
        return run.get_status_display()

    @display(description="new texts", label=NEW_TEXTS_COLORS)
    def new_texts(self, run: LabelingRun) -> str | None:
        if run.drift is None:
            return None
        return "Differ" if run.drift["is_warning"] else "Alike"

    # --- One run ------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/progress.json", wrap(require_GET(self.progress_view)), name="run_progress"),
            path("<int:pk>/<slug:verb>/now/", wrap(require_POST(self.verb_view)), name="run_verb"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = LabelingRun.objects.filter(pk=id_of(object_id)).first()
        more: dict[str, Any] = extra_context or {}
        if run is not None and self.has_view_permission(request, run):
            more |= steering.shown(
                run,
                request.user,
                progress_url=reverse("admin:run_progress", args=[run.pk]),
                verb_url=lambda verb: reverse("admin:run_verb", args=[run.pk, verb]),
            )
        return super().change_view(request, object_id, form_url, more)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(LabelingRun, pk=pk)
        if not self.has_view_permission(request, run):
            raise Http404
        return JsonResponse(steering.progress(run))

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Pause, resume, cancel, or try the failed texts once more; then back to the run, or to the new one."""
        run = get_object_or_404(LabelingRun, pk=pk)
        if not request.user.has_perm(PERMISSION):
            raise Http404
        assert isinstance(request.user, AbstractBaseUser)  # the admin lets nobody else in
        try:
            run = steering.do(verb, run, request.user)
            self.message_user(request, f"{run} is {run.get_status_display().lower()}.")
        except steering.UnknownVerb:
            raise Http404 from None
        except runs.CannotStart as reason:
            self.message_user(request, str(reason), messages.WARNING)
        return HttpResponseRedirect(reverse("admin:labeling_labelingrun_change", args=[run.pk]))

    # --- Several ------------------------------------------------------------------------------------------------------

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description="Cancel", permissions=["steer"])
    def cancel(self, request: HttpRequest, picked: QuerySet[LabelingRun]) -> None:
        cancelled = sum(runs.cancel(run) for run in picked)
        self.message_user(request, f"Cancelled {cancelled} runs. The labels they made stay.")

    @admin.action(description="Pause", permissions=["steer"])
    def pause(self, request: HttpRequest, picked: QuerySet[LabelingRun]) -> None:
        paused = sum(runs.pause(run) for run in picked)
        self.message_user(request, f"Paused {paused} runs. Resume goes on where they stopped.")

    @admin.action(description="Resume", permissions=["steer"])
    def resume(self, request: HttpRequest, picked: QuerySet[LabelingRun]) -> None:
        self.message_user(request, f"Resumed {sum(runs.resume(run) for run in picked)} runs.")
