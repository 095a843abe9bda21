"""Forms that need more than their model says."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet


class CategoryFormSet(BaseInlineFormSet):
    """Refuses a category named twice.

    Django checks a constraint that spans the parent only in the database, which would end in an error page.
    """

    def clean(self) -> None:
        super().clean()
        shown = [form.instance.pk for form in self.initial_forms]
        names = {category.name.lower() for category in self.get_queryset() if category.pk not in shown}
        for form in self.forms:
            name = _name(form.cleaned_data) if form.is_valid() else ""
            if name and name in names:
                form.add_error("name", ValidationError("This project has a category of this name already."))
            names.add(name)


def _name(values: dict[str, Any]) -> str:
    return "" if values.get("DELETE") else str(values.get("name", "")).strip().lower()
