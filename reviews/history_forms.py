"""What the history of a reviewer may be asked for."""

from datetime import date, datetime, time
from typing import cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from labeling.models import Project
from reviews.history import Chosen
from reviews.history_export import CONTENT_TYPES
from reviews.models import Action

# Far enough for all, and within what time zones can shift.
YEARS = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class ExportForm(forms.Form):
    export = forms.ChoiceField(choices=[(name, name) for name in CONTENT_TYPES], required=False)


class HistoryForm(ExportForm):
    """Filters and place, from the page's address."""

    project = forms.ModelChoiceField(Project.objects.none(), required=False)
    since = forms.DateField(required=False, validators=YEARS)
    until = forms.DateField(required=False, validators=YEARS)
    action = forms.ChoiceField(choices=Action, required=False)
    before = forms.IntegerField(required=False, min_value=1)

    def __init__(self, data: QueryDict, *, projects: QuerySet[Project]) -> None:
        super().__init__(data)
        self.projects = projects
        cast(forms.ModelChoiceField, self.fields["project"]).queryset = projects

    def chosen(self) -> Chosen:
        values = self.cleaned_data
        return Chosen(
            project_id=values["project"].pk if values["project"] else None,
            since=_moment(values["since"], time.min),
            until=_moment(values["until"], time.max),
            action=values["action"] or None,
        )


def _moment(day: date | None, at: time) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, at)) if day else None
