"""The form by which a manager adds a reviewer: an existing user or a new one, on one page."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordToggleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from labeling.models import Project
from reviews.models import Reviewer


class WordsField(forms.CharField):
    """A list of words, written with commas: en, de."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in (super().to_python(value) or "").split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


class ReviewerForm(forms.ModelForm):
    """What can be changed about a reviewer."""

    projects = forms.ModelMultipleChoiceField(
        Project.objects.none(), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    languages = WordsField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What this person reads, with commas: en, de. Empty: all.",
    )

    class Meta:
        model = Reviewer
        fields = ["is_active", "projects", "languages", "daily_goal", "does_blind_audit"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With archived ones of theirs: what the page does not show comes back unticked, and would end.
        own = Reviewer.objects.filter(pk=self.instance.pk).values("projects")
        choice: Any = self.fields["projects"]
        choice.queryset = Project.objects.filter(Q(is_archived=False) | Q(pk__in=own))


class NewReviewerForm(ReviewerForm):
    """The same, and who it is."""

    user = forms.ModelChoiceField(
        User.objects.filter(reviewer=None, is_active=True).order_by("username"),
        required=False,
        label="existing user",
        widget=UnfoldAdminSelectWidget,
        help_text="Somebody who has an account. Or fill in the two fields below for somebody new.",
    )
    username = forms.CharField(required=False, max_length=150, label="new user", widget=UnfoldAdminTextInputWidget)
    password = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"}),
        help_text="For the new user. Empty: one is made, and shown once when you save.",
    )

    class Meta(ReviewerForm.Meta):
        fields = ["user", *ReviewerForm.Meta.fields]

    def clean_username(self) -> str:
        name = User.normalize_username(self.cleaned_data["username"])
        if not name:
            return ""
        User._meta.get_field("username").run_validators(name)
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(f"There is a user '{name}' already. Choose them above, or take another name.")
        return name

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        user, name, password = values.get("user"), values.get("username"), values.get("password")
        if not self.errors and bool(user) == bool(name):
            raise ValidationError("Choose an existing user or name a new one.")
        if user and password:
            self.add_error("password", "An existing user keeps the password they have.")
        if name and password:
            self._check_password(password, name)
        return values

    def _check_password(self, password: str, username: str) -> None:
        try:
            validate_password(password, User(username=username))
        except ValidationError as error:
            self.add_error("password", error)
