"""Finds the rows that a request of the API names. All raise DRF's own errors."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from rest_framework.exceptions import NotFound, ValidationError

from labeling.lookups import by_name_or_id
from labeling.models import Category, Label, Project, Text
from reviews.access import NotYourProject
from reviews.models import Reviewer

MOST_NAMES = 30


def find_category(project: Project, reference: str | int) -> Category:
    """A category of the project. A number is always an id, although names may be numbers, such as 1 to 5 stars."""
    categories = project.categories.all()
    if isinstance(reference, int):
        found = categories.filter(pk=reference).first()
    else:
        found = by_name_or_id(categories, reference)
    if found is None:
        known = ", ".join(category.name for category in project.shown_categories()[:MOST_NAMES])
        raise ValidationError({"category": [f"There is no category '{reference}'. Categories: {known}."]})
    return found


def find_text(text_id: int) -> Text:
    if text := Text.objects.select_related("project").filter(pk=text_id).first():
        return text
    raise NotFound(f"There is no text {text_id}.")


def text_of_label(label_id: int) -> Text:
    if label := Label.objects.select_related("text__project").filter(pk=label_id).first():
        return label.text
    raise NotFound(f"There is no label {label_id}.")


def profile_of(user: AbstractBaseUser | AnonymousUser) -> Reviewer:
    """The user's own profile, for what concerns the desk and no project."""
    if isinstance(user, User) and user.has_perm("reviews.add_review"):
        reviewer = Reviewer.objects.filter(user=user, is_active=True).first()
        if reviewer is not None:
            return reviewer
    raise NotYourProject("You are not a reviewer. Ask a manager to add you.")
