"""The form of a prompt, on the project's own page and in the admin, and the preview beside it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from labeling import prompts
from labeling.fields import LARGEST_ID
from labeling.models import Project, PromptVersion

FIELDS = ("template", "hypothesis", "examples", "wants_reason")


class PromptForm(forms.ModelForm):
    class Meta:
        model = PromptVersion
        fields = FIELDS


class PreviewForm(forms.Form):
    template = forms.CharField(required=False, strip=False)
    hypothesis = forms.CharField(required=False)
    examples = forms.IntegerField(min_value=0, max_value=20)
    wants_reason = forms.BooleanField(required=False)
    text_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    is_next = forms.BooleanField(required=False)


def preview_of(project: Project, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What models would be told by the prompt that was sent, as JSON."""
    form = PreviewForm(sent)
    if not form.is_valid():
        return {"error": "Fill in the form, to see what a model is told."}
    draft = PromptVersion(project=project, **{name: form.cleaned_data[name] for name in FIELDS})
    text_id, is_next = form.cleaned_data["text_id"], form.cleaned_data["is_next"]
    return asdict(prompts.preview(draft, text_id=text_id, is_next=is_next))
