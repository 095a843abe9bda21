"""The forms of projects: a new one, its settings, and its members."""

from typing import Any

from django import forms
from django.conf import settings

from labeling import projects
from labeling.models import Project
from reviews.members import Role

MOST_LINES = 1_000
SECTIONS = (
    ("The task", ("name", "instructions", "provider")),
    ("What is accepted and what is audited", ("threshold", "audit_share")),
    ("Review", ("sampling", "reviews_per_text", "overlap_share", "gold_share")),
    ("New texts", ("label_when", "label_at")),
    ("What models cost", ("prompt_price", "completion_price", "spending_cap")),
)


def providers(chosen: str = "") -> list[tuple[str, str]]:
    """The models to choose from. The one that is chosen is among them also when it is not set up any more."""
    own = f"As installed ({settings.LLM_PROVIDER})"
    gone = [(chosen, f"{chosen}: not set up here")] if chosen and chosen not in settings.LABELING_PROVIDERS else []
    return [("", own), *gone, *((alias, _described(alias)) for alias in settings.LABELING_PROVIDERS)]


def _described(alias: str) -> str:
    entry: dict[str, Any] = settings.LABELING_PROVIDERS[alias]
    model = entry.get("OPTIONS", {}).get("model")
    return f"{alias}: {model}" if model else alias


class StyledForm(forms.BaseForm):
    """Fields that look like the rest of the program's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.HiddenInput):
                field.widget.attrs.setdefault("class", "page-input")


class ProjectForm(StyledForm, forms.ModelForm):
    """What can be changed about a project, with what it was like when the form was shown."""

    provider = forms.ChoiceField(
        required=False, label="model", help_text="Which model labels. Others are set up in LABELING_PROVIDERS."
    )
    revision = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    class Meta:
        model = Project
        fields = [name for name in projects.EDITABLE if name != "is_archived"]
        widgets = {
            "name": forms.TextInput(attrs={"dir": "auto"}),
            "instructions": forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
            "label_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["provider"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = providers(self.instance.provider)
        for name in ("threshold", "audit_share", "overlap_share", "gold_share"):
            self.fields[name].widget.attrs |= {"step": "any", "min": "0", "max": "1"}

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "revision"}


class NewProjectForm(StyledForm, forms.Form):
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"dir": "auto"}))
    instructions = forms.CharField(
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text="Guidelines for people and models. They can be written later.",
    )
    categories = forms.CharField(
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto", "spellcheck": "true"}),
        help_text="One on each line: the name, and after a colon one sentence that says what belongs there. Models "
        "read it. Examples, colours and keys can be added later.",
    )
    provider = forms.ChoiceField(required=False, label="model", help_text="Which model labels.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["provider"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = providers()

    def clean_categories(self) -> list[dict[str, str]]:
        """Names with descriptions, in their order. A line copied from a spreadsheet has a tab for the colon."""
        lines = [line.strip() for line in self.cleaned_data["categories"].splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"Give at most {MOST_LINES:,} categories.")
        return [_category(line) for line in lines]


def _category(line: str) -> dict[str, str]:
    separator = "\t" if "\t" in line else ":"
    name, _, description = line.partition(separator)
    return {"name": name.strip(), "description": description.strip()}


class MemberForm(StyledForm, forms.Form):
    """Somebody who has an account, or a name for a new one."""

    user = forms.CharField(
        max_length=150,
        label="user name",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "list": "accounts"}),
    )
    email = forms.EmailField(required=False, label="e-mail", help_text="Only of a new account. May be left out.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.REVIEWER)
    is_new = forms.BooleanField(required=False, label="Make a new account with this name")
