"""What people fill in to import a file: the file, and then what its columns mean."""

from typing import Any

from django import forms
from django.core.files.base import ContentFile, File

from labeling.drafts import LIMITS
from labeling.import_words import FIELDS
from labeling.importing import COLUMN_OPTIONS, ImportOptions
from labeling.readers import ENCODINGS, FORMATS
from labeling.readers.rows import MAX_COLUMN_NAME

FORMAT_CHOICES = [("", "By the file's ending"), *((name, name.upper()) for name in FORMATS)]
ENCODING_CHOICES = [("", "Recognised, else UTF-8"), *ENCODINGS.items()]
PASTED = "pasted.txt"


class UploadForm(forms.Form):
    """A file, or lines that are pasted."""

    file = forms.FileField(required=False, allow_empty_file=True)
    pasted = forms.CharField(required=False)
    file_format = forms.ChoiceField(label="Format", required=False, choices=FORMAT_CHOICES)
    encoding = forms.ChoiceField(label="Encoding", required=False, choices=ENCODING_CHOICES)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if bool(values.get("file")) == bool(values.get("pasted")):
            raise forms.ValidationError("Choose a file or paste lines: one of the two.")
        return values

    def upload(self) -> tuple[File, dict[str, str]]:
        """What was sent, as a file, and how it is to be read."""
        values = self.cleaned_data
        if values["pasted"]:
            return ContentFile(values["pasted"].encode(), name=PASTED), {"name": PASTED}
        named = {name: values[name] for name in ("file_format", "encoding")}
        return values["file"], {"name": values["file"].name, **named}


class MappingForm(forms.Form):
    """What the columns mean. Names are compared with those in the file when it is read."""

    COLUMNS = COLUMN_OPTIONS

    text_column = forms.CharField(label="Text", required=False, strip=False, max_length=MAX_COLUMN_NAME)
    id_column = forms.CharField(label="External id", required=False, strip=False, max_length=MAX_COLUMN_NAME)
    source_column = forms.CharField(label="Source", required=False, strip=False, max_length=MAX_COLUMN_NAME)
    language_column = forms.CharField(label="Language", required=False, strip=False, max_length=MAX_COLUMN_NAME)
    label_column = forms.CharField(label="Label", required=False, strip=False, max_length=MAX_COLUMN_NAME)
    source = forms.CharField(label=FIELDS["source"], required=False, max_length=LIMITS["source"])
    create_categories = forms.BooleanField(label=FIELDS["create-categories"], required=False)
    file_format = forms.ChoiceField(label="Format", required=False, choices=FORMAT_CHOICES)
    encoding = forms.ChoiceField(label="Encoding", required=False, choices=ENCODING_CHOICES)

    def clean(self) -> dict[str, Any]:
        """The texts' own column is nothing besides, whatever its name had suggested before it was chosen."""
        values = self.cleaned_data
        if text := values.get("text_column"):
            values |= {name: "" for name in COLUMN_OPTIONS if name != "text_column" and values.get(name) == text}
        return values

    @property
    def is_filled_in(self) -> bool:
        """Whether somebody chose anything yet: until then the columns' names decide."""
        return any(name in self.data for name in COLUMN_OPTIONS)

    def options(self) -> ImportOptions:
        values = {name: self.cleaned_data.get(name) or "" for name in (*COLUMN_OPTIONS, "source")}
        create = bool(self.cleaned_data.get("create_categories"))
        return ImportOptions(**values, create_categories=create, guess=not self.is_filled_in)  # type: ignore[typeddict-item]
