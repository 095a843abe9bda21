"""What the page of statistics is asked for, by its address."""

from django import forms

from analytics.confused import Place

ADDRESS = {"since": "from", "until": "to"}  # `from` cannot be the name of an attribute


class StatisticsForm(forms.Form):
    """Names or keys of rows; `analytics.choosing.chosen` looks them up."""

    project = forms.CharField(required=False, max_length=120)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    category = forms.CharField(required=False, max_length=200)
    source = forms.CharField(required=False, max_length=200)
    reviewer = forms.CharField(required=False, max_length=150)
    run = forms.CharField(required=False, max_length=18)

    def add_prefix(self, field_name: str) -> str:
        return ADDRESS.get(field_name, field_name)


class CellForm(forms.Form):
    """A cell of the confusion matrix, by names or keys of categories, and the text after which its list goes on."""

    machine = forms.CharField(max_length=200)
    human = forms.CharField(max_length=200)
    after = forms.CharField(required=False, max_length=60)

    def clean_after(self) -> Place | None:
        try:
            return Place.read(self.cleaned_data["after"]) if self.cleaned_data["after"] else None
        except ValueError as error:
            raise forms.ValidationError("This is no place in the list.") from error
