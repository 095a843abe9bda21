"""What the list may be asked for, what may be done with its texts, and what travels from a preview to its batch."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core import signing
from django.http import QueryDict

from labeling.fields import LARGEST_ID
from labeling.models import Category, Project
from reviews.batches import MOST_TEXTS
from reviews.desk_forms import FiltersForm
from reviews.grouping import By
from reviews.listing import SCREENS, SIZES, Order, Place
from reviews.models import Reviewer

SIZE = 25
MOST_PAGES = 1_000  # of groups
VALID_SECONDS = 24 * 60 * 60  # a preview that is older says little about what would happen


class ListForm(FiltersForm):
    """Filters, order and place, from the page's address."""

    order = forms.ChoiceField(choices=Order, required=False)
    size = forms.ChoiceField(choices=[(n, n) for n in SIZES], required=False)
    after = forms.CharField(max_length=60, required=False)
    screen = forms.IntegerField(min_value=0, max_value=SCREENS - 1, required=False)
    batch = forms.UUIDField(required=False)

    def clean_after(self) -> tuple[float, int] | None:
        """The text before the page: its priority and id, as `query` writes them."""
        priority, _, text_id = self.cleaned_data["after"].partition(":")
        if not priority:
            return None
        try:
            place = float(priority), int(text_id)
        except ValueError:
            place = math.nan, 0
        if not (math.isfinite(place[0]) and 0 < place[1] <= LARGEST_ID):
            raise forms.ValidationError("This is no place in the list.")
        return place

    @property
    def chosen_order(self) -> Order:
        return Order(self.cleaned_data["order"] or Order.URGENT)

    @property
    def chosen_size(self) -> int:
        return int(self.cleaned_data["size"] or SIZE)

    def place(self) -> Place:
        return Place(self.cleaned_data["after"], self.cleaned_data["screen"] or 0)

    def query(self, place: Place) -> str:
        """The page's address parameters with another place. Only what was understood goes into it."""
        after = f"{place.after[0]!r}:{place.after[1]}" if place.after else None
        return self._encoded("order", "size", after=after, screen=place.screen or None)

    def filter_query(self) -> str:
        """The filters alone, which the desk understands as well."""
        return self._encoded()

    def _encoded(self, *names: str, **more: object) -> str:
        values = {name: self.cleaned_data[name] for name in (*FiltersForm.base_fields, *names)} | more
        return urlencode({name: value for name, value in values.items() if value not in (None, "")})


class GroupsForm(forms.Form):
    """Which groups of near-duplicates, from the page's address."""

    by = forms.ChoiceField(choices=By, required=False)
    number = forms.IntegerField(min_value=0, max_value=MOST_PAGES, required=False)
    batch = forms.UUIDField(required=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "GroupsForm":
        """Valid in any case: what is wrong in the address is as if it were not there."""
        form = cls(data)
        if not form.is_valid():
            form = cls({})
            form.is_valid()
        return form

    @property
    def chosen_by(self) -> By:
        return By(self.cleaned_data["by"] or By.WORDS)

    def query(self) -> str:
        values = {"by": self.chosen_by.value, "number": self.cleaned_data["number"] or None}
        return urlencode({name: value for name, value in values.items() if value is not None})


class ChosenField(forms.Field):
    """Texts with the label that was shown, each as "text id:label id"."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> dict[int, int]:
        pairs = [str(one).partition(":") for one in (value or [])[:MOST_TEXTS]]
        if not all(_is_id(text_id) and _is_id(label_id) for text_id, _, label_id in pairs):
            raise forms.ValidationError("These are no texts of the list.")
        return {int(text_id): int(label_id) for text_id, _, label_id in pairs}


class BulkForm(forms.Form):
    """The same for many texts: those checked, all on the page, or all that match."""

    APPROVE, RELABEL = "approve", "relabel"
    CHECKED, PAGE, MATCHING = "checked", "page", "matching"

    action = forms.ChoiceField(choices=[(APPROVE, "Approve"), (RELABEL, "Relabel")])
    scope = forms.ChoiceField(choices=[(name, name) for name in (CHECKED, PAGE, MATCHING)])
    checked = ChosenField(required=False)
    shown = ChosenField(required=False)
    category = forms.ModelChoiceField(Category.objects.none(), required=False)
    comment = forms.CharField(required=False, max_length=5000)

    def __init__(self, data: QueryDict, project: Project) -> None:
        super().__init__(data)
        active = Category.objects.filter(project=project, is_active=True)
        cast(forms.ModelChoiceField, self.fields["category"]).queryset = active

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        is_relabel = values.get("action") == self.RELABEL
        if is_relabel and not values.get("category") and "category" not in self.errors:
            raise forms.ValidationError("Choose the category that the texts get.")
        if values.get("scope") != self.MATCHING and not self.chosen(values) and not self.errors:
            raise forms.ValidationError("Select at least one text.")
        return values | {"category": values.get("category") if is_relabel else None}

    def chosen(self, values: Mapping[str, Any]) -> dict[int, int]:
        return values.get("shown" if values.get("scope") == self.PAGE else "checked") or {}


class UndoForm(forms.Form):
    batch = forms.UUIDField()


@dataclass(frozen=True)
class Planned:
    """A batch as its preview showed it. Its id is made with the preview, so that sent twice it is done once."""

    labels: dict[int, int]
    category_id: int | None
    comment: str
    back: str  # the address of the page to which the person returns
    batch: uuid.UUID

    def signed(self, reviewer: Reviewer, project: Project) -> str:
        """Only this reviewer can send it back, and only unchanged."""
        values = [self.labels, self.category_id, self.comment, self.back, str(self.batch)]
        return signing.dumps(values, salt=_salt(reviewer, project), compress=True)

    @classmethod
    def from_signed(cls, value: str, reviewer: Reviewer, project: Project) -> "Planned":
        """Raises signing.BadSignature, and SignatureExpired when it is too old."""
        labels, category_id, comment, back, batch = signing.loads(
            value, salt=_salt(reviewer, project), max_age=VALID_SECONDS
        )
        shown = {int(text_id): label_id for text_id, label_id in labels.items()}
        return cls(shown, category_id, comment, back, uuid.UUID(batch))


def _salt(reviewer: Reviewer, project: Project) -> str:
    return f"reviews.batch.{reviewer.pk}.{project.pk}"


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 20 and int(value) <= LARGEST_ID
