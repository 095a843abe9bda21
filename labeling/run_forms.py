"""The filter of the list of runs."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from labeling.choices import RunStatus
from labeling.fields import LARGEST_ID
from labeling.models import LabelingRun, Project


class RunsForm(forms.Form):
    """`before`: where the page begins, as the link to older runs says it."""

    project = forms.ModelChoiceField(Project.objects.none(), required=False, empty_label="All projects")
    status = forms.ChoiceField(choices=[("", "Any status"), *RunStatus.choices], required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, projects: QuerySet[Project]) -> None:
        super().__init__(data, auto_id="runs-%s")
        choice: Any = self.fields["project"]
        choice.queryset = projects
        for name in ("project", "status"):
            self.fields[name].widget.attrs["class"] = "page-input"

    def applied_to(self, runs: QuerySet[LabelingRun]) -> QuerySet[LabelingRun]:
        wanted = self.cleaned_data
        conditions = {"project": wanted["project"], "status": wanted["status"], "pk__lt": wanted["before"]}
        return runs.filter(**{name: value for name, value in conditions.items() if value}).order_by("-pk")
