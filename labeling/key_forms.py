"""The form of a new API key."""

from datetime import datetime

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from labeling.models import ApiKey
from labeling.models.api_key import Scope


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="It never allows more than you may do.",
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "projects", "expires_at"]

    def clean_expires_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError("Give a moment that is still to come, or leave it empty.")
        return moment
