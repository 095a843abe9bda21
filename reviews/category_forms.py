"""The forms of categories."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from labeling import categories
from labeling.models import Category, Project
from reviews.project_forms import StyledForm


class Several(forms.Textarea):
    """Texts that are sent under one name. The page draws a field for each."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        values = data.getlist(name) if isinstance(data, MultiValueDict) else data.get(name) or []
        return [str(value) for value in values]


class TextsField(forms.Field):
    """Some texts, without those that were left empty."""

    widget = Several

    def to_python(self, value: Any) -> list[str]:
        return [one.replace("\r\n", "\n").strip() for one in value or [] if one.strip()]


class CategoryForm(StyledForm, forms.Form):
    """What a person says of a category, with what it was like when the form was shown."""

    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"dir": "auto"}))
    description = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text="One sentence: what belongs here. Models read it.",
    )
    examples = TextsField(required=False, help_text="A few typical texts. Models read them, too.")
    color = forms.CharField(
        required=False,
        max_length=7,
        label="colour",
        widget=forms.TextInput(attrs={"pattern": "#[0-9a-fA-F]{6}", "placeholder": "#1f77b4", "data-color": ""}),
        help_text="Like #1f77b4, or empty.",
    )
    shortcut = forms.CharField(
        required=False, max_length=1, label="key", help_text="Chooses the category at the review desk."
    )
    parent = forms.ModelChoiceField(
        Category.objects.none(), required=False, label="stands below", empty_label="Nothing: it stands on its own"
    )
    revision = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, project: Project, *args: Any, category: Category | None = None, **kwargs: Any) -> None:
        if category is not None:
            kwargs["initial"] = {name: getattr(category, name) for name in categories.EDITABLE}
            kwargs["initial"]["revision"] = categories.revision_of(category)
        super().__init__(*args, **kwargs)
        field = self.fields["parent"]
        assert isinstance(field, forms.ModelChoiceField)
        others = project.categories.filter(is_active=True)
        field.queryset = others.exclude(pk=category.pk) if category else others

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "revision"}

    def show(self, errors: Mapping[str, list[str]]) -> None:
        """Put what the category was refused for beside its fields."""
        for name, messages in errors.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)


class MergeForm(StyledForm, forms.Form):
    into = forms.ModelChoiceField(Category.objects.none(), label="Into", empty_label="Choose a category")

    def __init__(self, source: Category, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = source.project.categories.filter(is_active=True).exclude(pk=source.pk)
