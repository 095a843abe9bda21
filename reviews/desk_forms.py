"""What the desk's page may send."""

from typing import Any

from django import forms

from labeling.fields import LARGEST_ID
from reviews.decisions import Decision
from reviews.filters import NOT_TOGETHER, Filters
from reviews.keys import DESK_ACTIONS
from reviews.models import OF_REVIEWERS, Action

ACTIONS = [(action.value, action.label) for action in OF_REVIEWERS]


class DecisionForm(forms.Form):
    """One decision as the page sends it."""

    text_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    action = forms.ChoiceField(choices=ACTIONS)
    label_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    category_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    confidence = forms.FloatField(required=False, min_value=0, max_value=1)
    comment = forms.CharField(required=False, max_length=5000)
    proposed_category = forms.CharField(required=False, max_length=200)
    seconds_spent = forms.FloatField(required=False, min_value=0)
    idempotency_key = forms.CharField(max_length=64)

    def decision(self) -> Decision:
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("text_id", "action")}
        return Decision(action=Action(self.cleaned_data["action"]), **values)


OFFERED = {"words", "source", "category_id", "only_audit"}  # the filters that the desk's dialog has fields for


class FiltersForm(forms.Form):
    """What the reviewer wants to see, from the page's address."""

    category_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    min_confidence = forms.FloatField(required=False, min_value=0, max_value=1)
    max_confidence = forms.FloatField(required=False, min_value=0, max_value=1)
    run_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    source = forms.CharField(required=False, max_length=200)
    language = forms.CharField(required=False, max_length=20)
    words = forms.CharField(required=False, max_length=200)
    only_audit = forms.BooleanField(required=False)

    @classmethod
    def of(cls, sent: dict[str, Any]) -> "FiltersForm":
        """The filters in what a page sent; none where they are not named one by one."""
        filters = sent.get("filters")
        return cls(filters if isinstance(filters, dict) else {})

    def clean_only_audit(self) -> bool | None:
        return self.cleaned_data["only_audit"] or None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.filters().leave_nothing:
            self.add_error("only_audit", NOT_TOGETHER)
        return values

    @classmethod
    def not_offered(cls, sent: dict[str, str]) -> dict[str, str]:
        """The filters that a page was opened with and that its dialog only hands on."""
        return {name: value for name, value in sent.items() if name in set(cls.base_fields) - OFFERED}

    def filters(self) -> Filters:
        values = {name: self.cleaned_data.get(name) for name in FiltersForm.base_fields}
        return Filters(**{name: None if value == "" else value for name, value in values.items()})


def is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def ids(value: Any) -> list[int]:
    """Whole numbers from what came in; everything else is left out. A page shows few texts, so few are taken."""
    found = value if isinstance(value, list) else []
    return [number for number in found[:500] if is_id(number)]


class KeyField(forms.CharField):
    """A character that can be typed without other keys. Capitals count as small letters."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").lower()

    def validate(self, value: str) -> None:
        super().validate(value)
        if not value.isprintable() or value.isspace():
            raise forms.ValidationError("Choose one character that can be seen.")


class KeysForm(forms.Form):
    """One key for each action of the desk."""

    def __init__(self, sent: Any) -> None:
        super().__init__(sent if isinstance(sent, dict) else {})
        for name in DESK_ACTIONS:
            self.fields[name] = KeyField(max_length=1, strip=False)

    def keys(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in DESK_ACTIONS}
