"""What a manager sends when deciding."""

from django import forms

from labeling.models import Category, Project, Text


class CaseForm(forms.Form):
    """A category of the project, and a comment."""

    category = forms.ModelChoiceField(Category.objects.none(), empty_label="Choose a category")
    comment = forms.CharField(required=False, max_length=5000)

    def __init__(self, project: Project, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["category"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = project.categories.filter(is_active=True)


class NewCategoryForm(forms.Form):
    """A category of the manager's own wording, and texts of the project that show what belongs there."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=2000)
    examples = forms.ModelMultipleChoiceField(Text.objects.none(), required=False)

    def __init__(self, project: Project, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["examples"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = project.texts.only("pk")


class ProposalForm(forms.Form):
    name = forms.CharField(max_length=200)
