"""What people write on the page that labels texts."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from labeling.drafts import LIMITS, RowRejected, of_request
from labeling.models import Project
from labeling.projects import to_begin_with
from labeling.readers import FORMATS

MOST_BYTES = 20_000_000  # of a file that is read while somebody waits
ENDINGS = ",".join(f".{name}" for name in FORMATS)


class LabelForm(forms.Form):
    """For which project, and by which model."""

    use_required_attribute = False  # both forms are sent from one page: a text that one needs must not stop the other

    project = forms.ModelChoiceField(Project.objects.none(), empty_label=None)
    provider = forms.ChoiceField(required=False)

    def __init__(
        self, data: Any = None, files: Any = None, *, projects: QuerySet[Project], initial: Any = None
    ) -> None:
        if data is None:
            initial = {"project": to_begin_with(projects), **(initial or {})}
        super().__init__(data, files, auto_id="label-%s", initial=initial)
        choice: Any = self.fields["project"]
        choice.queryset = projects.filter(is_archived=False)
        provider: Any = self.fields["provider"]
        provider.choices = [("", "The project's own"), *((alias, alias) for alias in settings.LABELING_PROVIDERS)]
        for field in self.fields.values():
            if not isinstance(field.widget, forms.HiddenInput):
                field.widget.attrs["class"] = "page-input"


class OneForm(LabelForm):
    """One text. `shown`: the answer that the person saw before storing it."""

    text = forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}))
    source = forms.CharField(required=False, max_length=LIMITS["source"])
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """With the text's `draft`."""
        values: dict[str, Any] = super().clean() or {}
        if "text" in values and "source" in values:
            try:
                values["draft"] = of_request(0, {"text": values["text"], "source": values["source"]})
            except RowRejected as reason:
                self.add_error("text", reason.sentence)
        return values


class ManyForm(LabelForm):
    """Many texts: one a line, or a file."""

    lines = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}))
    file = forms.FileField(required=False, widget=forms.FileInput(attrs={"accept": ENDINGS}))

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MOST_BYTES:
            raise ValidationError(f"It has more than {MOST_BYTES // 1_000_000} MB. Import it, then label the project.")
        return file

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        values["lines"] = [line for line in values.get("lines", "").splitlines() if line.strip()]
        if not self.errors and bool(values["lines"]) == bool(values.get("file")):
            raise ValidationError("Write some texts, one a line, or choose a file: one of the two.")
        return values
