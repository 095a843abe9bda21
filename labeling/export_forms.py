"""What people choose when they export a project."""

from typing import Any

from django import forms

from labeling import exporting
from labeling.spreadsheets import OWN_COLUMNS
from labeling.writers.record import Record

ONLY_CHOICES = [
    ("final", "Labels that stand: accepted or reviewed"),
    ("reviewed", "Reviewed by people"),
    ("accepted", "Accepted by the model's confidence"),
    ("labeled", "All with a label, also those that need review"),
    ("all", "All texts, also without a label"),
]
FORMAT_CHOICES = [(name, chosen.words) for name, chosen in exporting.FORMATS.items()]
COLUMNS = tuple(name for name in Record._fields if name not in OWN_COLUMNS)


class ExportForm(forms.Form):
    """Which texts, in which format, with which columns."""

    only = forms.ChoiceField(choices=ONLY_CHOICES)
    file_format = forms.ChoiceField(choices=FORMAT_CHOICES)
    columns = forms.MultipleChoiceField(choices=[(name, name) for name in COLUMNS], required=False)
    with_certificate = forms.BooleanField(required=False)

    def wanted(self) -> dict[str, Any]:
        """The values as `exporting.download` takes them; no column chosen means all."""
        values: dict[str, Any] = self.cleaned_data
        return {**values, "columns": values["columns"] or None}
