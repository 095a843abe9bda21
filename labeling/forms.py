"""Forms that need more than their model says."""

from typing import Any

from django.forms.models import BaseInlineFormSet

from labeling import categories
from labeling.categories import WrongCategory
from labeling.models import Category


class CategoryFormSet(BaseInlineFormSet):
    """Refuses what `categories` refuses, and a category that comes back after it was merged."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """In a table only the columns have names; who hears the page needs one for each field."""
        super().add_fields(form, index)
        category = form.instance.name or "new category"
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, {category}"

    def clean(self) -> None:
        super().clean()
        shown = [form.instance.pk for form in self.initial_forms]
        hidden = self.instance.categories.exclude(pk__in=shown) if self.instance.pk else []
        kept = [form for form in self.forms if form.is_valid() and _is_kept(form.cleaned_data)]
        for form in kept:
            if form.has_changed():  # what was there before does not keep others from being changed
                _check(form, [*hidden, *(other.instance for other in kept if other is not form)])


def _is_kept(values: dict[str, Any]) -> bool:
    return bool(values.get("name")) and not values.get("DELETE")


def _check(form: Any, others: list[Category]) -> None:
    category = form.instance
    if category.merged_into_id and category.is_active:
        form.add_error("is_active", f"It was merged into {category.merged_into}.")
    category.examples = category.examples or []
    try:
        categories.check(category, others)
    except WrongCategory as wrong:
        form.add_error(None, wrong.errors or str(wrong))
