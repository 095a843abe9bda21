"""Forms that need more than their model says."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet


class CategoryFormSet(BaseInlineFormSet):
    """Refuses a category named twice, and one that comes back after it was merged.

    Django checks constraints over fields that the form does not show only in the database, which would end in an error
    page.
    """

    def add_fields(self, form: Any, index: int | None) -> None:
        """In a table only the columns have names; who hears the page needs one for each field."""
        super().add_fields(form, index)
        category = form.instance.name or "new category"
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, {category}"

    def clean(self) -> None:
        super().clean()
        shown = [form.instance.pk for form in self.initial_forms]
        names = {category.name.lower() for category in self.get_queryset() if category.pk not in shown}
        for form in self.forms:
            name = _name(form.cleaned_data) if form.is_valid() else ""
            if name and name in names:
                form.add_error("name", ValidationError("This project has a category of this name already."))
            names.add(name)
            if form.is_valid() and form.instance.merged_into_id and form.cleaned_data.get("is_active"):
                form.add_error("is_active", ValidationError(f"It was merged into {form.instance.merged_into}."))


def _name(values: dict[str, Any]) -> str:
    return "" if values.get("DELETE") else str(values.get("name", "")).strip().lower()
