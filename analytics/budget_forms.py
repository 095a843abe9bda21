"""What a manager asks of the error budget."""

from django import forms

from labeling.certification import LEAST_SHARE, MOST_SHARE
from labeling.models.certificate import PromiseChoice

BUDGETS = (1, 2, 5, 10)  # percent, as on the slider
CONFIDENCES = (90, 95, 99)
MOST_DRAWN = 100_000


class DrawForm(forms.Form):
    size = forms.IntegerField(min_value=1, max_value=MOST_DRAWN)


class CertifyForm(forms.Form):
    """A promise, with budget and confidence in percent. `look` is the number of the look that the person was told."""

    promise = forms.ChoiceField(choices=PromiseChoice.choices)
    budget = forms.DecimalField(min_value=0, max_value=100, max_digits=6, decimal_places=3)
    confidence = forms.TypedChoiceField(choices=[(n, f"{n} %") for n in CONFIDENCES], coerce=int)
    look = forms.IntegerField(min_value=1, required=False)

    def clean_budget(self) -> float:
        """The budget as a share."""
        share = float(self.cleaned_data["budget"] / 100)
        if not LEAST_SHARE <= share <= MOST_SHARE:
            raise forms.ValidationError(f"A budget lies between {LEAST_SHARE:.2%} and {MOST_SHARE:.2%}.")
        return share

    def clean_confidence(self) -> float:
        return float(self.cleaned_data["confidence"] / 100)


class NoForm(forms.Form):
    """For what needs no values."""
